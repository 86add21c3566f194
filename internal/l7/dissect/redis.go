package dissect

import "bytes"

const appRedis = 182

// recogniseRedis knows Redis by a command as clients write it: an array of bulk
// strings (RESP), and waits for the server's answer.
func recogniseRedis(m *message) answer {
	b := m.data
	if m.conv.owner != 0 {
		m.useAll()
		if _, v, ok := bytes.Cut(b, []byte("redis_version:")); ok {
			v, _, _ = cutLine(v)
			m.software(append([]byte("Redis "), v...))
		}
		if b[0] == '*' {
			return mine
		}
		return done
	}
	if b[0] != '*' {
		return no
	}
	rest, ok := respNumber(b[1:])
	if !ok || len(rest) > 0 && rest[0] != '$' {
		return no
	}
	if len(rest) == 0 {
		return m.moreIfUsual()
	}
	rest, ok = respNumber(rest[1:])
	if !ok || len(rest) == 0 || rest[0] < 'A' {
		return no
	}
	m.useAll()
	return mine
}

// respNumber cuts a number and the end of its line off.
func respNumber(b []byte) ([]byte, bool) {
	n := 0
	for n < len(b) && n < 9 && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	if n == 0 || len(b) < n+2 || b[n] != '\r' || b[n+1] != '\n' {
		return nil, false
	}
	return b[n+2:], true
}
