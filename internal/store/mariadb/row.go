package mariadb

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

const (
	second = int64(1e9)

	// maxCounter bounds what is kept of a counter, so that both directions of a
	// record never overflow a bigint unsigned.
	maxCounter = math.MaxInt64
	// maxText is how many bytes are kept of a text. It leaves room for several
	// in the server's smallest usual max_allowed_packet of 16 MiB.
	maxText = 4 << 20
	// infoRunes is how many characters INFO holds.
	infoRunes = 255
	// instanceRunes is how many characters NTOPNG_INSTANCE_NAME holds.
	instanceRunes = 255
)

// rowColumns are the columns that are written, in the order of appendRow.
var rowColumns = []string{
	"VLAN_ID", "L7_PROTO", "IP_SRC_ADDR", "L4_SRC_PORT", "IP_DST_ADDR", "L4_DST_PORT", "PROTOCOL",
	"IN_BYTES", "OUT_BYTES", "PACKETS", "FIRST_SWITCHED", "LAST_SWITCHED",
	"INFO", "NTOPNG_INSTANCE_NAME", "INTERFACE_ID",
	"start_time", "end_time", "packets_to_server", "packets_to_client", "app_master", "app", "app_guess",
	"info_long", "observer_id", "evidence", "cause", "flow_id", "slice", "sampling", "server_rtt", "client_rtt",
	"flags_to_server", "flags_to_client", "retransmits", "out_of_order", "zero_windows", "resets",
	"tls_version", "ja4", "software",
}

// A cells takes the values of rows, column after column.
type cells interface {
	uint(uint64)
	int(int64)
	text(string)
	octets([]byte) // which the taker borrows
	null()
	end() // of a row
}

// rowContext is what a row holds that its record does not.
type rowContext struct {
	instance string
	observer uint32 // identifier of the record's observer
}

// isSix reports whether a record belongs into flowsv6: one of its addresses is
// IPv6.
func isSix(k *flow.Key) bool {
	return !netip.AddrFrom16(k.Client).Is4In6() || !netip.AddrFrom16(k.Server).Is4In6()
}

// appendRow gives c the values of rowColumns.
func appendRow(c cells, r *flow.Record, x rowContext) {
	c.uint(uint64(r.VLAN))
	if r.App.App != 0 {
		c.uint(uint64(r.App.App))
	} else {
		c.uint(uint64(r.App.Master))
	}
	six := isSix(&r.Key)
	address(c, r.Client, six)
	c.uint(uint64(r.ClientPort))
	address(c, r.Server, six)
	c.uint(uint64(r.ServerPort))
	c.uint(uint64(r.Proto))

	toServer, toClient := bounded(r.ToServer), bounded(r.ToClient)
	c.uint(toServer.Bytes)
	c.uint(toClient.Bytes)
	c.uint(toServer.Packets + toClient.Packets)
	c.uint(uint64(switched(r.Start)))
	c.uint(uint64(switched(r.End)))

	info := stored(r.Info)
	short := firstRunes(info, infoRunes)
	c.text(short)
	c.text(x.instance)
	if x.observer <= math.MaxInt16 {
		c.uint(uint64(x.observer))
	} else {
		c.null()
	}

	c.int(r.Start)
	c.int(r.End)
	c.uint(toServer.Packets)
	c.uint(toClient.Packets)
	c.uint(uint64(r.App.Master))
	c.uint(uint64(r.App.App))
	c.uint(bit(r.App.Guess))
	textOrNull(c, info, len(short) < len(info))
	c.uint(uint64(x.observer))
	c.uint(uint64(r.Evidence))
	c.uint(uint64(r.Cause))
	c.uint(r.ID)
	c.uint(uint64(r.Slice))
	c.uint(uint64(r.Sampling))
	c.int(int64(r.TCP.ServerRTT))
	c.int(int64(r.TCP.ClientRTT))
	c.uint(uint64(r.TCP.FlagsToServer))
	c.uint(uint64(r.TCP.FlagsToClient))
	c.uint(uint64(r.TCP.Retransmits))
	c.uint(uint64(r.TCP.OutOfOrder))
	c.uint(uint64(r.TCP.ZeroWindows))
	c.uint(uint64(r.TCP.Resets))

	var d flow.Details
	if r.Details != nil {
		d = *r.Details
	}
	if d.TLSVersion != 0 {
		c.uint(uint64(d.TLSVersion))
	} else {
		c.null()
	}
	textOrNull(c, stored(d.JA4), d.JA4 != "")
	textOrNull(c, stored(d.Software), d.Software != "")
	c.end()
}

func address(c cells, a [16]byte, six bool) {
	if six {
		c.text(netip.AddrFrom16(a).String())
		return
	}
	c.uint(uint64(address4(a)))
}

// address4 returns an IPv4 address as ntopng keeps it.
func address4(a [16]byte) uint32 {
	return uint32(a[12])<<24 | uint32(a[13])<<16 | uint32(a[14])<<8 | uint32(a[15])
}

func textOrNull(c cells, s string, there bool) {
	if there {
		c.text(s)
		return
	}
	c.null()
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// bounded returns c with counters that can be kept.
func bounded(c flow.Counters) flow.Counters {
	return flow.Counters{Packets: min(c.Packets, maxCounter), Bytes: min(c.Bytes, maxCounter)}
}

// switched returns a time as FIRST_SWITCHED and LAST_SWITCHED hold it: seconds
// since 1970, up to 2106.
func switched(t int64) int64 { return max(0, min(t/second, math.MaxUint32)) }

// firstRunes returns the first n characters of s, which is valid UTF-8.
func firstRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// cut returns the whole characters among the first n bytes of s, which is
// valid UTF-8.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// instanceName returns what NTOPNG_INSTANCE_NAME holds.
func (c *Config) instanceName() string { return firstRunes(query.Text(c.instance()), instanceRunes) }

// tsv grows the text that LOAD DATA reads.
type tsv struct {
	b    []byte
	rows int
}

func (t *tsv) uint(n uint64) { t.b = append(strconv.AppendUint(t.b, n, 10), '\t') }
func (t *tsv) int(n int64)   { t.b = append(strconv.AppendInt(t.b, n, 10), '\t') }
func (t *tsv) null()         { t.b = append(t.b, `\N`+"\t"...) }

func (t *tsv) text(s string) {
	for {
		i := strings.IndexAny(s, "\\\t\n\x00")
		if i < 0 {
			t.b = append(append(t.b, s...), '\t')
			return
		}
		t.b = append(append(t.b, s[:i]...), '\\')
		switch s[i] {
		case '\t':
			t.b = append(t.b, 't')
		case '\n':
			t.b = append(t.b, 'n')
		case 0:
			t.b = append(t.b, '0')
		default:
			t.b = append(t.b, s[i])
		}
		s = s[i+1:]
	}
}

func (t *tsv) octets(b []byte) { t.text(string(b)) }

func (t *tsv) end() {
	t.b[len(t.b)-1] = '\n'
	t.rows++
}

// arguments grows the parameters of an INSERT.
type arguments struct {
	values []any
	size   int // about, in bytes
	rows   int
}

func (a *arguments) add(v any, size int) { a.values, a.size = append(a.values, v), a.size+size }

func (a *arguments) uint(n uint64)   { a.add(n, 8) }
func (a *arguments) int(n int64)     { a.add(n, 8) }
func (a *arguments) text(s string)   { a.add(s, len(s)) }
func (a *arguments) octets(b []byte) { a.add(b, len(b)) }
func (a *arguments) null()           { a.add(nil, 0) }
func (a *arguments) end()            { a.rows++ }
