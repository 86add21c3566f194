package query

import (
	"fmt"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

const (
	// MaxLength is the length of the longest filter that Parse takes, in bytes.
	MaxLength = 64 << 10
	// MaxDepth is how deep parentheses, negations and lists may nest.
	MaxDepth = 200
)

// Parse reads a filter. Its words are those of tcpdump, with client and server
// in the place of src and dst (which are synonyms):
//
//	host A         client host A    server host A    A may stand alone
//	net N/LEN      client net N/LEN server net N/LEN N/LEN may stand alone
//	port P         client port P    server port P    P or a range LO-HI
//	portrange LO-HI
//	client A       client N/LEN     client or server port P     client and server net N
//	proto tcp      proto 17         tcp  udp  icmp  icmp6  sctp ...  ip  ip6
//	app tls        name "x"         vlan N           observer X
//	bytes > 10M    packets >= 5     (K, M, G, T: powers of 1000; KiB, MiB, GiB, TiB: of 1024)
//	not  and  or   !  &&  ||  ( )
//
// Values may be lists: "port 80,443" is (port 80 or port 443). A protocol may
// stand before host, net and port without "and": "tcp port 443". "not" binds
// closer than "and", "and" closer than "or"; in tcpdump the two are equal. And
// "port" alone is the server's port.
//
// The function apps returns the nDPI identifiers of an application's name, none
// if there is no such name; without it every name is taken and stands for
// nothing. A filter of blanks is nil: every record passes.
//
// Errors are of type *SyntaxError.
func Parse(s string, apps func(name string) []uint16) (Expr, error) {
	p := parser{lexer: lexer{in: s}, apps: apps}
	if len(s) > MaxLength {
		return nil, p.errorAt(MaxLength, fmt.Sprintf("the filter is %d bytes long, %d are allowed", len(s), MaxLength), "")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == endToken {
		return nil, nil
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != endToken {
		return nil, p.unexpected()
	}
	return e, nil
}

// A parser reads by recursive descent; tok is the token that comes next.
type parser struct {
	lexer
	tok   token
	depth int
	apps  func(name string) []uint16
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

// enter counts one level of nesting; leave ends it.
func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return p.errorAt(p.tok.pos, fmt.Sprintf("nested more than %d deep", MaxDepth), "")
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) or() (Expr, error) {
	left, err := p.and()
	for err == nil && p.tok.kind == orToken {
		if err = p.advance(); err != nil {
			break
		}
		var right Expr
		right, err = p.and()
		left = Or{left, right}
	}
	return left, err
}

func (p *parser) and() (Expr, error) {
	left, err := p.unary()
	for err == nil && p.tok.kind == andToken {
		if err = p.advance(); err != nil {
			break
		}
		var right Expr
		right, err = p.unary()
		left = And{left, right}
	}
	return left, err
}

func (p *parser) unary() (Expr, error) {
	switch p.tok.kind {
	case notToken:
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		if err := p.advance(); err != nil {
			return nil, err
		}
		x, err := p.unary()
		return Not{x}, err
	case openToken:
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		if err := p.advance(); err != nil {
			return nil, err
		}
		x, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.tok.kind != closeToken {
			return nil, p.unexpected()
		}
		return x, p.advance()
	case wordToken:
		return p.primitives()
	case quotedToken:
		return nil, p.errorAt(p.tok.pos, p.tok.String()+" stands alone", "write name "+p.tok.String())
	}
	return nil, p.unexpected()
}

// unexpected says that the next token cannot stand where it stands.
func (p *parser) unexpected() error {
	hint := ""
	switch p.tok.kind {
	case endToken:
		return p.errorAt(p.tok.pos, "the filter ends too early", "")
	case closeToken:
		if p.depth == 0 {
			hint = "it closes nothing"
		}
	case wordToken, quotedToken, notToken, openToken:
		hint = `is "and" or "or" missing before it?`
		if p.tok.kind == wordToken && !isKeyword(p.tok.text) {
			if w := nearest(strings.ToLower(p.tok.text), []string{"and", "or"}); w != "" {
				hint = fmt.Sprintf("did you mean %q?", w)
			}
		}
	case opToken:
		hint = "only bytes and packets are compared; elsewhere the value follows the word: port 443"
	}
	return p.errorAt(p.tok.pos, "unexpected "+p.tok.String(), hint)
}

// primitives reads one primitive, or a protocol with the primitive that it may
// stand before, as in "ip6 tcp port 443".
func (p *parser) primitives() (Expr, error) {
	word := strings.ToLower(p.tok.text)
	e, err := p.primitive()
	joined := false
	for err == nil && p.tok.kind == wordToken && mayPrecede(word, strings.ToLower(p.tok.text)) {
		if !joined {
			if err := p.enter(); err != nil {
				return nil, err
			}
			defer p.leave()
			joined = true
		}
		word = strings.ToLower(p.tok.text)
		var right Expr
		right, err = p.primitive()
		e = And{e, right}
	}
	return e, err
}

// mayPrecede reports whether a primitive that starts with word may be followed
// by one that starts with next, without "and" between them.
func mayPrecede(word, next string) bool {
	_, family := families[word]
	_, proto := protoWord(word)
	if !family && !proto {
		return false
	}
	switch next {
	case "host", "net", "port", "portrange", "client", "server", "src", "dst":
		return true
	case "proto":
		return family
	}
	_, nextProto := protoWord(next)
	return family && nextProto
}

// families holds the words for the versions of IP.
var families = map[string]FamilyIs{
	"ip": {}, "ip4": {}, "ipv4": {},
	"ip6": {IPv6: true}, "ipv6": {IPv6: true},
}

// protoWord returns the protocol that a word stands for. Numbers are not words.
func protoWord(word string) (flow.Proto, bool) {
	if word == "icmpv6" {
		return flow.ICMPv6, true
	}
	if word == "" || word[0] >= '0' && word[0] <= '9' {
		return 0, false
	}
	return flow.ParseProto(word)
}

// keywords holds the words that start a primitive, for hints.
var keywords = []string{
	"host", "net", "port", "portrange", "client", "server", "src", "dst",
	"proto", "app", "name", "vlan", "observer", "bytes", "packets", "ip", "ip6",
	"tcp", "udp", "icmp", "icmp6", "sctp", "gre", "esp",
	"not", "and", "or",
}

func isKeyword(word string) bool {
	word = strings.ToLower(word)
	for _, k := range keywords {
		if word == k {
			return true
		}
	}
	_, ok := protoWord(word)
	return ok
}
