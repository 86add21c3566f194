package stores_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/cli"
)

const grafana = "../../grafana"

// A dashboard is what the tests look at of one.
type dashboard struct {
	UID    string  `json:"uid"`
	Title  string  `json:"title"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID         int       `json:"id"`
	Title      string    `json:"title"`
	Datasource reference `json:"datasource"`
	Targets    []struct {
		Datasource reference `json:"datasource"`
		SQL        string    `json:"rawSql"`
		Expr       string    `json:"expr"`
		Legend     string    `json:"legendFormat"`
	} `json:"targets"`
}

type reference struct {
	Type string `json:"type" yaml:"type"`
	UID  string `json:"uid" yaml:"uid"`
}

func readDashboard(t *testing.T, name string) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(grafana, "dashboards", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

// A picked is the time that a user has chosen.
type picked struct{ from, to time.Time }

// A macro of a data source: its pattern, and what it stands for.
type macro struct {
	pattern *regexp.Regexp
	means   func(p picked) string
}

// mysqlMacros are those that Grafana's documentation of the MySQL data source
// lists, as far as the dashboards use them.
var mysqlMacros = []macro{
	{regexp.MustCompile(`\$__unixEpochNanoFrom\(\)`), func(p picked) string { return strconv.FormatInt(p.from.UnixNano(), 10) }},
	{regexp.MustCompile(`\$__unixEpochNanoTo\(\)`), func(p picked) string { return strconv.FormatInt(p.to.UnixNano(), 10) }},
}

// clickhouseMacros are those that the README of the ClickHouse data source
// lists, as far as the dashboards use them.
var clickhouseMacros = []macro{
	{regexp.MustCompile(`\$__fromTime\b`), func(p picked) string { return fmt.Sprintf("toDateTime(%d)", p.from.Unix()) }},
	{regexp.MustCompile(`\$__toTime\b`), func(p picked) string { return fmt.Sprintf("toDateTime(%d)", p.to.Unix()) }},
}

// expand replaces the macros of a statement. None may be left.
func expand(t *testing.T, statement string, macros []macro, p picked) string {
	t.Helper()
	for _, m := range macros {
		statement = m.pattern.ReplaceAllLiteralString(statement, m.means(p))
	}
	if i := strings.Index(statement, "$"); i >= 0 {
		t.Fatalf("a macro that the test does not know: %.30s", statement[i:])
	}
	return statement
}

// A table is the answer to a panel's statement, as texts.
type table struct {
	columns []string
	rows    [][]string
}

func ask(t *testing.T, db *sql.DB, statement string) (answer table) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
	defer rows.Close()
	if answer.columns, err = rows.Columns(); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(answer.columns))
		targets := make([]any, len(values))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case []byte:
				row[i] = string(v)
			case time.Time:
				row[i] = strconv.FormatInt(v.Unix(), 10)
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		answer.rows = append(answer.rows, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestDashboardsOfDatabases runs what the panels ask on real servers, which
// hold the seed, and the lab as three observers saw it, one to a file that is
// cut: the answers are those of "portolan top".
func TestDashboardsOfDatabases(t *testing.T) {
	text, err := os.ReadFile(lab)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.pcapng")
	if err := os.WriteFile(cut, text[:len(text)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		site   func(t testing.TB, database string) *site
		macros []macro
	}{
		"mariadb":    {inMariaDB, mysqlMacros},
		"clickhouse": {inClickHouse, clickhouseMacros},
	} {
		t.Run(name, func(t *testing.T) {
			s := tt.site(t, "grafana")
			s.run(t, cli.StatusDone, "read", seed, lab)
			s.run(t, cli.StatusDone, "read", "--again", "--observer", "twin", lab)
			s.run(t, cli.StatusLoss, "read", "--observer", "third", cut)
			checkPanels(t, s, readDashboard(t, name), tt.macros)
		})
	}
}

// checkPanels compares the answers of a dashboard with those of "portolan top".
func checkPanels(t *testing.T, s *site, d dashboard, macros []macro) {
	t.Helper()
	db := s.db(t)
	edges := decode(t, s.run(t, cli.StatusDone, "top", "--json", "-n", "0"))
	first, last := spanOf(t, edges)
	during := picked{first.Add(10 * time.Second), last.Add(-time.Second)} // the hours that these lie in count as a whole
	answers := map[string]table{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			a := ask(t, db, expand(t, target.SQL, macros, during))
			if len(a.rows) == 0 {
				t.Errorf("%s: no rows", p.Title)
			}
			answers[p.Title] = a
			for _, other := range []picked{{first.Add(-48 * time.Hour), first.Add(-24 * time.Hour)}, {last.Add(24 * time.Hour), last.Add(48 * time.Hour)}} {
				if a := ask(t, db, expand(t, target.SQL, macros, other)); len(a.rows) != 0 {
					t.Errorf("%s: rows of another day: %v", p.Title, a.rows)
				}
			}
		}
	}
	if diff := gocmp.Diff(edgeRows(edges[:min(50, len(edges))]), answers["Top edges"].rows); diff != "" {
		t.Errorf("Top edges (-top +panel):\n%s", diff)
	}
	total, inBars := uint64(0), uint64(0)
	for _, l := range edges {
		total += l.Bytes
	}
	bars := answers["Bytes an hour by service"]
	for _, row := range bars.rows {
		inBars += plainNumber(t, row[2])
	}
	if inBars != total || !slices.IsSortedFunc(bars.rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) }) {
		t.Errorf("Bytes an hour: %d bytes, want %d, sorted by time:\n%v", inBars, total, bars.rows)
	}
	for title, by := range map[string]string{"Top servers": "server", "Top clients": "client"} {
		var want [][]string
		for _, l := range decode(t, s.run(t, cli.StatusDone, "top", "--json", "-n", "20", "--by", by)) {
			want = append(want, []string{l.Server + l.Client, fmt.Sprint(l.Bytes), fmt.Sprint(others(edges, l.Server, l.Client))})
		}
		if diff := gocmp.Diff(want, answers[title].rows); diff != "" {
			t.Errorf("%s (-top +panel):\n%s", title, diff)
		}
	}
	losses := answers["Losses"].rows
	if len(losses) != 1 || losses[0][1] != "third" || losses[0][2] != "capture" || losses[0][4] != "1" || losses[0][5] != "files" {
		t.Errorf("Losses: got %v, want that one file is cut", losses)
	}
}

// spanOf returns the earliest and the latest time of lines.
func spanOf(t *testing.T, lines []line) (first, last time.Time) {
	t.Helper()
	for i, l := range lines {
		start, errStart := time.Parse(time.RFC3339Nano, l.First)
		end, errEnd := time.Parse(time.RFC3339Nano, l.Last)
		if err := errors.Join(errStart, errEnd); err != nil {
			t.Fatal(err)
		}
		if i == 0 || start.Before(first) {
			first = start
		}
		if end.After(last) {
			last = end
		}
	}
	return first, last
}

// edgeRows are edges as the panel shows them.
func edgeRows(edges []line) (rows [][]string) {
	for _, l := range edges {
		service := l.Proto
		if l.Port != 0 {
			service += "/" + fmt.Sprint(l.Port)
		}
		rows = append(rows, []string{l.Client, l.Server, service, fmt.Sprint(l.ToServer), fmt.Sprint(l.ToClient), fmt.Sprint(l.Flows)})
	}
	return rows
}

// others counts the clients of a server, or the servers of a client.
func others(edges []line, server, client string) int {
	found := map[string]bool{}
	for _, l := range edges {
		if l.Server == server {
			found[l.Client] = true
		}
		if l.Client == client {
			found[l.Server] = true
		}
	}
	return len(found)
}

// TestDashboardOfMetrics holds the panels of Prometheus to what the daemon
// collects: names, and labels.
func TestDashboardOfMetrics(t *testing.T) {
	metrics := collected(t)
	name := regexp.MustCompile(`\bportolan_[a-z_]+`)
	label := regexp.MustCompile(`\{\{(\w+)\}\}|by \((\w+)\)`)
	used := map[string]bool{}
	for _, p := range readDashboard(t, "prometheus").Panels {
		for _, target := range p.Targets {
			names := name.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s: asks for no metric of ours: %s", p.Title, target.Expr)
			}
			for _, metric := range names {
				used[metric] = true
				labels, ok := metrics[metric]
				if !ok {
					t.Errorf("%s: the daemon has no %s", p.Title, metric)
				}
				for _, m := range label.FindAllStringSubmatch(target.Legend+" "+target.Expr, -1) {
					if l := m[1] + m[2]; l != "instance" && !slices.Contains(labels, l) { // Prometheus adds instance
						t.Errorf("%s: %s has no label %s (have: %v)", p.Title, metric, l, labels)
					}
				}
				if isRate := strings.Contains(target.Expr, "rate(") || strings.Contains(target.Expr, "increase("); isRate != strings.HasSuffix(metric, "_total") {
					t.Errorf("%s: counters need a rate, others have none: %s", p.Title, target.Expr)
				}
			}
		}
	}
	for _, metric := range []string{"portolan_kernel_packets_total", "portolan_dropped_packets_total", "portolan_flows_live", "portolan_store_lag_seconds"} {
		if !used[metric] {
			t.Errorf("no panel shows %s", metric)
		}
	}
}

// collected returns the names of the daemon's metrics with their labels, read
// from its source: calls of desc(name, help, labels...).
func collected(t *testing.T) map[string][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/daemon/metrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "desc" {
			return true
		}
		var texts []string
		for _, arg := range call.Args {
			literal, ok := arg.(*ast.BasicLit)
			if !ok {
				t.Fatalf("desc is called with other than literals")
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		found["portolan_"+texts[0]] = texts[2:]
		return true
	})
	if len(found) < 10 {
		t.Fatalf("found %d metrics only: %v", len(found), found)
	}
	return found
}

// TestProvisioning holds the files for Grafana to each other.
func TestProvisioning(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(grafana, "provisioning", "datasources", "portolan.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var sources struct {
		Version int         `yaml:"apiVersion"`
		Sources []reference `yaml:"datasources"`
	}
	if err := yaml.Unmarshal(text, &sources); err != nil {
		t.Fatal(err)
	}
	if sources.Version != 1 || len(sources.Sources) != 3 {
		t.Errorf("got version %d and %d data sources, want 1 and 3", sources.Version, len(sources.Sources))
	}
	uids := map[string]bool{}
	for i, name := range []string{"mariadb", "clickhouse", "prometheus"} {
		d := readDashboard(t, name)
		if uids[d.UID] || d.UID == "" || d.Title == "" {
			t.Errorf("%s: identifier %q, title %q: want one of its own", name, d.UID, d.Title)
		}
		uids[d.UID] = true
		ids := map[int]bool{}
		for _, p := range d.Panels {
			if ids[p.ID] || len(p.Targets) == 0 || p.Title == "" {
				t.Errorf("%s: panel %d %q: want an identifier of its own and a question", name, p.ID, p.Title)
			}
			ids[p.ID] = true
			for _, target := range p.Targets {
				if p.Datasource != sources.Sources[i] || target.Datasource != sources.Sources[i] {
					t.Errorf("%s: panel %q asks %v and %v, want %v", name, p.Title, p.Datasource, target.Datasource, sources.Sources[i])
				}
			}
		}
	}
	if text, err = os.ReadFile(filepath.Join(grafana, "provisioning", "dashboards", "portolan.yaml")); err != nil {
		t.Fatal(err)
	}
	var providers struct {
		Version   int `yaml:"apiVersion"`
		Providers []struct {
			Name, Type string
			Options    struct{ Path string }
		}
	}
	if err := yaml.Unmarshal(text, &providers); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/grafana.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers.Providers {
		if p.Type != "file" || p.Options.Path == "" || !strings.Contains(string(doc), p.Options.Path) {
			t.Errorf("provider %q: type %q, path %q: docs/grafana.md should name it", p.Name, p.Type, p.Options.Path)
		}
	}
	if providers.Version != 1 || len(providers.Providers) == 0 {
		t.Errorf("got version %d and %d providers", providers.Version, len(providers.Providers))
	}
}
