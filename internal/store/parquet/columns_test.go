package parquet

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	pq "github.com/parquet-go/parquet-go"
)

// randomRows returns rows of few and of many different values, of all widths.
func randomRows(g *rand.Rand, n int) []flowRow {
	rows := make([]flowRow, n)
	for i := range rows {
		r := record(g.Uint64(), g.Int64N(hour))
		r.Client[15], r.Server[3], r.Server[15] = byte(g.Uint32()), byte(g.UintN(2)), byte(g.UintN(3))
		r.ServerPort, r.ClientPort = uint16(g.UintN(2)), uint16(g.Uint32())
		r.App.App, r.VLAN, r.App.Guess = uint16(g.UintN(2)), uint16(g.UintN(2)), g.UintN(2) == 0
		r.Observer, r.Info = "eth"+fmt.Sprint(g.UintN(3)), fmt.Sprint("host", g.UintN(2000))
		r.ToClient.Bytes, r.ToServer.Bytes, r.ToServer.Packets = g.Uint64(), g.Uint64N(1e12), g.Uint64N(100)
		r.TCP.Retransmits, r.TCP.ServerRTT = g.Uint32(), -5
		rows[i] = newFlowRow(&r)
	}
	return rows
}

// TestColumnsKeepRows sorts rows by column and by row, and reads with
// parquet-go what was written.
func TestColumnsKeepRows(t *testing.T) {
	for _, n := range []int{1, 2, 100, pageRows + 1, rowGroup + 3000} {
		want := randomRows(rand.New(rand.NewPCG(1, uint64(n))), n)
		c := newColumns[flowRow](flowLayout)
		for i, chunk := range slices.Collect(slices.Chunk(want, 1000)) {
			c.append(chunk)
			if i == 2 { // as after a write that failed
				c.settle()
				sortRows(c)
			}
		}
		c.settle()
		sortRows(c)
		slices.SortFunc(want, func(a, b flowRow) int { return a.compare(&b) })

		path := filepath.Join(t.TempDir(), "flows")
		f, err := create[flowRow](path, flowLayout)
		if err != nil {
			t.Fatal(err)
		}
		f.group(c)
		if err := f.finish(&facts{Records: uint64(n)}); err != nil {
			t.Fatal(err)
		}
		if err := f.commit(); err != nil {
			t.Fatal(err)
		}
		var got []flowRow
		if err := rows(path, func(r *flowRow) bool { got = append(got, *r); return true }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want, got) {
			t.Errorf("%d rows: %s", n, cmp.Diff(want[:min(n, 5)], got[:min(len(got), 5)]))
		}
		c.free()
	}
}

// TestPagesTellTheirBounds compares the index of pages with what is in them.
func TestPagesTellTheirBounds(t *testing.T) {
	c := newColumns[flowRow](flowLayout)
	c.append(randomRows(rand.New(rand.NewPCG(1, 1)), 3*pageRows))
	c.settle()
	sortRows(c)
	path := filepath.Join(t.TempDir(), "flows")
	f, err := create[flowRow](path, flowLayout)
	if err != nil {
		t.Fatal(err)
	}
	f.group(c)
	if err := f.finish(&facts{}); err != nil {
		t.Fatal(err)
	}
	if err := f.commit(); err != nil {
		t.Fatal(err)
	}
	groups := openGroups(t, path)
	for i, chunk := range groups[0].ColumnChunks() {
		field := flowLayout.fields[i]
		if field.kind == text {
			continue
		}
		index, err := chunk.ColumnIndex()
		if err != nil {
			t.Fatal(err)
		}
		typ := chunk.Type()
		pages := chunk.Pages()
		for p := range index.NumPages() {
			page, err := pages.ReadPage()
			if err != nil {
				t.Fatal(err)
			}
			values := make([]pq.Value, page.NumValues())
			if n, _ := page.Values().ReadValues(values); n != len(values) {
				t.Fatalf("%s: %d values of %d", field.name, n, len(values))
			}
			low, high := slices.MinFunc(values, typ.Compare), slices.MaxFunc(values, typ.Compare)
			if typ.Compare(low, index.MinValue(p)) != 0 || typ.Compare(high, index.MaxValue(p)) != 0 {
				t.Errorf("%s, page %d: got %v to %v, want %v to %v", field.name, p, index.MinValue(p), index.MaxValue(p), low, high)
			}
		}
		if err := pages.Close(); err != nil {
			t.Error(err)
		}
	}
}

func openGroups(t *testing.T, path string) []pq.RowGroup {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p, err := pq.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return p.RowGroups()
}
