package dissect

import (
	"bytes"
	"net/netip"

	"github.com/portolan/portolan/internal/flow"
)

// Types of DNS records (IANA "DNS Parameters").
const (
	dnsA     = 1
	dnsCNAME = 5
	dnsPTR   = 12
	dnsAAAA  = 28
)

const dnsHeader = 12

// dnsAnswered is the stage of a DNS conversation whose name stands in a
// response.
const dnsAnswered uint8 = 1

// maxName is the longest name of DNS in text, without the last dot (RFC 1035
// section 2.3.4).
const maxName = 253

// maxAnswers bounds how many records of a message are looked at.
const maxAnswers = 64

// A dnsScratch holds names while a message is read.
type dnsScratch struct {
	asked, current, owner, target [maxName]byte
}

// recogniseDNS knows DNS (RFC 1035) over UDP and TCP. At UDP ports that are not
// its own a message must be right to the last byte; at such TCP ports it is not
// looked for.
func recogniseDNS(m *message) answer {
	if m.isPort(5353) || m.isPort(5355) || m.isPort(137) {
		return no
	}
	return dnsMessage(m)
}

// recogniseMDNS knows multicast DNS (RFC 6762).
func recogniseMDNS(m *message) answer {
	if !m.usual {
		return no
	}
	return dnsMessage(m)
}

// recogniseLLMNR knows link-local multicast name resolution (RFC 4795).
func recogniseLLMNR(m *message) answer {
	if !m.usual {
		return no
	}
	return dnsMessage(m)
}

func dnsMessage(m *message) answer {
	b := m.data
	if m.proto != flow.TCP {
		return m.d.learnDNS(m, b)
	}
	if !m.usual {
		return no
	}
	r := reader{b: b}
	length := int(r.uint16())
	if r.short {
		return more
	}
	if length < dnsHeader {
		return dnsUnknown(m)
	}
	if len(r.b) >= dnsHeader && !plausibleDNS(r.b, m.usual) {
		return dnsUnknown(m)
	}
	if len(r.b) < length && !m.full {
		if m.conv.owner != 0 {
			return mine
		}
		return more
	}
	m.use(2 + length)
	return m.d.learnDNS(m, r.b[:min(len(r.b), length)])
}

// dnsUnknown drops what is not understood.
func dnsUnknown(m *message) answer {
	m.useAll()
	return no
}

// plausibleDNS looks at a header, which is there as a whole.
func plausibleDNS(b []byte, usual bool) bool {
	r := reader{b: b[2:dnsHeader]}
	flags, questions, answers, authority, additional := r.uint16(), r.uint16(), r.uint16(), r.uint16(), r.uint16()
	op := flags >> 11 & 15
	if op > 6 || op == 3 {
		return false
	}
	if usual {
		return questions > 0 && questions <= 16 || questions == 0 && answers > 0 && answers <= 256 || beginsEntry(b)
	}
	return questions == 1 && op == 0 && flags&0x40 == 0 && answers <= 64 && authority <= 64 && additional <= 64 &&
		(flags&0x8000 != 0 || answers == 0 && authority == 0)
}

// beginsEntry reports whether a name of two labels or more, a type and the class
// of the Internet follow the header, as a question and a record both begin (RFC
// 1035 sections 4.1.2 and 4.1.3). Where DNS is usual that is enough, whatever
// the header counts. The type may be any (RFC 3597).
func beginsEntry(b []byte) bool {
	r := dnsReader{all: b, at: dnsHeader}
	var room [maxName]byte
	name := r.name(room[:0])
	t, class := r.uint16(), r.uint16()
	return !r.short && bytes.IndexByte(name, '.') > 0 && t != 0 && class&0x7fff == 1 // the highest bit is mDNS's
}

