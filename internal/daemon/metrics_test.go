package daemon

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the generated part of docs/metrics.md anew")

const metricsFile = "../../docs/metrics.md"

// TestMetricsReference holds docs/metrics.md to what is collected.
func TestMetricsReference(t *testing.T) {
	registry := prometheus.NewPedanticRegistry() // refuses what was not described
	status := Status{Sources: []Source{{Interface: "eth0", Undecoded: map[string]uint64{"cut": 1}}}}
	registry.MustRegister(collector{func() Status { return status }})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != len(descriptions) {
		t.Errorf("%d metrics are collected, %d described", len(families), len(descriptions))
	}
	var want strings.Builder
	want.WriteString("| metric | type | labels | what |\n|---|---|---|---|\n")
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	data, err := os.ReadFile(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics: generated, see internal/daemon/metrics_test.go -->\n", "<!-- end of metrics -->"
	before, rest, found := strings.Cut(string(data), begin)
	got, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no part metrics", metricsFile)
	}
	if *update {
		if err := os.WriteFile(metricsFile, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(want.String(), got); d != "" {
		t.Errorf("%s is not up to date; go test ./internal/daemon -update\n%s", metricsFile, d)
	}
}
