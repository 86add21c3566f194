package clickhouse

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	base := Config{Addrs: []string{"db:9000"}, Database: "portolan", Compress: "lz4", Dial: defaultDial, Retry: defaultRetry, Sync: true}
	with := func(change func(c *Config)) Config {
		c := base
		change(&c)
		return c
	}
	tests := []struct {
		dsn  string
		want Config
	}{
		{"clickhouse://db", base},
		{"clickhouse://db/", base},
		{"clickhouse://db:9001/flows", with(func(c *Config) { c.Addrs, c.Database = []string{"db:9001"}, "flows" })},
		{"clickhouse://a:9000,b,[::1]:9100,[fe80::1]/d", with(func(c *Config) {
			c.Addrs, c.Database = []string{"a:9000", "b:9000", "[::1]:9100", "[fe80::1]:9000"}, "d"
		})},
		{"clickhouse://me:p%40ss%2F@db", with(func(c *Config) { c.User, c.Password = "me", "p@ss/" })},
		{"clickhouse://db?secure=true&skip_verify=1", with(func(c *Config) { c.Addrs, c.Secure, c.SkipVerify = []string{"db:9440"}, true, true })},
		{"clickhouse://db?cluster=my-lab.1", with(func(c *Config) { c.Cluster = "my-lab.1" })},
		{"clickhouse://db?ttl=30d&rollup_ttl=9600h", with(func(c *Config) { c.TTL, c.RollupTTL = 720*time.Hour, 9600*time.Hour })},
		{"clickhouse://db?retry=0s&dial_timeout=1s&compress=none&sync=false&create=true&read_only=true", with(func(c *Config) {
			c.Retry, c.Dial, c.Compress, c.Sync, c.Create, c.ReadOnly = 0, time.Second, "none", false, true, true
		})},
	}
	for _, tt := range tests {
		got, err := Parse(tt.dsn)
		if err != nil {
			t.Errorf("%s: %v", tt.dsn, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(Config{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.dsn, diff)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	tests := []struct{ dsn, want string }{
		{"", "clickhouse address: it does not begin with clickhouse://"},
		{"mysql://db/x", "clickhouse address: it does not begin with clickhouse://"},
		{"clickhouse:///x", `clickhouse address: host "": it has no name`},
		{"clickhouse://db:0/x", `clickhouse address: host "db:0": port "0" is not a number from 1 to 65535`},
		{"clickhouse://db:http/x", `clickhouse address: host "db:http": port "http" is not a number from 1 to 65535`},
		{"clickhouse://u:secret%@db/x", "clickhouse address: it is no URL; letters such as @, / and % in a password are written %40, %2F and %25"},
		{"clickhouse://u:secret@db/x`; DROP TABLE y", "clickhouse address: database \"x`; DROP TABLE y\": letters, digits and _ only, at most 64"},
		{"clickhouse://db/" + strings.Repeat("x", 65), `clickhouse address: database "` + strings.Repeat("x", 65) + `": letters, digits and _ only, at most 64`},
		{"clickhouse://db?cluster=a'b", `clickhouse address: option cluster: "a'b": letters, digits, _, . and - only, at most 64`},
		{"clickhouse://db?secure=maybe", `clickhouse address: option secure: "maybe": must be true or false`},
		{"clickhouse://db?retry=-1s", `clickhouse address: option retry: "-1s": must be a time such as 30s, 0s or more`},
		{"clickhouse://db?ttl=90m", `clickhouse address: option ttl: "90m": must be whole days, at most 36500d`},
		{"clickhouse://db?ttl=99999d", `clickhouse address: option ttl: "99999d": must be days such as 30d, at most 36500d`},
		{"clickhouse://db?ttl=30d&rollup_ttl=7d", "clickhouse address: rollup_ttl is shorter than ttl: sums must stay as long as the records"},
		{"clickhouse://db?compress=rar&max_threads=9", `clickhouse address: option compress: "rar": must be one of lz4, zstd, none` + "\n" +
			`clickhouse address: unknown option "max_threads" (have: cluster, compress, create, dial_timeout, read_only, retry, rollup_ttl, secure, skip_verify, sync, ttl)`},
	}
	for _, tt := range tests {
		_, err := Parse(tt.dsn)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.dsn, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", tt.dsn, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("clickhouse://u:p@a:9000,[::1]/db?cluster=c&ttl=3d&secure=1")
	f.Fuzz(func(t *testing.T, dsn string) {
		c, err := Parse(dsn)
		if err != nil {
			return
		}
		if !identifier.MatchString(c.Database) || len(c.Addrs) == 0 || c.Cluster != "" && !clusterName.MatchString(c.Cluster) {
			t.Errorf("%q was taken as %+v", dsn, c)
		}
	})
}
