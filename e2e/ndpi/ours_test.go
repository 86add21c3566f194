//go:build conformance && ndpi

package ndpi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7/dissect"
	binding "github.com/portolan/portolan/internal/l7/ndpi"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/pipeline"
)

// forever keeps conversations together, as ndpiReader does with files.
const forever = 100 * 365 * 24 * time.Hour

// ours returns the flows of a file by their ends, each with a verdict. One
// detection module serves one file, as it does in ndpiReader.
//
// What never carried payload is not shown to the library; it guesses then.
func ours(ctx context.Context, path string) (map[ends][]flow.Record, error) {
	id, err := binding.New(binding.Config{})
	if err != nil {
		return nil, err
	}
	defer id.Close()
	return identified(ctx, path, id)
}

// identified returns the flows of a file with the verdicts of id.
func identified(ctx context.Context, path string, id *binding.Identifier) (map[ends][]flow.Record, error) {
	cfg := meter.Default()
	cfg.Identifier, cfg.Guess = id, id.Guess
	return metered(ctx, path, cfg)
}

// dissected returns the flows of a file with the verdicts of our own
// identifier, which never guesses.
func dissected(ctx context.Context, path string, id *dissect.Identifier) (map[ends][]flow.Record, error) {
	cfg := meter.Default()
	cfg.Identifier = id
	return metered(ctx, path, cfg)
}

// metered returns the flows of a file by their ends, each in one record.
func metered(ctx context.Context, path string, cfg meter.Config) (map[ends][]flow.Record, error) {
	src, err := capture.Open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	cfg.Idle, cfg.TCPIdle, cfg.TCPOpening, cfg.Active = forever, forever, forever, forever
	all := map[ends][]flow.Record{}
	_, _, err = pipeline.Read(ctx, src, cfg, flow.SinkFunc(func(_ context.Context, b *flow.Batch) error {
		for _, r := range b.Records {
			e := makeEnds(r.ClientAddrPort(), r.ServerAddrPort(), r.Proto)
			all[e] = append(all[e], r)
		}
		return nil
	}), nil)
	if _, damaged := errors.AsType[*capture.Error](err); damaged {
		err = nil // ndpiReader, too, takes what comes before the damage
	}
	return all, err
}

// Why a flow of ndpiReader's is no conversation of ours.
const (
	icmpError = "an ICMP error: it counts to the conversation that it complains of"
	tunnel    = "a tunnel: what it carries are the conversations"
	undecoded = "a header that cannot be: ndpiReader makes a flow of it all the same"
)

// whyMissing looks through a file for what became of the packets between two
// addresses. It returns "" if nothing explains that we have no conversation.
func whyMissing(path string, e ends) (why string, err error) {
	src, err := capture.Open(path)
	if err != nil {
		return "", err
	}
	defer src.Close()
	frames := make([]packet.Frame, 64)
	for {
		n, err := src.ReadBatch(frames)
		for i := range n {
			var h packet.Headers
			h.Decode(&frames[i])
			if !between(frames[i].Data, e) {
				continue
			}
			switch {
			case h.Reason != packet.None:
				return undecoded, nil
			case h.ICMPError:
				return icmpError, nil
			case h.Tunnelled || e.proto == ipsecAH:
				return tunnel, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
	}
}

const ipsecAH flow.Proto = 51

// between reports whether a frame's bytes hold both addresses side by side, as
// an IP header does.
func between(frame []byte, e ends) bool {
	join := func(a, b netip.Addr) []byte { return append(a.AsSlice(), b.AsSlice()...) }
	a, b := e.lower.Addr(), e.higher.Addr()
	return bytes.Contains(frame, join(a, b)) || bytes.Contains(frame, join(b, a))
}
