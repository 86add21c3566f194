package dissect

const appVNC = 89

// recogniseVNC knows VNC by the twelve bytes that either side says first (RFC
// 6143 section 7.1.1).
func recogniseVNC(m *message) answer {
	const form = "RFB 000.000\n"
	b := m.data
	for i := range min(len(b), len(form)) {
		if form[i] == '0' && b[i] >= '0' && b[i] <= '9' {
			continue
		}
		if b[i] != form[i] {
			return no
		}
	}
	if len(b) < len(form) {
		return m.moreIfUsual()
	}
	return done
}
