package query

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestSQL prints filters with every type of Expr in every dialect.
func TestSQL(t *testing.T) {
	filters := []string{
		"",
		"host 10.0.0.1",
		"client host 2001:db8::1",
		"server net 192.168.1.0/24",
		"net 10.0.0.0/8",
		"server net ::/0",
		"port 443",
		"client portrange 1024-65535",
		"client or server port 53",
		"not client or server port 53",
		"tcp and client or server port 53",
		"ip",
		"ip6",
		"proto 17",
		"app tls",
		"app unknown and tcp",
		`name "Example'; DROP TABLE flows; --"`,
		"vlan 7",
		`observer "eth0'"`,
		"bytes > 10M",
		"bytes <= 1",
		"packets != 5",
		"packets = 5",
		"packets >= 5 and packets < 6",
		"tcp or udp and port 53",
		"(tcp or udp) and port 53",
		"not (tcp or udp)",
		"tcp and (port 1 and port 2)",
	}
	dialects := []struct {
		name string
		Dialect
	}{
		{"duckdb", DuckDB},
		{"mariadb", MariaDB},
		{"clickhouse", ClickHouse},
		{"custom", Dialect{
			Columns: map[Column]string{BytesToServerColumn: "in_bytes::hugeint", ClientColumn: "c"},
			Param:   func(n int) string { return fmt.Sprintf("$%d", n) },
		}},
	}
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			var got strings.Builder
			for _, s := range filters {
				e, err := Parse(s, testApps)
				if err != nil {
					t.Fatal(err)
				}
				where, args := d.SQL(e)
				fmt.Fprintf(&got, "%s\n\t%s\n", s, where)
				for _, a := range args {
					switch a := a.(type) {
					case []byte:
						fmt.Fprintf(&got, "\t[]byte %x\n", a)
					case string:
						fmt.Fprintf(&got, "\tstring %q\n", a)
					default:
						fmt.Fprintf(&got, "\t%T %v\n", a, a)
					}
				}
			}
			golden(t, filepath.Join("testdata", d.name+".golden"), got.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestSQLOfNoApplication(t *testing.T) {
	if where, args := DuckDB.SQL(AppIs{Name: "x"}); where != "1 = 0" || len(args) != 0 {
		t.Errorf("got %s, %v", where, args)
	}
}

func TestWords(t *testing.T) {
	for d := Dims(1); d < Observer<<1; d++ {
		got, err := ParseDims(d.String())
		if err != nil || got != d {
			t.Errorf("%b: %s was read as %b, %v", d, d, got, err)
		}
	}
	if got, err := ParseDims("Edge, vlan"); err != nil || got != Edge|VLAN {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := ParseDims("client,colour"); err == nil || !strings.HasPrefix(err.Error(), `unknown column "colour" (have: client,`) {
		t.Errorf("got %v", err)
	}
	for o := ByBytes; o <= ByFirst; o++ {
		if got, err := ParseOrder(o.String()); err != nil || got != o {
			t.Errorf("%s was read as %s, %v", o, got, err)
		}
	}
	if _, err := ParseOrder("size"); err == nil || err.Error() != `unknown order "size" (have: bytes, packets, flows, last, first)` {
		t.Errorf("got %v", err)
	}
}

func TestColumnNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range columnCount {
		if s := c.String(); s == "" || seen[s] {
			t.Errorf("column %d is named %q", c, s)
		}
		seen[c.String()] = true
	}
}
