//go:build conformance && ndpi

package ndpi

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/l7/dissect"
)

// The least parts of the flows of the common protocols that must have the same
// carrying protocol, and the same name of the server.
const (
	sameProtocol = 0.995
	sameName     = 0.98
)

// common are the protocols that our own identifier must know, by nDPI's number.
var common = map[uint16]string{5: "DNS", 7: "HTTP", 8: "MDNS", 91: "TLS", 154: "LLMNR", 188: "QUIC"}

// commonOf returns which of the common protocols ndpiReader says, as the carrier
// or as the application, "" if none.
func commonOf(app flow.App) string { return cmp.Or(common[app.Master], common[app.App]) }

// agreed counts what ndpiReader says and we say, too.
type agreed struct{ flows, same, names, sameNames int }

// A dissection is the outcome of our own identifier over many files.
type dissection struct {
	files   int
	by      map[string]*agreed // by common protocol; others for the rest
	missing map[string]int     // flows of common protocols that are no conversation of ours, by reason
	seen    map[odd]bool       // differences
	said    []string           // the new ones
}

const others = "other protocols"

// What we say of the common protocols is compared with what ndpiReader finds in
// the packets: -d keeps it from guessing by ports and addresses.
func TestOwnVerdictsAreThoseOfNdpiReader(t *testing.T) {
	needReader(t)
	d := dissection{by: map[string]*agreed{others: {}}, missing: map[string]int{}, seen: map[odd]bool{}}
	for _, name := range common {
		d.by[name] = &agreed{}
	}
	for _, path := range captures(t, "pcaps-ndpi") {
		if err := d.file(t.Context(), path, t.TempDir()); err != nil {
			t.Error(err)
		}
	}
	sum := d.report(t)
	if sum.flows == 0 || float64(sum.same) < sameProtocol*float64(sum.flows) {
		t.Errorf("the same protocol on %d of %d flows, want %.1f %%", sum.same, sum.flows, 100*sameProtocol)
	}
	if sum.names == 0 || float64(sum.sameNames) < sameName*float64(sum.names) {
		t.Errorf("the same name on %d of %d flows, want %.1f %%", sum.sameNames, sum.names, 100*sameName)
	}
	for _, s := range d.said {
		t.Errorf("%s, and nobody knows why", s)
	}
	for o, why := range odds {
		if !d.seen[o] {
			t.Errorf("%s %s %s: known as different (%s), but is not", o.file, o.ends, o.what, why)
		}
	}
	if n := d.missing[""]; n > 0 {
		t.Errorf("%d flows of ndpiReader's are no conversations of ours, and nobody knows why", n)
	}
}

// file compares one file.
func (d *dissection) file(ctx context.Context, path, dir string) error {
	flows, err := ndpiReader(ctx, path, dir, "-d")
	if err != nil {
		return err
	}
	records, err := dissected(ctx, path, dissect.New(dissect.Default()))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	d.files++
	for _, f := range flows {
		if f.app == (flow.App{}) {
			continue
		}
		r := nearest(records[f.ends], f.start)
		if r == nil && commonOf(f.app) != "" {
			why, err := whyMissing(path, f.ends)
			if err != nil {
				return err
			}
			d.missing[why]++
		}
		if r != nil {
			d.compare(filepath.Base(path), f, r)
		}
	}
	return nil
}

// compare counts a flow that both have.
func (d *dissection) compare(file string, f theirs, r *flow.Record) {
	protocol := commonOf(f.app)
	a := d.by[cmp.Or(protocol, others)]
	a.flows++
	if f.app.Master == r.App.Master {
		a.same++
	} else if protocol != "" {
		d.differ(odd{file, f.ends.String(), verdict}, f.name, cmp.Or(l7.AppName(r.App), "Unknown"))
	}
	if protocol == "" || f.info == "" {
		return
	}
	a.names++
	if f.info == r.Info {
		a.sameNames++
	} else {
		d.differ(odd{file, f.ends.String(), name}, f.info, r.Info)
	}
}

func (d *dissection) differ(o odd, theirs, ours string) {
	d.seen[o] = true
	if odds[o] == "" {
		d.said = append(d.said, fmt.Sprintf("%s: %s: %s: ndpiReader says %q, we say %q", o.file, o.ends, o.what, theirs, ours))
	}
}

// report prints the table of docs/benchmarks.md and the known differences by
// their reason. It returns the sum over the common protocols.
func (d *dissection) report(t *testing.T) agreed {
	var sum, all agreed
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "protocol\tflows\tsame protocol\t%\tflows with a name\tsame name\t%")
	row := func(name string, a agreed) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%d\t%s\n", name, a.flows, a.same, percent(a.same, a.flows), a.names, a.sameNames, percent(a.sameNames, a.names))
	}
	for _, name := range slices.Sorted(maps.Values(common)) {
		a := d.by[name]
		row(name, *a)
		sum.add(*a)
	}
	row("these together", sum)
	row(others, *d.by[others])
	all.add(sum)
	all.add(*d.by[others])
	row("all that ndpiReader names", all)
	w.Flush()
	for _, why := range slices.Sorted(maps.Keys(d.missing)) {
		fmt.Fprintf(&b, "%d flows of the common protocols are %s\n", d.missing[why], cmp.Or(why, "missing for no reason that we know"))
	}
	reasons := map[string]int{}
	for o := range d.seen {
		reasons[o.what+": "+cmp.Or(odds[o], "?")]++
	}
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(&b, "%d differ in %s\n", reasons[why], why)
	}
	t.Logf("%d files\n%s", d.files, b.String())
	return sum
}

func (a *agreed) add(b agreed) {
	a.flows, a.same = a.flows+b.flows, a.same+b.same
	a.names, a.sameNames = a.names+b.names, a.sameNames+b.sameNames
}

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 100*float64(part)/float64(whole))
}
