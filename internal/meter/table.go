// Package meter turns decoded packets into flow records.
package meter

import (
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"time"
	"unsafe"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

// batchSize is how many packets are looked up together, so that their cache
// misses overlap. 16 cost 10 ns a packet more at a million flows, 256 save 4.
const batchSize = 64

// recordBatch is how many records are handed on together.
const recordBatch = 512

// A Table holds the conversations that go on. It belongs to one goroutine: one
// table a worker, nothing is locked.
//
// Time is that of the packets, so that a file gives the same records however
// fast it is read. The same packets in the same batches give the same records,
// whatever the seed.
//
// Memory is taken as it is needed and returned by Close.
type Table struct {
	cfg  Config
	emit func(*flow.Batch) error
	out  flow.Batch
	err  error // what ended the table

	index index
	hot   []hot
	cold  []cold
	began []int64 // the clock when the slice began; apart from cold, for the sweep
	said  []said  // by record, as long as the identifier made it
	due   []int64 // the clock before which the sweep need not look; 0 = no conversation
	mem   [4]mapping
	high  uint32 // records from here on were never used
	spare uint32 // first of the chain of free records below high, plus 1
	evict uint32 // where the search for a victim goes on

	clock     clock
	sweeper   sweeper
	endpoints endpoints
	fragments fragments
	observers observers

	pending   int
	unhurried bool // do not prefetch; for measuring what that saves
	stats     Stats
}

// Stats counts what a table did since it was made.
type Stats struct {
	Packets, Bytes uint64 // observed
	Live           int    // conversations in the table now
	Created        uint64 // conversations
	Exported       uint64 // records, the sum of Causes
	Causes         [6]uint64
	Early          uint64 // conversations that ended because the table was full

	Retransmits, OutOfOrder, ZeroWindows, Resets uint64

	ICMPErrors        uint64 // that were counted to the conversation they complain of
	FragmentsJoined   uint64 // later fragments whose ports were known from the first
	FragmentsUnjoined uint64 // those counted to a conversation without ports
	Unidentified      uint64 // conversations not shown to the identifier: too many were pending
	ClockSteps        uint64 // times that packet time went back for good
	Rotations         uint64 // times that older evidence of direction was forgotten
}

// New returns an empty table. emit takes what it exports; it borrows the batch
// until it returns, and must not use the table. Its error ends the table.
func New(cfg Config, emit func(*flow.Batch) error) (*Table, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if emit == nil {
		return nil, errors.New("meter: nobody takes the records")
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	t := &Table{cfg: cfg, emit: emit, out: flow.Batch{Records: make([]flow.Record, 0, recordBatch)}}
	t.sweeper.timeouts(&cfg)
	if err := t.allocate(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Table) allocate() (err error) {
	if t.index, err = newIndex(); err != nil {
		return err
	}
	n := t.cfg.MaxFlows
	if t.mem[0], err = newMapping(size[hot](n)); err != nil {
		return err
	}
	if t.mem[1], err = newMapping(size[cold](n)); err != nil {
		return err
	}
	if t.mem[2], err = newMapping(size[int64](n)); err != nil {
		return err
	}
	if t.mem[3], err = newMapping(size[int64](n)); err != nil {
		return err
	}
	t.hot, t.cold = view[hot](t.mem[0], n), view[cold](t.mem[1], n)
	t.began, t.due = view[int64](t.mem[2], n), view[int64](t.mem[3], n)
	if t.endpoints, err = newEndpoints(t.cfg.Seed); err != nil {
		return err
	}
	t.fragments, err = newFragments(t.cfg.Seed)
	return err
}

// Close returns the table's memory. What was not flushed is lost. The table is
// of no use afterwards, but for Stats.
func (t *Table) Close() {
	t.index.free()
	for _, m := range t.mem {
		m.free()
	}
	t.mem = [4]mapping{}
	t.hot, t.cold, t.began, t.due, t.said = nil, nil, nil, nil, nil
	t.endpoints.free()
	t.fragments.free()
	t.stats.Live = 0
	if t.err == nil {
		t.err = errors.New("meter: the table is closed")
	}
}

// Stats returns the counts so far.
func (t *Table) Stats() Stats {
	t.stats.Rotations, t.stats.ClockSteps = t.endpoints.rotations, t.clock.steps
	return t.stats
}

// Observe counts packets. headers[i] is what was decoded of frames[i]; frames
// may be nil if there is no identifier. Headers with a reason are left out:
// they have no conversation. Both are borrowed until Observe returns.
//
// The error is that of emit, and stays.
func (t *Table) Observe(frames []packet.Frame, headers []packet.Headers) error {
	for len(headers) > 0 && t.err == nil {
		n := t.run(headers)
		t.clock.raise(packetTime(&headers[0]))
		t.sweep()
		t.observe(frames[:min(n, len(frames))], headers[:n])
		headers = headers[n:]
		frames = frames[min(n, len(frames)):]
	}
	return t.err
}

// run returns how many packets may go together: so few that no timeout falls
// between the first and the last.
func (t *Table) run(headers []packet.Headers) int {
	for i := range headers[:min(batchSize, len(headers))] {
		if headers[i].Time-headers[0].Time > int64(time.Second) {
			return i
		}
	}
	return min(batchSize, len(headers))
}

// observe counts one batch, in three steps over all packets: ask for the slots
// of the index, ask for the records, count. The processor waits for many
// packets' memory at once.
func (t *Table) observe(frames []packet.Frame, headers []packet.Headers) {
	var tags [batchSize]uint32
	var addrs [batchSize]uintptr
	for i := range headers {
		h := &headers[i]
		tags[i&(batchSize-1)] = t.tag(&h.Tuple, t.observer(h.Iface))
	}
	if !t.unhurried {
		first := uintptr(unsafe.Pointer(unsafe.SliceData(t.index.slots)))
		for i := range headers {
			addrs[i&(batchSize-1)] = first + uintptr(t.index.home(tags[i&(batchSize-1)]))*8
		}
		prefetch(&addrs[0], len(headers))
		first = uintptr(unsafe.Pointer(unsafe.SliceData(t.hot)))
		for i := range headers {
			slot := t.index.slots[t.index.home(tags[i&(batchSize-1)])&t.index.mask()]
			// An empty slot asks for what stands before the records, in vain.
			addrs[i&(batchSize-1)] = first + uintptr(uint32(slot))*unsafe.Sizeof(hot{}) - unsafe.Sizeof(hot{})
		}
		prefetch(&addrs[0], len(headers))
	}
	for i := range headers {
		h := &headers[i]
		if h.Reason != packet.None {
			continue
		}
		var f *packet.Frame
		if i < len(frames) {
			f = &frames[i]
		}
		if h.Fragment || h.ICMPError {
			t.special(h, f, tags[i&(batchSize-1)])
			continue
		}
		t.packet(h, f, &h.Tuple, tags[i&(batchSize-1)], h.Reversed)
	}
}

// tag returns the hash of a tuple as one observer sees it.
func (t *Table) tag(tuple *packet.Tuple, observer uint8) uint32 {
	return uint32(tuple.Hash(t.cfg.Seed+uint64(observer)*oddConstant) >> 32)
}

// oddConstant is 2^64 divided by the golden ratio.
const oddConstant = 0x9e3779b97f4a7c15

// packet counts a packet that is no ICMP error to the conversation of tuple.
func (t *Table) packet(h *packet.Headers, f *packet.Frame, tuple *packet.Tuple, tag uint32, reversed bool) {
	var d uint
	if reversed {
		d = 1
	}
	t.clock.advance(packetTime(h))
	n := t.conversation(h, tuple, tag, d)
	r := &t.hot[n]
	t.add(n, r, h, d)
	r.state |= seen << d
	switch r.proto() {
	case flow.TCP:
		t.segment(n, r, h, d)
	case flow.ICMP, flow.ICMPv6:
		t.cold[n].message(h, d)
	}
	if r.state&pending != 0 && h.PayloadLen > 0 && !h.Later && f != nil {
		t.identify(n, r, h, f, d)
	}
}

// conversation returns the record of the conversation that a packet belongs
// to, which may be a new one.
func (t *Table) conversation(h *packet.Headers, tuple *packet.Tuple, tag uint32, d uint) uint32 {
	last := tuple[4] | packObserver(t.observer(h.Iface))
	n, ok := t.find(tuple, last, tag)
	if !ok {
		n = t.place()
		t.index.insert(tag, n)
		t.begin(n, h, tuple, last, d)
		return n
	}
	r := &t.hot[n]
	if quiet := t.clock.now - r.last; quiet > t.sweeper.shortest && quiet > t.sweeper.patience(r) {
		t.end(n, r.cause(flow.IdleTimeout))
		t.begin(n, h, tuple, last, d)
	} else if h.TCPFlags&(flagSYN|flagRST) == flagSYN && !h.ICMPError && r.reopened(&t.cold[n], h, d) {
		t.end(n, flow.EndOfFlow)
		t.begin(n, h, tuple, last, d)
	}
	return n
}

func (t *Table) find(tuple *packet.Tuple, last uint64, tag uint32) (uint32, bool) {
	slots, mask := t.index.slots, t.index.mask()
	for i := t.index.home(tag); ; i++ {
		slot := slots[i&mask]
		if slot == 0 {
			return 0, false
		}
		if uint32(slot>>32) == tag {
			if n := uint32(slot) - 1; t.hot[n].is(tuple, last) {
				return n, true
			}
		}
	}
}

// place returns a record for a new conversation, if need be that of another.
func (t *Table) place() uint32 {
	if t.spare == 0 && int(t.high) == len(t.hot) || t.index.full() {
		n := t.victim()
		t.stats.Early++
		t.end(n, t.hot[n].cause(flow.LackOfMemory))
		t.drop(n)
	}
	if n := t.spare; n != 0 {
		t.spare = uint32(t.hot[n-1].key[0])
		return n - 1
	}
	t.high++
	return t.high - 1
}

// victims is among how many records the quietest is given up. They are
// neighbours: looking at them is as cheap as it gets.
const victims = 16

func (t *Table) victim() uint32 {
	best := -1
	for looked := 0; best < 0 || looked < victims; looked++ {
		t.evict = (t.evict + 1) % t.high
		if r := &t.hot[t.evict]; r.state != 0 && (best < 0 || r.last < t.hot[best].last) {
			best = int(t.evict)
		}
	}
	return uint32(best)
}

// begin makes a record that of a new conversation, whose first packet is h. An
// ICMP error answers a packet that was not seen: its receiver spoke first.
func (t *Table) begin(n uint32, h *packet.Headers, tuple *packet.Tuple, last uint64, d uint) {
	if h.ICMPError {
		d = 1 - d
	}
	t.stats.Created++
	t.stats.Live++
	r, c := &t.hot[n], &t.cold[n]
	*r = hot{key: *tuple, last: t.clock.now, state: live | empty}
	t.due[n] = math.MaxInt64 // until its first packet is counted
	r.key[4] = last
	*c = cold{iface: h.Iface, id: identity(tuple, h.Time, t.stats.Created)}
	if d == 1 {
		c.bits |= firstSecond
	}
	if t.cfg.Identifier != nil {
		t.startIdentify(r)
	}
	t.endpoints.met(tuple, h, d)
}

// identity returns a number for a conversation that does not depend on the
// seed: the same capture gives the same numbers.
func identity(tuple *packet.Tuple, start int64, created uint64) uint64 {
	return mix(tuple.Hash(uint64(start)), created*oddConstant)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}

// add counts a packet and its time.
func (t *Table) add(n uint32, r *hot, h *packet.Headers, d uint) {
	t.stats.Packets++
	t.stats.Bytes += uint64(h.Bytes)
	c := &t.cold[n]
	at := packetTime(h)
	if r.state&empty != 0 {
		r.state &^= empty
		c.start, r.last, t.began[n] = at, at, t.clock.now
		t.hasten(n, r)
	}
	switch {
	case t.clock.behind(at) || r.state&late != 0:
		if r.state&late == 0 {
			r.state |= late
			c.end = r.last
		}
		c.start, c.end = min(c.start, at), max(c.end, at)
		r.last = t.clock.now
	case at >= r.last:
		r.last = at
	default:
		c.start = min(c.start, at)
	}
	r.count(c, h.Bytes, d)
}

// special counts fragments and ICMP errors, whose tuple is not all there is
// to know.
func (t *Table) special(h *packet.Headers, f *packet.Frame, tag uint32) {
	tuple, reversed := h.Tuple, h.Reversed
	switch {
	case h.ICMPError:
		t.stats.ICMPErrors++
		var d uint
		if reversed {
			d = 1
		}
		t.clock.advance(packetTime(h))
		n := t.conversation(h, &tuple, tag, d)
		t.add(n, &t.hot[n], h, d)
		return
	case !h.Later:
		t.fragments.keep(h, t.clock.now)
	default:
		joined := t.fragments.join(h, t.clock.now, &tuple, &reversed)
		if !joined {
			t.stats.FragmentsUnjoined++
			break
		}
		t.stats.FragmentsJoined++
		tag = t.tag(&tuple, t.observer(h.Iface))
	}
	t.packet(h, f, &tuple, tag, reversed)
}

// drop frees a record whose conversation has ended.
func (t *Table) drop(n uint32) {
	r := &t.hot[n]
	tuple := r.tuple()
	t.index.remove(t.tag(&tuple, unpackObserver(r.key[4])), n)
	*r = hot{}
	t.due[n] = 0
	r.key[0] = uint64(t.spare)
	t.spare = n + 1
}
