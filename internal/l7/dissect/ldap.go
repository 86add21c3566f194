package dissect

import (
	"bytes"

	"github.com/portolan/portolan/internal/flow"
)

const appLDAP = 112

// ldapStartTLS is the stage after the client's StartTLS (RFC 4511 section 4.14).
const ldapStartTLS uint8 = 1

// ldapOIDStartTLS names that operation.
const ldapOIDStartTLS = "1.3.6.1.4.1.1466.20037"

// Operations of LDAP (RFC 4511).
const (
	ldapBind         = 0x60
	ldapBound        = 0x61
	ldapSearch       = 0x63
	ldapEntry        = 0x64
	ldapSearched     = 0x65
	ldapExtended     = 0x77
	ldapExtendedDone = 0x78
)

// recogniseLDAP knows LDAP, and over UDP CLDAP, by an operation and how it
// begins.
func recogniseLDAP(m *message) answer {
	tag, b, rest, cut, ok := tlv(m.data)
	if len(m.data) < 2 || !ok && len(m.data) < 6 && m.data[0] == 0x30 {
		return m.moreIfUsual()
	}
	if !ok || tag != 0x30 || m.proto != flow.TCP && (cut || len(rest) > 0) {
		return m.notMine()
	}
	tag, id, b, partial, ok := tlv(b)
	if !ok || partial {
		return m.ldapShort(cut)
	}
	if tag != 2 || len(id) == 0 || len(id) > 4 || id[0] >= 0x80 {
		return m.notMine()
	}
	op, b, _, _, ok := tlv(b)
	if !ok {
		return m.ldapShort(cut)
	}
	a := ldapOperation(op, b, cut)
	switch {
	case a == more:
		return m.ldapShort(true)
	case a == no:
		return m.notMine()
	case op == ldapExtended && bytes.Contains(b, []byte(ldapOIDStartTLS)):
		m.reach(ldapStartTLS)
		m.useAll()
		return mine
	case op == ldapExtendedDone && m.at(ldapStartTLS):
		m.useAll()
		if b[2] == 0 {
			m.handOver()
		}
		return mine
	}
	return done
}

// ldapShort answers to what ends before it can be told.
func (m *message) ldapShort(cut bool) answer {
	if !cut {
		return m.notMine()
	}
	if m.conv.owner != 0 && !m.full {
		return mine
	}
	return m.moreIfUsual()
}

// ldapOperation looks at how an operation begins: mine if it fits, more if it is
// too short to tell.
func ldapOperation(op byte, b []byte, cut bool) answer {
	tag, first, b, partial, ok := tlv(b)
	if !ok || partial && op != ldapExtended {
		return ldapPartly(cut)
	}
	fits := false
	switch op {
	case ldapBind:
		fits = tag == 2 && len(first) == 1 && first[0] >= 1 && first[0] <= 3
	case ldapSearch, ldapEntry:
		fits = tag == 4
	case ldapBound, ldapSearched, ldapExtendedDone:
		fits = tag == 0x0a && len(first) == 1
	case ldapExtended:
		if partial {
			return ldapPartly(cut)
		}
		return ldapFits(tag == 0x80 && len(first) > 4 && first[1] == '.' && digits(first, 1) == 1)
	}
	if !fits {
		return no
	}
	tag, second, b, partial, ok := tlv(b)
	if !ok {
		return ldapPartly(cut)
	}
	switch op {
	case ldapBind:
		kind, _, _, _, ok := tlv(b)
		if !ok {
			return ldapPartly(cut)
		}
		return ldapFits(tag == 4 && (kind == 0x80 || kind == 0xa3))
	case ldapSearch:
		return ldapFits(tag == 0x0a && !partial && len(second) == 1 && second[0] <= 3)
	case ldapEntry:
		return ldapFits(tag == 0x30)
	}
	kind, _, _, _, ok := tlv(b) // the result's name, then its message
	if !ok {
		return ldapPartly(cut)
	}
	return ldapFits(tag == 4 && kind == 4)
}

func ldapFits(fits bool) answer {
	if fits {
		return mine
	}
	return no
}

func ldapPartly(cut bool) answer {
	if cut {
		return more
	}
	return no
}
