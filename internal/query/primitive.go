package query

import (
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// primitive reads one primitive; the next token is a word.
func (p *parser) primitive() (Expr, error) {
	t := p.tok
	word := strings.ToLower(t.text)
	if family, ok := families[word]; ok {
		return family, p.advance()
	}
	if proto, ok := protoWord(word); ok {
		return ProtoIs{proto}, p.advance()
	}
	switch word {
	case "client", "src":
		return p.sided(OfClient)
	case "server", "dst":
		return p.sided(OfServer)
	case "host", "net", "port", "portrange":
		return p.endpoint(Either)
	case "proto":
		return p.values("a protocol: a name such as tcp, or a number up to 255", p.proto)
	case "app":
		return p.values("the name of an application", p.app)
	case "name":
		return p.values("a text", func(t token) (Expr, error) { return NameHas{Text(t.text)}, nil })
	case "observer":
		return p.values("the name of an observer", func(t token) (Expr, error) { return ObserverIs{Text(t.text)}, nil })
	case "vlan":
		return p.values("a number from 0 to 4095", p.vlan)
	case "bytes":
		return p.count(Bytes)
	case "packets":
		return p.count(Packets)
	}
	if looksLikeAddress(t.text) {
		return p.list(t, func(t token) (Expr, error) { return p.hostOrNet(Either, t) })
	}
	return nil, p.unknownWord()
}

// unknownWord says that the next token starts no primitive.
func (p *parser) unknownWord() error {
	t := p.tok
	if _, err := strconv.ParseUint(t.text, 10, 64); err == nil {
		return p.errorAt(t.pos, "the number "+t.text+" stands alone", "did you mean port "+t.text+"?")
	}
	hint := ""
	if w := nearest(strings.ToLower(t.text), keywords); w != "" {
		hint = fmt.Sprintf("did you mean %q?", w)
	} else if strings.Contains(t.text, ".") {
		hint = "for a name use: name " + quoteWord(t.text)
	} else if p.apps != nil && len(p.apps(t.text)) > 0 {
		hint = "for an application use: app " + quoteWord(t.text)
	}
	return p.errorAt(t.pos, "unknown word "+t.String(), hint)
}

// sided reads what follows client or server, and "client or server X" and
// "client and server X".
func (p *parser) sided(side Side) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	joint := p.tok.kind
	if joint != orToken && joint != andToken {
		return p.endpoint(side)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	other := Either
	if p.tok.kind == wordToken {
		switch strings.ToLower(p.tok.text) {
		case "client", "src":
			other = OfClient
		case "server", "dst":
			other = OfServer
		}
	}
	if other == Either || other == side {
		return nil, p.errorAt(p.tok.pos, "unexpected "+p.tok.String(), "client and server each need a host, net or port: client 10.0.0.1")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if joint == orToken {
		return p.endpoint(eitherSaid)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start, again := p.tok, p.lexer
	left, err := p.endpoint(OfClient)
	if err != nil {
		return nil, err
	}
	p.tok, p.lexer = start, again
	right, err := p.endpoint(OfServer)
	return And{left, right}, err
}

// eitherSaid is Either, written out. A port alone is the server's; with
// "client or server" before it, it is of either.
const eitherSaid Side = 255

// endpoint reads a host, a network or a port, which may be of one side only.
func (p *parser) endpoint(side Side) (Expr, error) {
	word := strings.ToLower(p.tok.text)
	if p.tok.kind != wordToken {
		word = ""
	}
	addrSide, portSide := side, side
	switch side {
	case Either:
		portSide = OfServer
	case eitherSaid:
		addrSide, portSide = Either, Either
	}
	switch word {
	case "host":
		return p.values("an address", func(t token) (Expr, error) { return p.host(addrSide, t) })
	case "net":
		return p.values("a prefix such as 10.0.0.0/8", func(t token) (Expr, error) { return p.net(addrSide, t) })
	case "port", "portrange":
		return p.values("a number from 0 to 65535, or a range such as 1-1024", func(t token) (Expr, error) { return p.ports(portSide, t) })
	}
	t := p.tok
	if t.kind == wordToken && looksLikeAddress(t.text) {
		return p.list(t, func(t token) (Expr, error) { return p.hostOrNet(addrSide, t) })
	}
	if t.kind == endToken {
		return nil, p.errorAt(t.pos, "the filter ends too early", "host, net, port or an address belongs here")
	}
	hint := "host, net, port or an address belongs here"
	if t.kind == wordToken {
		if w := nearest(word, []string{"host", "net", "port", "portrange"}); w != "" {
			hint = fmt.Sprintf("did you mean %q?", w)
		} else if _, err := strconv.ParseUint(word, 10, 16); err == nil {
			hint = "did you mean port " + word + "?"
		}
	}
	return nil, p.errorAt(t.pos, "unexpected "+t.String(), hint)
}

// values reads the value, or the list of values, that follows a keyword.
func (p *parser) values(what string, one func(token) (Expr, error)) (Expr, error) {
	keyword := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	t := p.tok
	if t.kind != wordToken && t.kind != quotedToken {
		hint := ""
		switch t.kind {
		case opToken:
			hint = fmt.Sprintf("the value follows the word: %s VALUE; or: not %s VALUE", keyword.text, keyword.text)
		case andToken, orToken, notToken:
			hint = "a value that is a word of the language stands in quotes"
		}
		return nil, p.errorAt(t.pos, fmt.Sprintf("%s takes %s, not %s", strings.ToLower(keyword.text), what, t), hint)
	}
	return p.list(t, one)
}

// list reads t, a value or values with commas between them, as alternatives.
func (p *parser) list(t token, one func(token) (Expr, error)) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if t.kind == quotedToken || !strings.Contains(t.text, ",") {
		return one(t)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var all Expr
	for text := range strings.SplitSeq(t.text, ",") {
		if text == "" {
			return nil, p.errorAt(t.pos, "nothing stands between two commas", "a list has no blanks: port 80,443")
		}
		e, err := one(token{t.kind, text, t.pos})
		if err != nil {
			return nil, err
		}
		t.pos += len(text) + 1
		if all == nil {
			all = e
			continue
		}
		all = Or{all, e}
	}
	return all, nil
}

func (p *parser) proto(t token) (Expr, error) {
	word := strings.ToLower(t.text)
	if proto, ok := protoWord(word); ok {
		return ProtoIs{proto}, nil
	}
	proto, ok := flow.ParseProto(word)
	if !ok {
		hint := "a protocol is a name such as tcp, or a number up to 255"
		if len(p.lookup(t.text)) > 0 {
			hint = "for an application use: app " + quoteWord(t.text)
		}
		return nil, p.errorAt(t.pos, "unknown protocol "+t.String(), hint)
	}
	return ProtoIs{proto}, nil
}

// lookup returns what the name of an application stands for.
func (p *parser) lookup(name string) []uint16 {
	if p.apps == nil {
		return nil
	}
	return p.apps(name)
}

func (p *parser) app(t token) (Expr, error) {
	name := Text(t.text)
	if id, err := strconv.ParseUint(name, 10, 16); err == nil {
		return AppIs{name, []uint16{uint16(id)}}, nil
	}
	ids := sortedIDs(p.lookup(name))
	if len(ids) > 0 || p.apps == nil {
		return AppIs{name, ids}, nil
	}
	hint := "an application is a name such as tls, or nDPI's number"
	if master, app, ok := strings.Cut(name, "."); ok && len(p.apps(master)) > 0 && len(p.apps(app)) > 0 {
		hint = fmt.Sprintf("write app %s and app %s", quoteWord(master), quoteWord(app))
	}
	return nil, p.errorAt(t.pos, "unknown application "+t.String(), hint)
}

func (p *parser) vlan(t token) (Expr, error) {
	id, err := strconv.ParseUint(t.text, 10, 16)
	if err != nil || id > 4095 {
		return nil, p.errorAt(t.pos, "vlan takes a number from 0 to 4095, not "+t.String(), "")
	}
	return VLANIs{uint16(id)}, nil
}

// ports reads P or LO-HI.
func (p *parser) ports(side Side, t token) (Expr, error) {
	low, high, isRange := strings.Cut(t.text, "-")
	lo, err := strconv.ParseUint(low, 10, 16)
	hi := lo
	if err == nil && isRange {
		hi, err = strconv.ParseUint(high, 10, 16)
	}
	if err != nil {
		hint := ""
		if len(p.lookup(t.text)) > 0 {
			hint = "for an application use: app " + quoteWord(t.text)
		}
		return nil, p.errorAt(t.pos, "port takes a number from 0 to 65535 or a range such as 1-1024, not "+t.String(), hint)
	}
	if lo > hi {
		return nil, p.errorAt(t.pos, "the range "+t.text+" is backwards", fmt.Sprintf("did you mean %d-%d?", hi, lo))
	}
	return Ports{side, uint16(lo), uint16(hi)}, nil
}

// looksLikeAddress reports whether a word that stands alone is meant as an
// address, a prefix or a list of them.
func looksLikeAddress(s string) bool {
	first, _, _ := strings.Cut(s, ",")
	if addr, _, ok := strings.Cut(first, "/"); ok {
		return addr != "" && strings.Trim(addr, "0123456789abcdefABCDEF.:%") == "" && strings.ContainsAny(addr, "0123456789:")
	}
	_, err := netip.ParseAddr(first)
	return err == nil
}

func (p *parser) hostOrNet(side Side, t token) (Expr, error) {
	if strings.Contains(t.text, "/") {
		return p.net(side, t)
	}
	return p.host(side, t)
}

func (p *parser) host(side Side, t token) (Expr, error) {
	addr, err := netip.ParseAddr(t.text)
	if err != nil {
		hint := "for a name use: name " + quoteWord(Text(t.text))
		switch {
		case strings.Contains(t.text, "/"):
			hint = "for a network use: net " + t.text
		case strings.Trim(t.text, "0123456789.") == "" || strings.Contains(t.text, ":"):
			hint = ""
		}
		return nil, p.errorAt(t.pos, "host takes an address, not "+t.String(), hint)
	}
	if addr.Zone() != "" {
		return nil, p.errorAt(t.pos, "zones are not recorded", "write host "+addr.WithZone("").String())
	}
	addr = addr.Unmap()
	return Net{side, netip.PrefixFrom(addr, addr.BitLen())}, nil
}

// net reads a prefix. Bits behind its length are dropped. As in tcpdump, the
// last numbers of an IPv4 network may be left out: 10/8, 192.168/16, 10.1.
func (p *parser) net(side Side, t token) (Expr, error) {
	text, length, hasLength := strings.Cut(t.text, "/")
	dots := strings.Count(text, ".")
	short := !strings.Contains(text, ":") && dots < 3
	if short {
		text += strings.Repeat(".0", 3-dots)
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return nil, p.errorAt(t.pos, "net takes a prefix such as 10.0.0.0/8, not "+t.String(), "")
	}
	if !hasLength {
		if !short {
			return nil, p.errorAt(t.pos, "net takes a prefix such as 10.0.0.0/8, not "+t.String(),
				"write net "+t.text+"/LENGTH, or host "+t.text)
		}
		length = strconv.Itoa(8 * (dots + 1))
	}
	n, err := strconv.ParseUint(length, 10, 8)
	if err != nil || int(n) > addr.BitLen() {
		return nil, p.errorAt(t.pos, fmt.Sprintf("the length of prefix %s is not a number from 0 to %d", shown(t.text), addr.BitLen()), "")
	}
	if addr.Is4In6() && n >= 96 {
		addr, n = addr.Unmap(), n-96
	}
	return Net{side, netip.PrefixFrom(addr, int(n)).Masked()}, nil
}

var ops = map[string]Op{
	"<": Less, "<=": LessEq, "=": Eq, "==": Eq, "!=": NotEq, "<>": NotEq, ">=": GreaterEq, ">": Greater,
}

func (p *parser) count(field Field) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	op, ok := ops[p.tok.text]
	if !ok || p.tok.kind != opToken {
		return nil, p.errorAt(p.tok.pos, fmt.Sprintf("%s is compared, but %s follows", field, p.tok), fmt.Sprintf("write %s > 10M", field))
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	t := p.tok
	n, err := parseSize(t.text)
	if t.kind != wordToken || err != nil {
		return nil, p.errorAt(t.pos, fmt.Sprintf("%s is compared with a number such as 500, 10M or 64KiB, not with %s", field, t), "")
	}
	if n > math.MaxInt64 {
		return nil, p.errorAt(t.pos, t.String()+" is larger than 2^63 - 1", "")
	}
	return Count{field, op, n}, p.advance()
}

// parseSize reads a number with K, M, G, T (powers of 1000) or Ki, Mi, Gi, Ti
// (powers of 1024); case does not matter, and a B may follow.
func parseSize(s string) (uint64, error) {
	digits := strings.TrimRight(s, "kKmMgGtTiIbB")
	unit := strings.ToLower(s[len(digits):])
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return n, err
	}
	unit = strings.TrimSuffix(unit, "b")
	factor := uint64(1)
	if unit != "" {
		step := uint64(1000)
		if strings.HasSuffix(unit, "i") {
			step, unit = 1024, unit[:len(unit)-1]
		}
		power := strings.Index("kmgt", unit)
		if len(unit) != 1 || power < 0 {
			return 0, fmt.Errorf("unknown unit in %q", s)
		}
		for range power + 1 {
			factor *= step
		}
	}
	over, n := bits.Mul64(n, factor)
	if over != 0 {
		n = math.MaxUint64
	}
	return n, nil
}
