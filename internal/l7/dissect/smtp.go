package dissect

const appSMTP = 3

// smtpStartTLS is the stage after the client's STARTTLS (RFC 3207).
const smtpStartTLS uint8 = 1

// recogniseSMTP knows SMTP (RFC 5321) by the client's EHLO, or by a greeting
// that says so or comes from a usual port.
func recogniseSMTP(m *message) answer {
	line, a := m.text()
	if line == nil {
		return a
	}
	switch {
	case hasFold(line, "220"):
		if m.at(smtpStartTLS) {
			m.handOver()
			return mine
		}
		if len(line) < 5 || line[3] != ' ' && line[3] != '-' {
			return no
		}
		if m.conv.owner == 0 && (hasWord(line, "ftp") || !hasWord(line, "smtp") && !m.usual) {
			return no
		}
		m.greeting(line[4:])
		return mine
	case hasFold(line, "ehlo "), hasFold(line, "helo "), hasFold(line, "lhlo "):
		return mine
	case m.conv.owner == 0:
		return no
	case isFold(line, "starttls"):
		m.reach(smtpStartTLS)
	case hasFold(line, "mail from:"), hasFold(line, "quit"), hasFold(line, "auth "):
		return done
	}
	return mine
}
