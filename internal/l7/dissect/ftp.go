package dissect

const appFTP = 1

const ftpStartTLS uint8 = 1

// recogniseFTP knows the control connection of FTP (RFC 959) by a greeting that
// says so, or that comes from the usual port; after that it waits for TLS (RFC
// 4217).
func recogniseFTP(m *message) answer {
	line, a := m.text()
	if line == nil {
		return a
	}
	switch {
	case m.conv.owner == 0:
		if !hasFold(line, "220 ") && !hasFold(line, "220-") || !m.isPort(21) && !hasWord(line, "ftp") || hasWord(line, "smtp") {
			return no
		}
		m.greeting(line[4:])
	case hasFold(line, "auth "):
		m.reach(ftpStartTLS)
	case hasFold(line, "234") && m.at(ftpStartTLS):
		m.handOver()
	case hasFold(line, "user "), hasFold(line, "quit"):
		return done
	}
	return mine
}
