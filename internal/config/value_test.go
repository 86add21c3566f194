package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Size
		text string
	}{
		{"0", 0, "0"}, {"none", 0, "0"}, {"100", 100, "100"}, {"1K", 1000, "1K"}, {"1k", 1000, "1K"}, {"1KiB", 1024, "1KiB"},
		{"64 MiB", 64 << 20, "64MiB"}, {"4G", 4e9, "4G"}, {"4GB", 4e9, "4G"}, {"4Gi", 4 << 30, "4GiB"}, {"1.5GiB", 3 << 29, "1536MiB"},
		{"512B", 512, "512"}, {"1T", 1e12, "1T"}, {"1024000", 1024000, "1024K"},
	} {
		got, err := parseSize(c.in)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("%q: %d, %s, %v", c.in, got, got, err)
		}
		if again, err := parseSize(got.String()); err != nil || again != got {
			t.Errorf("%q: %s reads as %d, %v", c.in, got, again, err)
		}
	}
	for _, in := range []string{"", "K", "-1", "1X", "1e3", "0x10", "1.2.3", ".5", "1/2K", "1KK", "1 0", "0.3", "16384PiB", "9999999T", "1iB", strings.Repeat("9", 100)} {
		if got, err := parseSize(in); err == nil {
			t.Errorf("%q: %d", in, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		in   string
		want time.Duration
		text string
	}{
		{"30s", 30 * time.Second, "30s"}, {"1h30m", 90 * time.Minute, "1h30m"}, {"90m", 90 * time.Minute, "1h30m"}, {"1h", time.Hour, "1h"},
		{"24h", day, "24h"}, {"7d", week, "7d"}, {"2w", 2 * week, "14d"}, {"1y", year, "1y"}, {"365d", year, "1y"}, {"1h0m5s", time.Hour + 5*time.Second, "1h0m5s"},
		{"10m", 10 * time.Minute, "10m"}, {"1.5s", 1500 * time.Millisecond, "1.5s"},
	} {
		got, err := parseDuration(c.in)
		if err != nil || got != c.want || printDuration(got) != c.text {
			t.Errorf("%q: %v, %s, %v", c.in, got, printDuration(got), err)
		}
	}
	for _, in := range []string{"", "30", "-1s", "d", "1.5d", "-1d", "300y", "4294967295w", "1 h", "soon"} {
		if got, err := parseDuration(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestStoreURL(t *testing.T) {
	for _, c := range []struct{ in, kind, shown, reveals string }{
		{"/var/lib/portolan", "parquet", "/var/lib/portolan", "/var/lib/portolan"},
		{"flows", "parquet", "flows", "flows"},
		{"parquet:///srv/a b", "parquet", "/srv/a b", "/srv/a b"},
		{"mariadb://u:s3cret@db:3306/flows", "mariadb", "mariadb://u:***@db:3306/flows", "mariadb://u:s3cret@db:3306/flows"},
		{"MySQL://u:s3%40cret@db/flows?tls=true", "mariadb", "mariadb://u:***@db/flows?tls=true", "mariadb://u:s3%40cret@db/flows?tls=true"},
		{"mariadb://u@db/flows", "mariadb", "mariadb://u@db/flows", "mariadb://u@db/flows"},
		{"mariadb://db/flows?password=s3cret&tls=true", "mariadb", "mariadb://db/flows?password=***&tls=true", "mariadb://db/flows?password=s3cret&tls=true"},
		{"mariadb:///flows?socket=/run/my.sock", "mariadb", "mariadb:///flows?socket=/run/my.sock", "mariadb:///flows?socket=/run/my.sock"},
		{"clickhouse://u:s3cret@a:9000,b:9000/flows?cluster=c", "clickhouse", "clickhouse://u:***@a:9000,b:9000/flows?cluster=c", "clickhouse://u:s3cret@a:9000,b:9000/flows?cluster=c"},
	} {
		s, err := ParseStore(c.in)
		if err != nil || s.Kind() != c.kind || s.String() != c.shown || s.Reveal() != c.reveals {
			t.Errorf("%q: %s %s %s %v", c.in, s.Kind(), s, s.Reveal(), err)
		}
	}
	for in, want := range map[string]string{
		"postgres://u:s3cret@h/d":         "unknown kind of store",
		"parquet://srv":                   "the folder is not absolute",
		"mariadb://u:s3cret@/d":           "names no host",
		"mariadb://u:s3cret@h":            "names no database",
		"mariadb://u:s3cret@h/":           "names no database",
		"mariadb://u:s3cret@h/d#x":        "names no database",
		"mariadb://u:s3@cret@h/d":         "is no URL",
		"mariadb://u:s3cret%zz@h/d":       "is no URL",
		"mysql;h;d;u;s3cret":              "is a target of ntopng's -F",
		"mariadb://u:s3cret@h/d\n":        "holds a control character",
		"clickhouse://u:s3cret@a b:1/d":   "is no URL",
		"clickhouse://u:s3cret/x@h:1/d":   "is no URL",
		"mariadb://u:s3cret@?database=x":  "names no host",
		"mariadb://u:#s3cret@h/database?": "is no URL",
	} {
		s, err := ParseStore(in)
		if err == nil || err.Error() != want || strings.Contains(fmt.Sprint(err, Hint(wrong(Origin{}, 0, "", err))), "s3") {
			t.Errorf("%q: %v, %v", in, s, err)
		}
	}
}

// TestStoreURLHidesPassword: whatever prints a Config, it does not print the
// password.
func TestStoreURLHidesPassword(t *testing.T) {
	c := defaults()
	var err error
	if c.Store, err = ParseStore("mariadb://u:s3cret@h/d"); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "store", c.Store, "config", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "store", c.Store, "config", c)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprintf("%v %+v %#v %s %q", c.Store, c.Store, c.Store, c.Store, c.Store), log.String(), string(asJSON),
	} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "u:***@h") {
			t.Errorf("%s", text)
		}
	}
}

func TestListen(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:9119": "127.0.0.1:9119", ":80": "127.0.0.1:80", "80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "0.0.0.0:80": "0.0.0.0:80",
		"off": "", "0": "", "host.example:080": "host.example:80",
	} {
		if got, err := parseListen(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ":", "a", "1.2.3.4", "::1", "a:b", "a:0", "a:65536", "[::1]", "a b:1", "http://a:1"} {
		if got, err := parseListen(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.168.1.7/24": "192.168.1.0/24", "10.0.0.0/255.0.0.0=A": "10.0.0.0/8=A", "10.1.2.3": "10.1.2.3/32", "fd00::1": "fd00::1/128",
		"fd00::/8 = B = C": "fd00::/8=B = C", "10.0.0.0/8=": "10.0.0.0/8",
	} {
		if got, err := parseNetwork(in); err != nil || got.String() != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "=A", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "fd00::/255.0.0.0", "10.0.0.0/", "ten/8", "10.0.0.0/a.b"} {
		if got, err := parseNetwork(in); err == nil {
			t.Errorf("%q: %s", in, got)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"filter", "interfaces", "store", "timeouts", "log"}
	for in, want := range map[string]string{
		"fliter": "filter", "interface": "interfaces", "timeout": "timeouts", "stroe": "store", "lgo": "log", "x": "", "completely": "", "": "",
		strings.Repeat("a", 1000): "",
	} {
		if got := nearest(in, names); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
