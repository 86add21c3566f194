package mariadb

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// d returns the start of a day in January 1970, the first being 1.
func d(n int64) int64 { return (n - 1) * daySeconds }

func TestSplit(t *testing.T) {
	rest := partition{name: "rest", bound: math.MaxInt64}
	for _, tt := range []struct {
		name  string
		parts []partition
		i     int
		days  []int64
		want  string
	}{
		{"an empty table", []partition{rest}, 0, []int64{d(5)},
			"`rest` INTO (PARTITION `g19700105` VALUES LESS THAN (345600), PARTITION `d19700105` VALUES LESS THAN (432000), PARTITION `rest` VALUES LESS THAN MAXVALUE)"},
		{"the first of all days", []partition{rest}, 0, []int64{d(1)},
			"`rest` INTO (PARTITION `d19700101` VALUES LESS THAN (86400), PARTITION `rest` VALUES LESS THAN MAXVALUE)"},
		{"the next day", []partition{{name: "d19700105", bound: d(6)}, rest}, 1, []int64{d(6)},
			"`rest` INTO (PARTITION `d19700106` VALUES LESS THAN (518400), PARTITION `rest` VALUES LESS THAN MAXVALUE)"},
		{"several days, one apart", []partition{{name: "d19700105", bound: d(6)}, rest}, 1, []int64{d(6), d(7), d(9)},
			"`rest` INTO (PARTITION `d19700106` VALUES LESS THAN (518400), PARTITION `d19700107` VALUES LESS THAN (604800), " +
				"PARTITION `g19700109` VALUES LESS THAN (691200), PARTITION `d19700109` VALUES LESS THAN (777600), PARTITION `rest` VALUES LESS THAN MAXVALUE)"},
		{"a day in a gap", []partition{{name: "g19700105", bound: d(5)}, {name: "d19700105", bound: d(6)}, rest}, 0, []int64{d(2)},
			"`g19700105` INTO (PARTITION `g19700102` VALUES LESS THAN (86400), PARTITION `d19700102` VALUES LESS THAN (172800), PARTITION `g19700105` VALUES LESS THAN (345600))"},
		{"a day that fills a gap", []partition{{name: "d19700101", bound: d(2)}, {name: "g19700103", bound: d(3)}, rest}, 1, []int64{d(2)},
			"`g19700103` INTO (PARTITION `d19700102` VALUES LESS THAN (172800))"},
	} {
		l := layout{byRange: true, parts: tt.parts}
		if diff := cmp.Diff("ALTER TABLE `t` REORGANIZE PARTITION "+tt.want, l.split("t", tt.i, tt.days)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestLacking(t *testing.T) {
	many := make([]int64, 100)
	for i := range many {
		many[i] = d(int64(i) + 10)
	}
	full := layout{byRange: true, parts: make([]partition, maxPartitions)}
	for i := range full.parts {
		full.parts[i] = partition{name: "g", bound: d(int64(i) + 1000)}
	}
	some := layout{byRange: true, parts: []partition{{name: "g", bound: d(5)}, {name: "d", bound: d(6)}, {name: "rest", bound: math.MaxInt64}}}
	for _, tt := range []struct {
		name string
		l    layout
		days []int64
		want []int64
	}{
		{"before, there, and after", some, []int64{d(4), d(5), d(6)}, []int64{d(4), d(6)}},
		{"many", some, many, many[len(many)-maxSplits:]},
		{"no partitions by day", layout{}, many, nil},
		{"full", full, many, []int64{}},
	} {
		if diff := cmp.Diff(tt.want, tt.l.lacking(tt.days)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestWithDaysAhead(t *testing.T) {
	now := time.Unix(d(20)+5, 0)
	for _, tt := range []struct{ days, want []int64 }{
		{nil, nil},
		{[]int64{d(3), d(9)}, []int64{d(3), d(9)}}, // of an old capture
		{[]int64{d(20)}, []int64{d(20), d(21), d(22)}},
		{[]int64{d(3), d(19), d(20)}, []int64{d(3), d(19), d(20), d(21), d(22)}},
		{[]int64{d(500)}, []int64{d(500)}}, // a clock that is wrong
	} {
		if diff := cmp.Diff(tt.want, withDaysAhead(tt.days, now)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.days, diff)
		}
	}
}
