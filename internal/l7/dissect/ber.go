package dissect

// tlv reads a tag and a length of BER, and returns what they announce; if that
// is cut, what there is of it, and cut is true. ok is false if it makes no
// sense.
func tlv(b []byte) (tag byte, value, rest []byte, cut, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, true, false
	}
	tag, n, at := b[0], int(b[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(b) < 2+size {
			return 0, nil, nil, false, false
		}
		n = 0
		for _, c := range b[2 : 2+size] {
			n = n<<8 | int(c)
		}
		at += size
	}
	if n < 0 || n > 1<<24 {
		return 0, nil, nil, false, false
	}
	if n > len(b)-at {
		return tag, b[at:], nil, true, true
	}
	return tag, b[at : at+n : at+n], b[at+n:], false, true
}
