package meter

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/packet"
)

func TestReal(t *testing.T) {
	files, _ := filepath.Glob("/work/shared/data/pcaps*/*")
	ev := map[flow.Evidence]int{}
	evp := map[flow.Evidence]uint64{}
	var st Stats
	nf := 0
	for _, name := range files {
		src, err := capture.Open(name)
		if err != nil {
			continue
		}
		nf++
		var want, got flow.Counters
		cfg := Default()
		if nf%2 == 0 {
			cfg.MaxFlows = 5
		}
		cfg.Identifier = &finder{after: 3}
		cfg.Registered = func(_ flow.Proto, p uint16) bool { return p < 1024 }
		tb, err := New(cfg, func(b *flow.Batch) error {
			for i := range b.Records {
				r := &b.Records[i]
				got = got.Add(r.ToServer).Add(r.ToClient)
				if r.End < r.Start {
					t.Errorf("%s: end < start", name)
				}
				ev[r.Evidence]++
				evp[r.Evidence] += r.Packets()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fs := make([]packet.Frame, 64)
		hs := make([]packet.Headers, 64)
		for {
			n, err := src.ReadBatch(fs)
			for i := range n {
				hs[i].Decode(&fs[i])
				if hs[i].Reason == packet.None {
					want = want.Add(flow.Counters{Packets: 1, Bytes: uint64(hs[i].Bytes)})
				}
			}
			tb.Observe(fs[:n], hs[:n])
			if err != nil {
				break
			}
		}
		tb.Flush()
		if want != got {
			t.Errorf("%s: want %+v got %+v", name, want, got)
		}
		s := tb.Stats()
		st.Packets += s.Packets
		st.Created += s.Created
		st.Exported += s.Exported
		st.Early += s.Early
		st.Retransmits += s.Retransmits
		st.OutOfOrder += s.OutOfOrder
		st.FragmentsJoined += s.FragmentsJoined
		st.FragmentsUnjoined += s.FragmentsUnjoined
		st.ICMPErrors += s.ICMPErrors
		st.ClockSteps += s.ClockSteps
		if s.ClockSteps > 0 {
			fmt.Println("clock steps", s.ClockSteps, filepath.Base(name))
		}
		tb.Close()
		src.Close()
	}
	fmt.Println(nf, "files")
	fmt.Printf("%+v\n", st)
	for e, n := range ev {
		fmt.Println(e, n, evp[e])
	}
}
