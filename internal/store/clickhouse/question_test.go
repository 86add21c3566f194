package clickhouse

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
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
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestStatements shows what questions become: which tables are asked for which
// part of the span.
func TestStatements(t *testing.T) {
	midnight := noon - 12*hour
	ask := func(filter string) query.Expr {
		e, err := query.Parse(filter, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	tests := []struct {
		what    string
		q       query.Query
		several []int64
	}{
		{"all time: days", query.Query{Limit: 10}, nil},
		{"a filter that roll-ups hold", query.Query{By: query.Server, Filter: ask("tcp and client net 10.0.0.0/8 and port 443"), Sort: query.ByLast}, nil},
		{"a filter that they do not", query.Query{By: query.Server, Filter: ask(`name "it's" or client port 53 or bytes > 1000`)}, nil},
		{"from the middle of an hour to that of another", query.Query{By: query.Client, Span: flow.Span{Start: noon + hour/2, End: noon + 3*hour + 1}}, nil},
		{"within an hour", query.Query{By: query.Client, Span: flow.Span{Start: noon, End: noon + hour - 1}}, nil},
		{"days, hours at both ends, and records", query.Query{By: query.Port, Sort: query.ByFlows, Span: flow.Span{Start: noon, End: midnight + 3*day + 3*hour + 7}}, nil},
		{"steps of an hour", query.Query{By: query.Port, Step: time.Hour}, nil},
		{"steps of a minute", query.Query{By: query.Port, Step: time.Minute, Sort: query.ByPackets}, nil},
		{"a day of several observers", query.Query{By: query.Server | query.VLAN}, []int64{midnight}},
		{"a day of several observers, outside", query.Query{By: query.Server, Span: flow.Span{Start: midnight + day}}, []int64{midnight}},
		{"observers apart", query.Query{By: query.Server | query.Observer}, []int64{midnight}},
	}
	var all strings.Builder
	for _, tt := range tests {
		n := question{database: "portolan", q: &tt.q, several: tt.several}
		fmt.Fprintf(&all, "-- %s\n%s\n", tt.what, n.statement())
		for _, a := range n.args {
			p := a.(nativedriver.NamedValue)
			fmt.Fprintf(&all, "-- %s = %v\n", p.Name, p.Value)
		}
		all.WriteString("\n")
	}
	golden(t, "statements.sql", all.String())
}

// TestSchema shows the tables of one server, of a cluster whose servers are
// asked one by one, and of a cluster with a Keeper, which cannot be had here.
func TestSchema(t *testing.T) {
	for name, l := range map[string]layout{
		"one.sql":        {Database: "portolan", Sync: true},
		"cluster.sql":    {Database: "portolan", Cluster: "lab"},
		"replicated.sql": {Database: "portolan", Cluster: "lab", OnCluster: true, Replicated: true, Sync: true},
	} {
		all, err := l.statements(1)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, strings.Join(all, ";\n\n")+";\n")
	}
}
