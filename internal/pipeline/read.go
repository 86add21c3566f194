// Package pipeline wires sources of frames and flows to the sinks that keep
// them.
package pipeline

import (
	"context"
	"errors"
	"io"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/packet"
)

// A source is what a worker reads frames from: a file, a ring.
type source interface {
	ReadBatch([]packet.Frame) (int, error)
}

// frameBatch is how many frames go through decoder and table together: enough
// that their cache misses overlap.
const frameBatch = 64

// Counts says what became of the frames of a source. Frames is the sum of
// Decoded, Unsampled and all of Undecoded.
type Counts struct {
	Frames    uint64
	Decoded   uint64
	Unsampled uint64                    // left out, since one of several is looked at
	Undecoded [packet.NumReasons]uint64 // by packet.Reason; not-IP among them
	Bytes     uint64                    // IP bytes of what was decoded
	Start     int64                     // time of the earliest and latest decoded frame, ns since 1970 UTC
	End       int64
}

// A selection says what of the frames is looked at. The zero value is all.
type selection struct {
	sampling    uint32 // one frame of so many
	ignoreVLANs bool
}

// decode puts the frames that were decoded to the front, with their headers,
// and counts all. It returns how many were decoded.
func (c *Counts) decode(frames []packet.Frame, headers []packet.Headers, s selection) (good int) {
	for i := range frames {
		h := &headers[good]
		c.Frames++
		if s.sampling > 1 && c.Frames%uint64(s.sampling) != 0 {
			c.Unsampled++
			continue
		}
		h.Decode(&frames[i])
		if h.Reason != packet.None {
			c.Undecoded[h.Reason]++
			continue
		}
		if s.ignoreVLANs {
			h.Tuple.ClearVLAN()
		}
		c.Decoded++
		c.Bytes += uint64(h.Bytes)
		if c.Start == 0 || h.Time < c.Start {
			c.Start = h.Time
		}
		c.End = max(c.End, h.Time)
		frames[good] = frames[i]
		good++
	}
	return good
}

// Lost returns how many frames should have been decoded and were not.
func (c *Counts) Lost() uint64 {
	return c.Frames - c.Decoded - c.Unsampled - c.Undecoded[packet.NonIP]
}

// Losses returns what was lost as data, one entry a reason.
func (c *Counts) Losses(observer string) []flow.Loss {
	var l []flow.Loss
	for reason, n := range c.Undecoded {
		if r := packet.Reason(reason); n > 0 && r != packet.None && r != packet.NonIP {
			l = append(l, flow.Loss{
				Span: flow.Span{Start: c.Start, End: c.End + 1}, Observer: observer,
				Where: "decode", Reason: r.String(), Count: n, Unit: "packets",
			})
		}
	}
	return l
}

// Read meters every frame of src with a table of cfg and writes the flows to
// sink. It waits for the sink; nothing is dropped. tick is called now and then
// with the counts so far.
//
// When src ends early, what was read before is metered and written all the
// same; the source's error is returned with the counts. The same goes for ctx.
func Read(ctx context.Context, src source, cfg meter.Config, sink flow.Sink, tick func(*Counts)) (Counts, meter.Stats, error) {
	var c Counts
	// What was read is worth keeping when the user interrupts: the writer ends
	// when the reader has ended, not before.
	q := startQueue(context.WithoutCancel(ctx), sink)
	table, err := meter.New(cfg, func(b *flow.Batch) error { return q.WriteFlows(ctx, b) })
	if err != nil {
		return c, meter.Stats{}, errors.Join(err, q.close())
	}
	defer table.Close()

	srcErr := c.drain(ctx, src, table, tick)
	err = table.Flush()
	if closeErr := q.close(); closeErr != nil {
		// The sink's error is the cause of whatever else went wrong.
		return c, table.Stats(), closeErr
	}
	return c, table.Stats(), errors.Join(srcErr, err)
}

// drain moves frames from src to table until one of them ends.
func (c *Counts) drain(ctx context.Context, src source, table *meter.Table, tick func(*Counts)) error {
	frames := make([]packet.Frame, frameBatch)
	headers := make([]packet.Headers, frameBatch)
	for batches := 0; ; batches++ {
		n, err := src.ReadBatch(frames)
		good := c.decode(frames[:n], headers, selection{})
		if obsErr := table.Observe(frames[:good], headers[:good]); obsErr != nil {
			return obsErr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if batches%256 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if tick != nil {
				tick(c)
			}
		}
	}
}
