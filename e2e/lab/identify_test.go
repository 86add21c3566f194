package lab

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/l7/ndpi"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/pipeline"
)

// TestIdentify holds the applications that the home lab's conversations are
// told to be, without guesses, to what the programs there spoke.
func TestIdentify(t *testing.T) {
	t.Run("built in", func(t *testing.T) { identifyHome(t, pipeline.Identify{Go: true}) })
	t.Run("nDPI", func(t *testing.T) {
		if !ndpi.Available {
			t.Skip("built without nDPI")
		}
		identifyHome(t, pipeline.Identify{})
	})
}

func identifyHome(t *testing.T, id pipeline.Identify) {
	cfg := meter.Default()
	closer, err := id.Apply(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closer()
	src, err := capture.Open(filepath.Join(folder, "home.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var records []flow.Record
	_, _, err = pipeline.Read(t.Context(), src, cfg, flow.SinkFunc(func(_ context.Context, b *flow.Batch) error {
		records = append(records, b.Records...)
		return nil
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(records, func(a, b flow.Record) int { return cmp.Compare(a.Start, b.Start) })
	apps := map[flow.Key]flow.App{} // the last word on each conversation
	for _, r := range records {
		apps[r.Key] = r.App
	}
	told := 0
	for _, c := range truth(t, "home") {
		if c.App == "-" {
			continue
		}
		got, ok := apps[c.Key]
		master, _, _ := strings.Cut(l7.AppName(got), ".")
		switch {
		case !ok:
			t.Errorf("%v: no such conversation", c.Key)
		case got.Guess || master != c.App:
			t.Errorf("%v: said %q (guess %v), is %q", c.Key, l7.AppName(got), got.Guess, c.App)
		default:
			told++
		}
	}
	if told == 0 {
		t.Error("nothing was told")
	}
}
