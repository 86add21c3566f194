package dissect

// A streak remembers what a datagram said, while nobody knows whose it is, to
// see whether later ones go on from there.
type streak struct {
	key   uint32 // what stays
	seq   uint32 // what rises
	what  uint16 // whose streak it is
	count uint8  // datagrams that fitted, 0 = none
	reply bool   // which side says it
}

// A step is what one datagram says about its place in a streak.
type step struct {
	key, seq uint32
	what     uint16
	gap      uint32 // the sequence may rise by 1 to gap
	mask     uint32 // of the sequence: 0xffff if it has 16 bits
}

// follow counts the datagrams of one side that go on from each other, and
// returns how many there are, this one included. What does not fit begins
// anew; what the other side says is not counted.
func (m *message) follow(s step) uint8 {
	k := &m.conv.streak
	switch rise := (s.seq - k.seq) & s.mask; {
	case k.count == 0 || k.what != s.what:
	case k.reply != m.reply:
		return 0
	case k.key == s.key && rise > 0 && rise <= s.gap:
		k.seq = s.seq
		k.count = min(k.count+1, 100)
		return k.count
	}
	*k = streak{key: s.key, seq: s.seq, what: s.what, count: 1, reply: m.reply}
	return 1
}
