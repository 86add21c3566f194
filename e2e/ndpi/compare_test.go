//go:build conformance && ndpi

package ndpi

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	binding "github.com/portolan/portolan/internal/l7/ndpi"
)

// defaultData is where the captures lie unless PORTOLAN_DATA says otherwise.
const defaultData = "../../../shared/data"

// captures returns the public captures of a folder, or skips the test.
func captures(t testing.TB, folder string) []string {
	t.Helper()
	data, set := os.LookupEnv("PORTOLAN_DATA")
	if !set {
		data = defaultData
	}
	if _, err := os.Stat(data); err != nil && !set {
		t.Skip("no captures: set PORTOLAN_DATA to a folder that has pcaps and pcaps-ndpi")
	}
	entries, err := os.ReadDir(filepath.Join(data, folder))
	if err != nil {
		t.Fatalf("PORTOLAN_DATA: %v", err)
	}
	var all []string
	for _, e := range entries {
		if e.Type()&fs.ModeType == 0 && strings.Contains(e.Name(), "cap") {
			all = append(all, filepath.Join(data, folder, e.Name()))
		}
	}
	return all
}

// needReader skips the test where there is no ndpiReader of the library's
// release.
func needReader(t testing.TB) {
	t.Helper()
	out, err := exec.Command("ndpiReader", "-h").CombinedOutput() // -h ends with status 1
	if len(out) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("ndpiReader: %v", err)
		}
		t.Skipf("ndpiReader: %v", err)
	}
	if version := binding.Version(); !strings.Contains(string(out), "nDPI "+version) {
		t.Fatalf("ndpiReader is not of nDPI %s", version)
	}
}

// agreement is the least part of the flows that both have and ndpiReader names,
// that must have the same name.
const agreement = 0.993

// A difference is a flow with two verdicts.
type difference struct {
	file         string
	theirs, ours string
	ends         ends
	why          string // "" if nobody knows
}

// handshakes are files with flows that ndpiReader does not name either when
// nothing but the packets with payload are left in the file.
var handshakes = map[string]bool{
	"shell.pcap": true, // FTP_DATA wants to have seen a SYN
}

const (
	handshake = "the library wants to see the handshake, which carries no payload"
	budget    = "ndpiReader looks at up to 80 packets of TCP and 24 of UDP, we look at 16"
)

// whyDifferent explains a difference by asking ndpiReader once more, with our
// budget.
func whyDifferent(ctx context.Context, d *difference, app flow.App, dir string) error {
	if handshakes[filepath.Base(d.file)] && app == (flow.App{}) {
		d.why = handshake
		return nil
	}
	flows, err := ndpiReader(ctx, d.file, dir, "-T", "16", "-U", "16")
	for _, f := range flows {
		if f.ends == d.ends && f.app == app {
			d.why = budget
		}
	}
	return err
}

// A comparison is the outcome over many files.
type comparison struct {
	files, named, same, sameInfo int
	differ                       []difference
	missing                      map[string]int // flows that are no conversation of ours, by reason
}

func TestVerdictsAreThoseOfNdpiReader(t *testing.T) {
	needReader(t)
	c := comparison{missing: map[string]int{}}
	for _, path := range captures(t, "pcaps-ndpi") {
		if err := c.file(t.Context(), path, t.TempDir()); err != nil {
			t.Error(err)
		}
	}
	c.report(t)
	if c.files == 0 {
		t.Fatal("no file was compared")
	}
	both := c.same + len(c.differ)
	if both == 0 || float64(c.same) < agreement*float64(both) {
		t.Errorf("the same verdict on %d of %d flows, want %.1f %%", c.same, both, 100*agreement)
	}
	for _, d := range c.differ {
		if d.why == "" {
			t.Errorf("%s: %v: ndpiReader says %s, we say %s, and nobody knows why", filepath.Base(d.file), d.ends, d.theirs, d.ours)
		}
	}
	if n := c.missing[""]; n > 0 {
		t.Errorf("%d flows of ndpiReader's are no conversations of ours, and nobody knows why", n)
	}
}

// file compares one file.
func (c *comparison) file(ctx context.Context, path, dir string) error {
	flows, err := ndpiReader(ctx, path, dir)
	if err != nil {
		return err
	}
	records, err := ours(ctx, path)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	c.files++
	for _, f := range flows {
		if f.app == (flow.App{}) {
			continue
		}
		c.named++
		r := nearest(records[f.ends], f.start)
		if r == nil {
			why, err := whyMissing(path, f.ends)
			if err != nil {
				return err
			}
			c.missing[why]++
			continue
		}
		app := r.App
		app.Guess = false
		if app != f.app {
			d := difference{file: path, theirs: f.name, ours: cmp.Or(l7.AppName(app), "Unknown"), ends: f.ends}
			if err := whyDifferent(ctx, &d, app, dir); err != nil {
				return err
			}
			c.differ = append(c.differ, d)
			continue
		}
		c.same++
		if r.Info == f.info {
			c.sameInfo++
		}
	}
	return nil
}

// nearest returns the record that began nearest to a time, nil if there is
// none.
func nearest(records []flow.Record, start int64) *flow.Record {
	if len(records) == 0 {
		return nil
	}
	distance := func(r flow.Record) int64 {
		d := r.Start/1e6 - start/1e6
		return max(d, -d)
	}
	r := slices.MinFunc(records, func(a, b flow.Record) int {
		return cmp.Or(cmp.Compare(distance(a), distance(b)), cmp.Compare(a.Start, b.Start))
	})
	return &r
}

// report prints the figures and a table of what differs, by application.
func (c *comparison) report(t *testing.T) {
	both := c.same + len(c.differ)
	var b strings.Builder
	fmt.Fprintf(&b, "nDPI %s: %d files, %d flows that ndpiReader names, %d of them conversations of ours\n",
		binding.Version(), c.files, c.named, both)
	fmt.Fprintf(&b, "same verdict %d (%.2f %%), and the same name of the server %d (%.2f %%)\n",
		c.same, 100*float64(c.same)/float64(max(both, 1)), c.sameInfo, 100*float64(c.sameInfo)/float64(max(c.same, 1)))
	for _, why := range slices.Sorted(maps.Keys(c.missing)) {
		fmt.Fprintf(&b, "%d are %s\n", c.missing[why], cmp.Or(why, "missing for no reason that we know"))
	}
	counts := map[[3]string]int{}
	for _, d := range c.differ {
		counts[[3]string{d.theirs, d.ours, cmp.Or(d.why, "?")}]++
	}
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ndpiReader\tours\tflows\twhy")
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", k[0], k[1], counts[k], k[2])
	}
	w.Flush()
	t.Log("\n" + b.String())
}
