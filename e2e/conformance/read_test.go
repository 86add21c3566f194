//go:build conformance

package conformance

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/packet"
)

// fileLimit is how long reading one file may take.
const fileLimit = 30 * time.Second

// A tally is what became of the frames of a file.
type tally struct {
	frames  uint64
	reasons [packet.NumReasons]uint64 // of frames; packet.None = decoded
	damage  error                     // what ended the file, nil = its end
}

// read decodes all frames of a file and calls each, if not nil, for every one.
func read(path string, each func(*packet.Frame, *packet.Headers)) (tally, error) {
	var c tally
	f, err := capture.Open(path)
	if err != nil {
		c.damage = err
		return c, nil
	}
	defer f.Close()
	end := time.Now().Add(fileLimit)
	var frames [64]packet.Frame
	var h packet.Headers
	for {
		n, err := f.ReadBatch(frames[:])
		for i := range n {
			h.Decode(&frames[i])
			c.frames++
			c.reasons[h.Reason]++
			if each != nil {
				each(&frames[i], &h)
			}
		}
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			if _, ok := errors.AsType[*capture.Error](err); !ok {
				return c, err
			}
			c.damage = err
			return c, nil
		}
		if time.Now().After(end) {
			return c, errors.New("still reading after " + fileLimit.String())
		}
	}
}

// TestReadsEveryFile reads all captures: none may hang or panic, all packets
// that the list knows must come, and each is decoded or counted by reason.
func TestReadsEveryFile(t *testing.T) {
	var total tally
	var files, damaged int
	for _, f := range listedFiles(t) {
		c, err := read(f.path, nil)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		files++
		if c.frames != f.packets {
			t.Errorf("%s: %d packets, want %d (ended by: %v)", f.name, c.frames, f.packets, c.damage)
		}
		if f.damaged != (c.damage != nil) {
			t.Errorf("%s: ended by %v; the list says that it is damaged: %t", f.name, c.damage, f.damaged)
		}
		if c.damage != nil {
			damaged++
			t.Logf("%s: %d packets, then: %v", f.name, c.frames, c.damage)
		}
		var sum uint64
		for reason, n := range c.reasons {
			sum += n
			total.reasons[reason] += n
		}
		if sum != c.frames {
			t.Errorf("%s: %d packets, %d accounted for", f.name, c.frames, sum)
		}
		total.frames += c.frames
	}
	t.Logf("%d files, %d of them damaged, %d packets", files, damaged, total.frames)
	for reason, n := range total.reasons {
		t.Logf("  %-28v %d", packet.Reason(reason), n)
	}
}
