package dissect

import "bytes"

const (
	appSMB1 = 16
	appSMB2 = 41
)

// recogniseSMB knows SMB 1 ([MS-CIFS]), 2 and 3 ([MS-SMB2]) by the mark of the
// header after the length of its transport. A client that begins with version 1
// may be answered in version 2: the answer counts.
func recogniseSMB(m *message) answer {
	const frame = 4 // a zero, and the length in three bytes
	b := m.data
	if b[0] != 0 {
		return m.notMine()
	}
	if len(b) < frame+4 {
		return m.moreIfUsual()
	}
	length := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	switch string(b[frame : frame+4]) {
	case "\xffSMB":
		return m.smb1(b[frame:], length)
	case "\xfeSMB":
		if length < 64 || len(b) > 9 && (b[8] != 64 || b[9] != 0) { // the header's size
			return m.notMine()
		}
	case "\xfdSMB": // encrypted
		if length < 52 {
			return m.notMine()
		}
	case "\xfcSMB": // compressed
		if length < 16 {
			return m.notMine()
		}
	default:
		return m.notMine()
	}
	m.useAll()
	m.carried(appSMB2)
	return done
}

// smb1 looks at a message of version 1, from its mark on.
func (m *message) smb1(b []byte, length int) answer {
	const header = 32
	if length < header+3 {
		return m.notMine()
	}
	if len(b) < 10 {
		return m.moreIfUsual()
	}
	const negotiate, reply = 0x72, 0x80
	if b[4] == negotiate && b[9]&reply == 0 {
		if len(b) > header+3 && !bytes.Contains(b, []byte("\x02SMB 2.")) {
			m.carried(appSMB1)
			return done
		}
		m.useAll()
		return mine
	}
	m.carried(appSMB1)
	return done
}

// carried says what the conversation is, or what it carries if it is a session
// of NetBIOS.
func (m *message) carried(id uint16) {
	if m.conv.app.Master == appNetBIOS {
		m.app(id)
		return
	}
	m.master(id)
}

// notMine says no, or uses up what the owner does not understand.
func (m *message) notMine() answer {
	if m.conv.owner == 0 {
		return no
	}
	m.useAll()
	return mine
}
