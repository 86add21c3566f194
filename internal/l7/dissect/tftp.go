package dissect

import "bytes"

const appTFTP = 96

// recogniseTFTP knows a request of TFTP by its mode (RFC 1350), and the answer
// to its options by their names (RFC 2347). Data alone says nothing.
func recogniseTFTP(m *message) answer {
	b := m.data
	if len(b) < 6 || b[0] != 0 {
		return no
	}
	first, rest, ok := bytes.Cut(b[2:], []byte{0})
	second, rest, both := bytes.Cut(rest, []byte{0})
	if !ok || !both || len(first) == 0 || !printable(first) || len(rest) > 0 && rest[len(rest)-1] != 0 {
		return no
	}
	switch b[1] {
	case 1, 2: // read, write
		if !isFoldOf(second, "octet", "netascii", "mail") {
			return no
		}
	case 6: // options
		if !isFoldOf(first, "blksize", "tsize", "timeout", "windowsize", "multicast") || digits(second, 10) == 0 {
			return no
		}
	default:
		return no
	}
	return done
}

// isFoldOf reports whether word is one of words, which are in lower case.
func isFoldOf(word []byte, words ...string) bool {
	for _, s := range words {
		if len(word) == len(s) && hasFold(word, s) {
			return true
		}
	}
	return false
}
