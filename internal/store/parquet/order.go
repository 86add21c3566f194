package parquet

import (
	"cmp"
	"math/bits"
	"slices"
)

// The layouts of what is stored.
var (
	flowLayout = layoutOf[flowRow]()
	edgeLayout = layoutOf[edgeRow]()
	lossLayout = layoutOf[lossRow]()
)

// Places of columns of flows.
var (
	flowClient, flowServer = flowLayout.index("client"), flowLayout.index("server")
	flowClientPort         = flowLayout.index("client_port")
	flowServerPort         = flowLayout.index("server_port")
	flowProto, flowVLAN    = flowLayout.index("proto"), flowLayout.index("vlan")
	flowMaster, flowApp    = flowLayout.index("app_master"), flowLayout.index("app")
	flowGuess              = flowLayout.index("app_guess")
	flowObserver           = flowLayout.index("observer")
	flowStart, flowEnd     = flowLayout.index("start_time"), flowLayout.index("end_time")
	flowCounters           = flowLayout.index("packets_to_server") // and three more
	flowEvidence           = flowLayout.index("evidence")
	flowID, flowSlice      = flowLayout.index("flow_id"), flowLayout.index("slice")
)

// edgeOrder are the columns that tell edges apart, in the order of rows.
var edgeOrder = []int{flowServer, flowServerPort, flowClient, flowProto, flowMaster, flowApp, flowVLAN, flowObserver}

// An entry is a row that is being sorted, with as much of its edge as a word
// holds.
type entry struct {
	key uint64
	row uint32
}

// sortRows sorts settled rows in the order of flowRow.compare: by radix over
// the first of what tells edges apart, then rows that are equal in that.
func sortRows(c *columns[flowRow]) {
	if c.rows < 2 {
		return
	}
	entries, keyBits := keys(c)
	entries = radixSort(entries, make([]entry, len(entries)), keyBits)
	compare := comparer(c)
	for i := 0; i < len(entries); {
		j := i + 1
		for j < len(entries) && entries[j].key == entries[i].key {
			j++
		}
		if j > i+1 {
			slices.SortFunc(entries[i:j], compare)
		}
		i = j
	}
	order := make([]uint32, len(entries))
	for i := range entries {
		order[i] = entries[i].row
	}
	c.permute(order)
}

// keys returns the entries of all rows and how many bits their keys have:
// server, port, client and protocol, or what of them a word holds.
func keys(c *columns[flowRow]) ([]entry, int) {
	server, port := c.columns[flowServer].codes, c.columns[flowServerPort].codes
	client, proto := c.columns[flowClient].codes, c.columns[flowProto].codes
	clientBits := bits.Len(uint(len(c.columns[flowClient].addresses.values)))
	serverBits := bits.Len(uint(len(c.columns[flowServer].addresses.values)))
	entries := make([]entry, c.rows)
	if serverBits+16+clientBits+8 > 64 {
		for i := range entries {
			entries[i] = entry{uint64(server[i])<<16 | uint64(port[i]), uint32(i)}
		}
		return entries, serverBits + 16
	}
	for i := range entries {
		edge := (uint64(server[i])<<16|uint64(port[i]))<<clientBits | uint64(client[i])
		entries[i] = entry{edge<<8 | uint64(proto[i]), uint32(i)}
	}
	return entries, serverBits + 16 + clientBits + 8
}

// comparer compares rows whole. Input comes in the order of time, mostly.
func comparer(c *columns[flowRow]) func(a, b entry) int {
	edge := make([][]uint32, len(edgeOrder))
	for i, at := range edgeOrder {
		edge[i] = c.columns[at].codes
	}
	start, end, id := c.columns[flowStart].words, c.columns[flowEnd].words, c.columns[flowID].words
	return func(a, b entry) int {
		for _, codes := range edge {
			if x, y := codes[a.row], codes[b.row]; x != y {
				return cmp.Compare(x, y)
			}
		}
		if x, y := end[a.row], end[b.row]; x != y {
			return cmp.Compare(int64(x), int64(y))
		}
		if x, y := start[a.row], start[b.row]; x != y {
			return cmp.Compare(int64(x), int64(y))
		}
		return cmp.Compare(id[a.row], id[b.row])
	}
}

// radixBits is how many bits of the keys a pass sorts by.
const radixBits = 11

// radixSort sorts entries by keys of so many bits, and keeps the order of
// equals. It returns entries or spare, which is as long.
func radixSort(entries, spare []entry, keyBits int) []entry {
	for shift := 0; shift < keyBits; shift += radixBits {
		var next [1 << radixBits]uint32
		for i := range entries {
			next[entries[i].key>>shift&(1<<radixBits-1)]++
		}
		if int(next[entries[0].key>>shift&(1<<radixBits-1)]) == len(entries) {
			continue
		}
		sum := uint32(0)
		for digit, n := range next {
			next[digit], sum = sum, sum+n
		}
		for i := range entries {
			digit := entries[i].key >> shift & (1<<radixBits - 1)
			spare[next[digit]] = entries[i]
			next[digit]++
		}
		entries, spare = spare, entries
	}
	return entries
}

// sameEdge returns a function that tells whether a row is of the same edge as
// the one before.
func sameEdge(c *columns[flowRow]) func(row int) bool {
	server, port := c.columns[flowServer].codes, c.columns[flowServerPort].codes
	client, proto := c.columns[flowClient].codes, c.columns[flowProto].codes
	master, app := c.columns[flowMaster].codes, c.columns[flowApp].codes
	vlan, observer := c.columns[flowVLAN].codes, c.columns[flowObserver].codes
	return func(i int) bool {
		return client[i] == client[i-1] && port[i] == port[i-1] && server[i] == server[i-1] &&
			proto[i] == proto[i-1] && app[i] == app[i-1] && master[i] == master[i-1] &&
			vlan[i] == vlan[i-1] && observer[i] == observer[i-1]
	}
}

// edgeOf returns the roll-up of one row, for the bucket that starts at from.
func edgeOf(c *columns[flowRow], row int, from int64) edgeRow {
	code := func(column int) uint32 { return c.columns[column].codes[row] }
	word := func(column int) uint64 { return c.columns[column].words[row] }
	e := edgeRow{
		Client:     c.columns[flowClient].addresses.values[code(flowClient)].bytes(),
		Server:     c.columns[flowServer].addresses.values[code(flowServer)].bytes(),
		ServerPort: uint16(code(flowServerPort)), Proto: uint8(code(flowProto)), VLAN: uint16(code(flowVLAN)),
		Master: uint16(code(flowMaster)), App: uint16(code(flowApp)), Guess: code(flowGuess) != 0,
		Observer: c.columns[flowObserver].texts.values[code(flowObserver)], From: from,
		PacketsToServer: word(flowCounters), BytesToServer: word(flowCounters + 1),
		PacketsToClient: word(flowCounters + 2), BytesToClient: word(flowCounters + 3),
		First: int64(word(flowStart)), Last: int64(word(flowEnd)), Evidence: uint8(code(flowEvidence)),
	}
	if code(flowSlice) == 0 {
		e.Flows = 1
	}
	return e
}

// take adds what c's rows say to f.
func (f *facts) take(c *columns[flowRow]) {
	if c.rows == 0 {
		return
	}
	start, _ := bounds(c.columns[flowStart].words, true)
	_, end := bounds(c.columns[flowEnd].words, true)
	for i, observer := range c.columns[flowObserver].texts.values {
		records := uint64(0)
		if i == 0 {
			records = uint64(c.rows)
		}
		f.see(int64(start), int64(end), observer, records)
	}
}
