//go:build conformance

package conformance

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/portolan/portolan/internal/packet"
)

// comparableLinks are the link types that tshark and we read by the same rules:
// NULL, Ethernet, raw IP, Linux cooked.
var comparableLinks = []string{"dlt=0", "dlt=1", "dlt=12", "dlt=101", "dlt=113", "dlt=228", "dlt=229", "dlt=276"}

// shortStride is that every so manieth file is compared under -short.
const shortStride = 4

// differentCount is the class of files in which tshark counts other frames.
const differentCount = "frames in the file"

// A conversation is what both sides know of one.
type conversation struct {
	lower, higher string // ends
	proto         string
}

func makeConversation(a, b, proto string) conversation {
	return conversation{min(a, b), max(a, b), proto}
}

// sums are what is compared of a file as a whole.
type sums struct {
	packets, bytes uint64
	conversations  map[conversation]bool
}

// A verdict is the comparison of a file.
type verdict struct {
	name          string
	frames        int
	ours, theirs  sums
	differences   map[string]int    // frames by class
	examples      map[string]string // a frame of each class
	only, missing int               // conversations that we alone have, and that tshark alone has
}

func (v *verdict) differ(class string, frame int, w *witness, h *packet.Headers) {
	v.differences[class]++
	if v.examples[class] == "" {
		k := h.Tuple.Key(h.Reversed)
		v.examples[class] = fmt.Sprintf("frame %d: %s %+v; ours: %v, %d bytes, %+v", frame+1, w.text, w.layers, h.Reason, h.Bytes, k)
	}
}

// add counts what both sides make of a frame. ICMP errors belong to the
// conversation that they quote for us, to none for tshark: they are left out of
// the conversations.
func (v *verdict) add(frame int, w *witness, h *packet.Headers) {
	if h.Reason == packet.None {
		v.ours.add(h.Bytes)
		if !h.ICMPError {
			v.ours.conversations[ours(h)] = true
		}
	}
	if n := len(w.layers); n > 0 {
		inner := w.layers[n-1]
		v.theirs.add(inner.bytes)
		if !h.ICMPError {
			v.theirs.conversations[theirs(&inner)] = true
		}
	}
	if class := compare(w, h); class != "" {
		v.differ(class, frame, w, h)
	}
}

func (s *sums) add(bytes uint32) {
	s.packets++
	s.bytes += uint64(bytes)
}

// ours names a conversation as theirs does.
func ours(h *packet.Headers) conversation {
	k := h.Tuple.Key(h.Reversed)
	proto := "other"
	for name, p := range protoNames {
		if p == k.Proto {
			proto = name
		}
	}
	if proto == "icmp" || proto == "icmpv6" || h.Later {
		k.ClientPort, k.ServerPort = 0, 0
		if h.Later {
			proto = "other"
		}
	}
	return makeConversation(end(k.ClientAddrPort()), end(k.ServerAddrPort()), proto)
}

func theirs(l *layer) conversation {
	proto := "other"
	if _, ok := protoNames[l.proto]; ok {
		proto = l.proto
	}
	return makeConversation(end(netip.AddrPortFrom(l.src, l.sport)), end(netip.AddrPortFrom(l.dst, l.dport)), proto)
}

func end(a netip.AddrPort) string { return fmt.Sprint(a.Addr().Unmap(), " ", a.Port()) }

// compare returns the class of difference, "" = none.
func compare(w *witness, h *packet.Headers) string {
	n := len(w.layers)
	switch {
	case h.Reason != packet.None && n == 0:
		return ""
	case n == 0:
		return "only we see IP" + broken(w)
	case h.Reason != packet.None:
		return "only tshark sees IP, we say: " + h.Reason.String() + broken(w)
	}
	c, inner := ours(h), w.layers[n-1]
	switch {
	case h.ICMPError: // its tuple is of the packet that it quotes
		if h.Bytes != inner.bytes {
			return "bytes of an ICMP error"
		}
	case c == theirs(&inner):
		switch {
		case h.Bytes != inner.bytes:
			return "bytes" + broken(w)
		case h.Tuple.VLAN() != w.vlan:
			return "VLAN"
		}
	default:
		for i := range n - 1 {
			if c == theirs(&w.layers[i]) {
				return "tshark looks deeper" + broken(w)
			}
		}
		return "conversation" + broken(w)
	}
	return ""
}