// learnDNS reads one message.
func (d *Identifier) learnDNS(m *message, b []byte) answer {
	if len(b) < dnsHeader || !plausibleDNS(b, m.usual) {
		return no
	}
	r := dnsReader{all: b, at: 2}
	flags, questions, answers := r.uint16(), int(r.uint16()), int(r.uint16())
	authority, additional := int(r.uint16()), int(r.uint16())
	asked := d.dns.asked[:0]
	if r.at == len(b) && m.usual && questions > 0 {
		return no // nothing but a header
	}
	for i := range questions {
		name := r.name(d.dns.owner[:0])
		if i == 0 && !r.short {
			asked = append(asked, name...)
		}
		t, class := r.uint16(), r.uint16()
		if r.short {
			if !m.usual { // where it is usual, the rest may have been cut off, or is what a tunnel says
				return no
			}
			break
		}
		if !m.usual && (class != 1 || !usualType(t)) {
			return no
		}
	}
	response := flags&0x8000 != 0
	if !m.usual && !r.endsRight(answers+authority+additional) {
		return no
	}
	if questions == 0 {
		first := r
		asked = append(asked, first.name(d.dns.owner[:0])...)
		if first.short {
			return no
		}
	}
	if bytes.HasPrefix(asked, []byte("2.dnscrypt-cert.")) { // a client of DNSCrypt asks for the resolver's key
		m.master(appDNScrypt)
	}
	m.asked(asked, response)
	if d.cfg.AppOnly || d.cfg.Names == nil && response {
		return done
	}
	if response && d.cfg.Names != nil && !r.short {
		if questions == 0 {
			asked = asked[:0]
			answers += authority + additional // mDNS has them all over the message
		}
		d.learnAnswers(m, &r, asked, min(answers, maxAnswers))
	}
	return mine
}

// asked takes the name of the first question that was answered, or of the first
// that was asked if none was. A response repeats the question (RFC 1035 section
// 7.3); a query may come in vain, and the next one ask for something else.
func (m *message) asked(name []byte, response bool) {
	if len(name) == 0 {
		return
	}
	if response && m.reply && !m.at(dnsAnswered) {
		m.reach(dnsAnswered)
		if m.conv.info != string(name) {
			m.conv.info, m.conv.app.App = "", 0
		}
	}
	m.host(name)
}

// usualType reports whether t is a type of question that programs ask.
func usualType(t uint16) bool {
	switch t {
	case dnsA, 2, dnsCNAME, 6, dnsPTR, 15, 16, dnsAAAA, 33, 35, 43, 46, 48, 52, 64, 65, 255, 257:
		return true
	}
	return false
}

// learnAnswers tells the names of the addresses in the answers. The owner of an
// address is the name that was asked for, if CNAMEs lead from that to it.
func (d *Identifier) learnAnswers(m *message, r *dnsReader, asked []byte, n int) {
	current := append(d.dns.current[:0], asked...)
	for range n {
		owner := r.name(d.dns.owner[:0])
		t, _, data := r.record()
		if r.short {
			return
		}
		name := owner
		if len(asked) > 0 && bytes.Equal(owner, current) {
			name = asked
		}
		switch {
		case t == dnsCNAME && len(asked) > 0 && bytes.Equal(owner, current):
			target := dnsReader{all: r.all, at: r.at - len(data)}
			if s := target.name(d.dns.target[:0]); !target.short {
				current = append(d.dns.current[:0], s...)
			}
		case t == dnsA && len(data) == 4, t == dnsAAAA && len(data) == 16:
			addr, _ := netip.AddrFromSlice(data)
			d.tell(m, addr, name)
		case t == dnsPTR:
			addr, ok := reverseAddr(name)
			target := dnsReader{all: r.all, at: r.at - len(data)}
			if s := target.name(d.dns.target[:0]); ok && !target.short {
				d.tell(m, addr, s)
			}
		}
	}
}

func (d *Identifier) tell(m *message, addr netip.Addr, name []byte) {
	addr = addr.Unmap()
	if len(name) == 0 || addr.IsUnspecified() || addr.IsLoopback() || addr.IsMulticast() {
		return
	}
	d.cfg.Names(addr, string(name), m.time)
}

