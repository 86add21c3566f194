package ndpi

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/l7"
)

func TestNumbersAreThoseOfL7(t *testing.T) {
	// A later nDPI: DNS moved, a protocol came, one has no name.
	n := newNumbers([]string{"Unknown", "DNS", "", "tls", "Kafka9", "Google"})
	for _, tt := range []struct {
		master, app uint16
		want        string
		own         bool
	}{
		{0, 0, "", false},
		{0, 1, "DNS", false},
		{3, 5, "TLS.Google", false},
		{1, 1, "DNS", false},
		{0, 2, "", false},
		{0, 4, "", true},
		{0, 9999, "", false},
		{3, 9999, "TLS", false},
	} {
		t.Run(fmt.Sprint(tt.master, ".", tt.app), func(t *testing.T) {
			a := n.app(tt.master, tt.app)
			if got := l7.AppName(a); got != tt.want {
				t.Errorf("named %q, want %q", got, tt.want)
			}
			if got := a.Master >= ownNumbers && n.names[a.Master] == "Kafka9"; got != tt.own {
				t.Errorf("%v: a number of our own: %v, want %v", a, got, tt.own)
			}
			if a.App != 0 && a.Master == 0 {
				t.Errorf("%v: an application on nothing", a)
			}
		})
	}
}

func TestOwnNumbersDependOnTheNameAlone(t *testing.T) {
	first := newNumbers([]string{"", "Alpha9", "Beta9"})
	second := newNumbers([]string{"", "Gamma9", "Beta9", "DNS", "Alpha9"})
	for id, name := range first.names {
		if second.names[id] != name {
			t.Errorf("%d is %q, then %q", id, name, second.names[id])
		}
	}
	if len(first.names) != 2 || len(second.names) != 3 {
		t.Errorf("%v, %v", first.names, second.names)
	}
}

func TestOwnNumbersDoNotMeet(t *testing.T) {
	library := []string{""}
	for i := range 3000 {
		library = append(library, fmt.Sprint("own ", i))
	}
	n := newNumbers(library)
	if len(n.names) != 3000 {
		t.Fatalf("%d names have %d numbers", 3000, len(n.names))
	}
	used := slices.Clone(n.known[1:])
	slices.Sort(used)
	if used[0] < ownNumbers || len(slices.Compact(used)) != 3000 {
		t.Errorf("numbers from %d on, %d of them", used[0], len(slices.Compact(used)))
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "www.example.org", "www.example.org"},
		{"empty", "", ""},
		{"utf8", "bücher.example", "bücher.example"},
		{"escape", "a\x1b[31mb", "a?[31mb"},
		{"line feed", "a\nb\x00", "a?b?"},
		{"no utf8", "a\xff\xfeb", "a??b"},
		{"cut utf8", "a\xc3", "a?"},
		{"right to left override", "a\u202eb", "a?b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, text([]byte(tt.in))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Config
		want string
	}{
		{"negative", Config{MaxFlows: -1}, "ndpi: MaxFlows is -1: must be 0 to 16777216"},
		{"many", Config{MaxFlows: 1<<24 + 1}, "ndpi: MaxFlows is 16777217: must be 0 to 16777216"},
		{"zero byte", Config{Protocols: "a\x00b"}, "ndpi: the name of the protocols file contains a zero byte"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.in.check(); err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	var zero Config
	if err := zero.check(); err != nil || zero.MaxFlows != defaultFlows {
		t.Errorf("the zero Config: %v, %d", err, zero.MaxFlows)
	}
}
