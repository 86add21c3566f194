package parquet

import (
	"slices"
	"testing"
)

func TestNamesParse(t *testing.T) {
	n := name{hour: noon, first: 12, last: 31, generation: 1, imported: 7}
	if got := n.String(); got != "20260115T12-12-31-g1-i7" {
		t.Errorf("got %s", got)
	}
	if got, ok := parseName(n.String() + fileSuffix); !ok || got != n {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, s := range []string{"", ".parquet", "20260115T12-12-31-g1.parquet", "20260115T12-012-31-g1-i7.parquet", "20260115T25-1-1-g0-i0.parquet", "20260115T12-1-1-g0-i0.parquet.tmp", "20260115T12--1-1-g0-i0.parquet"} {
		if n, ok := parseName(s); ok {
			t.Errorf("%q was read as %+v", s, n)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("20260115T12-12-31-g1-i7.parquet")
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := parseName(s); ok && n.String()+fileSuffix != s {
			t.Errorf("%q was read as %s", s, n)
		}
	})
}

func TestMergedNamesHide(t *testing.T) {
	a, b, c := name{first: 1, last: 1}, name{first: 2, last: 2}, name{first: 3, last: 3}
	ab := name{first: 1, last: 2, generation: 1}
	abc := name{first: 1, last: 3, generation: 2}
	for _, tt := range []struct{ names, want []name }{
		{[]name{a, b, c}, []name{a, b, c}},
		{[]name{a, ab, b, c}, []name{ab, c}},
		{[]name{a, ab, abc, b, c}, []name{abc}},
		{[]name{ab, {hour: hour, first: 1, last: 1}}, []name{ab, {hour: hour, first: 1, last: 1}}},
	} {
		if got, _ := visible(tt.names); !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %v, want %v", tt.names, got, tt.want)
		}
	}
}