// reverseAddr returns the address that a name below in-addr.arpa or ip6.arpa
// stands for (RFC 1035 section 3.5, RFC 3596 section 2.5).
func reverseAddr(name []byte) (netip.Addr, bool) {
	if v4, ok := bytes.CutSuffix(name, []byte(".in-addr.arpa")); ok {
		var a [4]byte
		n := 4
		for part := range bytes.SplitSeq(v4, []byte{'.'}) {
			v, ok := decimal(part)
			if n--; n < 0 || !ok {
				return netip.Addr{}, false
			}
			a[n] = v
		}
		return netip.AddrFrom4(a), n == 0
	}
	v6, ok := bytes.CutSuffix(name, []byte(".ip6.arpa"))
	if !ok || len(v6) != 63 {
		return netip.Addr{}, false
	}
	var a [16]byte
	for i := range 32 {
		v, ok := nibble(v6[2*i])
		if !ok || i < 31 && v6[2*i+1] != '.' {
			return netip.Addr{}, false
		}
		a[15-i/2] |= v << (4 * (i & 1))
	}
	return netip.AddrFrom16(a), true
}

// decimal returns the number of up to three digits, 255 at the most.
func decimal(b []byte) (byte, bool) {
	if len(b) == 0 || len(b) > 3 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return byte(n), n < 256
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// A dnsReader reads a message, in which names point to others.
type dnsReader struct {
	all   []byte
	at    int
	short bool // the message ended early, or a name makes no sense
}

func (r *dnsReader) bytes(n int) []byte {
	if r.short || n > len(r.all)-r.at {
		r.short = true
		return nil
	}
	p := r.all[r.at : r.at+n : r.at+n]
	r.at += n
	return p
}

func (r *dnsReader) uint16() uint16 {
	if p := r.bytes(2); p != nil {
		return uint16(p[0])<<8 | uint16(p[1])
	}
	return 0
}

// record reads what follows a record's owner. How long it may be kept does not
// matter: a name is told with its time.
func (r *dnsReader) record() (kind, class uint16, data []byte) {
	kind, class = r.uint16(), r.uint16()
	r.bytes(4) // TTL
	return kind, class, r.bytes(int(r.uint16()))
}

// endsRight reports whether n records follow and nothing else.
func (r *dnsReader) endsRight(n int) bool {
	s := *r
	for ; n > 0 && !s.short; n-- {
		s.skipName()
		s.record()
	}
	return !s.short && s.at == len(s.all)
}

func (r *dnsReader) skipName() {
	for !r.short {
		p := r.bytes(1)
		switch {
		case p == nil || p[0] == 0:
			return
		case p[0] >= 0xc0:
			r.bytes(1)
			return
		case p[0] > 63:
			r.short = true
		default:
			r.bytes(int(p[0]))
		}
	}
}

// name appends the name that is next, in lower case, labels with dots between
// them, to dst, which is empty and has room for maxName bytes. What is too
// long, or points in circles, leaves r short.
func (r *dnsReader) name(dst []byte) []byte {
	jump, jumped := r.at, false
	limit := len(r.all)
	at := r.at
	for {
		if r.short || at >= limit {
			r.short = true
			break
		}
		n := int(r.all[at])
		at++
		if n == 0 {
			break
		}
		if n >= 0xc0 {
			if at >= len(r.all) {
				r.short = true
				break
			}
			to := (n&0x3f)<<8 | int(r.all[at])
			at++
			if !jumped {
				jump, jumped = at, true
			}
			if to >= at-2 { // names point to what stands before them (RFC 1035 section 4.1.4)
				r.short = true
				break
			}
			limit, at = at-2, to
			continue
		}
		dot := min(len(dst), 1)
		if n > 63 || n > limit-at || len(dst)+dot+n > maxName {
			r.short = true
			break
		}
		dst = append(dst, "."[:dot]...)
		for _, c := range r.all[at : at+n] {
			dst = append(dst, nameByte(c))
		}
		at += n
	}
	if jumped {
		at = jump
	}
	r.at = at
	return dst
}

// nameByte returns a byte of a name as it is kept.
func nameByte(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c == ' ':
		return '_'
	case c < ' ' || c >= 0x7f:
		return '?'
	}
	return c
}