func broken(w *witness) string {
	if w.broken {
		return ", malformed to tshark"
	}
	return ""
}

// compareFile compares all frames of a file.
func compareFile(t *testing.T, f *listed) (*verdict, error) {
	witnesses, err := tshark(t.Context(), f.path)
	if err != nil {
		return nil, err
	}
	v := &verdict{name: f.name, differences: map[string]int{}, examples: map[string]string{}}
	v.ours.conversations, v.theirs.conversations = map[conversation]bool{}, map[conversation]bool{}
	_, err = read(f.path, func(_ *packet.Frame, h *packet.Headers) {
		if v.frames < len(witnesses) {
			v.add(v.frames, &witnesses[v.frames], h)
		}
		v.frames++
	})
	if v.frames != len(witnesses) {
		v.differences[differentCount] = max(v.frames-len(witnesses), len(witnesses)-v.frames)
		v.examples[differentCount] = fmt.Sprintf("%d, tshark %d", v.frames, len(witnesses))
	}
	for c := range v.ours.conversations {
		if !v.theirs.conversations[c] {
			v.only++
		}
	}
	for c := range v.theirs.conversations {
		if !v.ours.conversations[c] {
			v.missing++
		}
	}
	return v, err
}

// TestAgreesWithTshark compares the innermost IP packet of every frame, its
// bytes and its conversation, with what tshark finds. Differences must be
// known, with a reason.
func TestAgreesWithTshark(t *testing.T) {
	files := listedFiles(t)
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Fatal("no tshark: scripts/setup.sh test installs it")
	}
	var (
		mu       sync.Mutex
		verdicts []*verdict
		group    errgroup.Group
		seen     int
	)
	group.SetLimit(2)
	for _, f := range files {
		if f.damaged || !slices.Contains(comparableLinks, f.links) {
			continue
		}
		if seen++; testing.Short() && seen%shortStride != 0 {
			continue
		}
		group.Go(func() error {
			v, err := compareFile(t, &f)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s: %v", f.name, err)
				return nil
			}
			verdicts = append(verdicts, v)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(verdicts, func(a, b *verdict) int { return cmp.Compare(a.name, b.name) })
	report(t, verdicts)
}

// report logs the sums and fails on what is not known.
func report(t *testing.T, verdicts []*verdict) {
	var frames, agreed, conversations, only, missing int
	var ours, theirs sums
	known := knownDifferences()
	counts := map[string]int{}
	for _, v := range verdicts {
		frames += v.frames
		agreed += v.frames
		ours.packets, ours.bytes = ours.packets+v.ours.packets, ours.bytes+v.ours.bytes
		theirs.packets, theirs.bytes = theirs.packets+v.theirs.packets, theirs.bytes+v.theirs.bytes
		conversations += len(v.ours.conversations)
		only, missing = only+v.only, missing+v.missing
		if v.only+v.missing > 0 && len(v.differences) == 0 {
			t.Errorf("%s: all frames are equal, but %d conversations are only here and %d only in tshark", v.name, v.only, v.missing)
		}
		for _, class := range slices.Sorted(maps.Keys(v.differences)) {
			n, at := v.differences[class], place{v.name, class}
			if class != differentCount {
				agreed -= n
			}
			k, ok := known[at]
			delete(known, at)
			if !ok || k.frames != n {
				t.Errorf("%s: %s: %d frames, %d known; %s", v.name, class, n, k.frames, v.examples[class])
				continue
			}
			counts[k.reason] += n
		}
	}
	if !testing.Short() {
		for at, k := range known {
			t.Errorf("%s: %s: no frame, %d known: is it mended? then forget it", at.file, at.class, k.frames)
		}
	}
	t.Logf("%d files, %d frames, %d of them equal (%.3f %%)", len(verdicts), frames, agreed, 100*float64(agreed)/float64(max(frames, 1)))
	t.Logf("IP packets %d, tshark %d; IP bytes %d, tshark %d", ours.packets, theirs.packets, ours.bytes, theirs.bytes)
	t.Logf("conversations %d; %d not in tshark's, %d of tshark's not in ours", conversations, only, missing)
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d frames: %s", counts[reason], reason)
	}
}
