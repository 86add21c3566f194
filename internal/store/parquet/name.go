package parquet

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	fileSuffix = ".parquet"
	badSuffix  = ".bad" // behind the name of a file that was set aside
	tmpSuffix  = ".tmp" // behind the name of a file that is being written
	hourLayout = "20060102T15"
)

// A name says what a segment holds: 20261125T07-12-31-g1-i0 is the hour from
// 07:00 UTC, the segments 12 to 31 merged once, finished imports or live.
//
// A name hides the names of the same hour and a lower generation whose numbers
// lie in its range: renaming a merged segment into place replaces its inputs
// at that moment, for every reader, before they are deleted.
type name struct {
	hour        int64  // start of the hour, ns since 1970 UTC; 0 for losses
	first, last uint64 // numbers of the segments that went into it
	generation  int    // 0 = as it was written
	imported    uint64 // the import that wrote it; 0 = none, or finished and merged
}

// String returns the file's name without suffix.
func (n name) String() string {
	return fmt.Sprintf("%s-%d-%d-g%d-i%d", time.Unix(0, n.hour).UTC().Format(hourLayout), n.first, n.last, n.generation, n.imported)
}

// parseName reads a file's name with its suffix.
func parseName(file string) (n name, ok bool) {
	stem, ok := strings.CutSuffix(file, fileSuffix)
	parts := strings.Split(stem, "-")
	if !ok || len(parts) != 5 || !strings.HasPrefix(parts[3], "g") || !strings.HasPrefix(parts[4], "i") {
		return n, false
	}
	t, err := time.Parse(hourLayout, parts[0])
	n.hour = t.UnixNano()
	if err == nil {
		n.first, err = strconv.ParseUint(parts[1], 10, 63)
	}
	if err == nil {
		n.last, err = strconv.ParseUint(parts[2], 10, 63)
	}
	if err == nil {
		n.generation, err = strconv.Atoi(parts[3][1:])
	}
	if err == nil {
		n.imported, err = strconv.ParseUint(parts[4][1:], 10, 63)
	}
	return n, err == nil && n.String() == stem
}

// compare orders by hour and number.
func (n name) compare(o name) int {
	return cmp.Or(cmp.Compare(n.hour, o.hour), cmp.Compare(n.first, o.first), cmp.Compare(n.generation, o.generation), cmp.Compare(n.imported, o.imported))
}

// hides reports whether n was made from o, among others.
func (n name) hides(o name) bool {
	return n.hour == o.hour && n.generation > o.generation && n.first <= o.first && o.last <= n.last
}

// visible returns the names that no other hides, in the order of names, which
// is sorted by hour and number.
func visible(names []name) (shown, hidden []name) {
	for i := 0; i < len(names); {
		j := i
		for j < len(names) && names[j].hour == names[i].hour {
			j++
		}
		for _, n := range names[i:j] {
			covered := false
			for _, m := range names[i:j] {
				if m.generation > 0 && m.hides(n) {
					covered = true
					break
				}
			}
			if covered {
				hidden = append(hidden, n)
			} else {
				shown = append(shown, n)
			}
		}
		i = j
	}
	return shown, hidden
}
