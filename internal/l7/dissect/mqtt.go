package dissect

const appMQTT = 222

// recogniseMQTT knows MQTT by the client's first packet: the protocol's name
// and version (MQTT 3.1, 3.1.1 and 5.0, section 3.1).
func recogniseMQTT(m *message) answer {
	b := m.data
	if b[0] != 0x10 {
		return no
	}
	length, at := 0, 1
	for ; ; at++ {
		if at >= len(b) {
			return m.moreIfUsual()
		}
		if at > 4 {
			return no
		}
		length |= int(b[at]&0x7f) << (7 * (at - 1))
		if b[at] < 0x80 {
			break
		}
	}
	rest := b[at+1:]
	for _, begin := range [...]string{"\x00\x04MQTT\x04", "\x00\x04MQTT\x05", "\x00\x06MQIsdp\x03"} {
		n := min(len(rest), len(begin))
		switch {
		case string(rest[:n]) != begin[:n] || length < len(begin)+5:
			continue
		case len(rest) < len(begin)+1:
			return m.moreIfUsual()
		case rest[len(begin)]&1 != 0: // a bit that is reserved
			return no
		}
		return done
	}
	return no
}
