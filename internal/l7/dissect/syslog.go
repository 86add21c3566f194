package dissect

import "github.com/portolan/portolan/internal/flow"

const appSyslog = 17

// recogniseSyslog knows Syslog by its priority and what follows it: a version
// (RFC 5424) or a time (RFC 3164), at its port any text. Over TCP the length may
// stand in front (RFC 6587).
func recogniseSyslog(m *message) answer {
	b := m.data
	if m.proto == flow.TCP && b[0] != '<' {
		n := digits(b, 5)
		if n == len(b) {
			return m.moreIfUsual()
		}
		if n == 0 || b[n] != ' ' {
			return no
		}
		b = b[n+1:]
	}
	if len(b) == 0 {
		return m.moreIfUsual()
	}
	n := digits(b[1:], 3)
	if b[0] != '<' {
		return no
	}
	if n+1 >= len(b) {
		return m.moreIfUsual()
	}
	if n == 0 || b[n+1] != '>' || n == 3 && string(b[1:4]) > "191" {
		return no
	}
	b = b[n+2:]
	switch {
	case !printable(b) || len(b) < 2:
		return no
	case m.usual, isSyslog5424(b), isSyslog3164(b):
		return done
	}
	return no
}

// digits counts the digits that b begins with, at most limit.
func digits(b []byte, limit int) int {
	n := 0
	for n < len(b) && n < limit && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// isSyslog5424 reports whether b begins like "1 2003-10-11T" or "1 - ".
func isSyslog5424(b []byte) bool {
	if len(b) < 4 || b[0] != '1' || b[1] != ' ' {
		return false
	}
	return b[2] == '-' && b[3] == ' ' || len(b) > 12 && digits(b[2:], 4) == 4 && b[6] == '-' && b[9] == '-' && b[12] == 'T'
}

// isSyslog3164 reports whether b begins like "Oct 11 22:14:15 ".
func isSyslog3164(b []byte) bool {
	if len(b) < 16 || b[3] != ' ' || b[9] != ':' || b[12] != ':' || b[15] != ' ' {
		return false
	}
	return isWordOf(b[:3], months[:])
}

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
