package stores_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/chart"
	"github.com/portolan/portolan/internal/cli"
	"github.com/portolan/portolan/internal/export"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/pipeline"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/drivers"
	"github.com/portolan/portolan/internal/store/memory"
	"github.com/portolan/portolan/internal/topology"
)

// filters are questions about the lab; each has an answer.
var filters = []string{
	"",
	"tcp",
	"udp and not port 53",
	"icmp or icmp6",
	"net fd00:1::/64",
	"server net 192.168.1.0/24 and not host 192.168.1.101",
	"client net 192.168.1.0/24 and not server net 192.168.1.0/24",
	"host 192.168.1.53 or host fd00:1::53",
	"port 443",
	"portrange 8000-10000",
	"client port 1024-40000 and tcp",
	"app DNS",
	"app TLS and not (client 192.168.1.101 or ip6)",
	"name lab.example",
	"bytes > 10k",
	"packets >= 4 and not tcp",
	"observer lab and vlan 0",
}

// TestStoresAgree reads the lab into every kind of store, and asks each the
// same: the folder, MariaDB and ClickHouse print the same bytes, and what they
// print is what a store in memory answers.
func TestStoresAgree(t *testing.T) {
	all := sites(t, "agree")
	for _, s := range all {
		s.run(t, cli.StatusDone, "read", lab)
	}
	inMemory, names := readIntoMemory(t)
	for _, filter := range filters {
		for _, by := range []string{"edge", "service", "host"} {
			t.Run(by+" "+filter, func(t *testing.T) {
				said := same(t, all, "top", "--json", "-n", "0", "--by", by, filter)
				got := decode(t, said)
				if diff := gocmp.Diff(answer(t, inMemory, filter, by), got); diff != "" {
					t.Errorf("(-memory +folder):\n%s", diff)
				}
				if len(got) == 0 {
					t.Error("no answer: the question shows nothing")
				}
			})
		}
		t.Run("chart "+filter, func(t *testing.T) {
			said := same(t, all, "chart", "--format", "json", filter)
			if diff := gocmp.Diff(chartOf(t, inMemory, filter, names), said); diff != "" {
				t.Errorf("(-memory +folder):\n%s", diff)
			}
		})
	}
	for _, args := range [][]string{
		{"--since", "2026-11-25T15:37:30Z", "--until", "2026-11-25T15:38:00Z"},
		{"--since", "2026-11-25T15:37:30.5Z"},
		{"--by", "client,app,vlan,observer", "--sort", "last"},
		{"--by", "pair", "--sort", "packets", "-n", "7"},
		{"--by", "port", "--sort", "flows"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			if same(t, all, append([]string{"top", "--json"}, args...)...) == "" {
				t.Error("no answer: the question shows nothing")
			}
		})
	}
	t.Run("read again", func(t *testing.T) {
		for _, s := range all {
			before, held := s.run(t, cli.StatusDone, "top", "--json", "-n", "0"), records(t, s)
			s.run(t, cli.StatusDone, "read", lab)
			after := s.run(t, cli.StatusDone, "top", "--json", "-n", "0")
			if diff := gocmp.Diff(before, after); diff != "" || before == "" {
				t.Errorf("%s (-before +after):\n%s", s.name, diff)
			}
			want := uint64(len(collect(t, inMemory.Records(t.Context(), flow.Span{}))))
			if now := records(t, s); held != want || now != want {
				t.Errorf("%s: %d records, then %d; want %d", s.name, held, now, want)
			}
		}
	})
}

// same runs a command on each store, which must all print the same, and
// returns that.
func same(t *testing.T, all []*site, args ...string) string {
	t.Helper()
	first := all[0].run(t, cli.StatusDone, args...)
	for _, s := range all[1:] {
		if diff := gocmp.Diff(first, s.run(t, cli.StatusDone, args...)); diff != "" {
			t.Errorf("(-%s +%s):\n%s", all[0].name, s.name, diff)
		}
	}
	return first
}

// records returns how many records a store says it holds.
func records(t *testing.T, s *site) (n uint64) {
	t.Helper()
	var stats store.Stats
	if err := json.Unmarshal([]byte(s.run(t, cli.StatusDone, "store", "status", "--json")), &stats); err != nil {
		t.Fatal(err)
	}
	return stats.Records
}

// readIntoMemory reads the lab as "portolan read" does.
func readIntoMemory(t *testing.T) (*memory.Store, *host.Names) {
	t.Helper()
	src, err := capture.Open(lab)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	cfg := meter.Default()
	cfg.Observer = func(iface uint32) string { return src.Interfaces()[iface].Name }
	var learned host.Learned
	closer, err := pipeline.Identify{Names: learned.See}.Apply(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closer()
	s := memory.New()
	t.Cleanup(func() { s.Close() })
	if _, _, err := pipeline.Read(t.Context(), src, cfg, s, func(*pipeline.Counts) {}); err != nil {
		t.Fatal(err)
	}
	file, names := filepath.Join(t.TempDir(), host.LearnedFile), host.NewNames()
	if err := errors.Join(learned.Save(file), names.ReadFile(file)); err != nil {
		t.Fatal(err)
	}
	return s, names
}

// A line is what "top --json" prints, without the names of hosts.
type line struct {
	Host     string `json:"host"`
	Client   string `json:"client"`
	Server   string `json:"server"`
	Port     uint16 `json:"port"`
	Proto    string `json:"proto"`
	App      string `json:"app"`
	Guessed  bool   `json:"app_guessed"`
	Bytes    uint64 `json:"bytes"`
	ToServer uint64 `json:"bytes_to_server"`
	ToClient uint64 `json:"bytes_to_client"`
	Sent     uint64 `json:"packets_to_server"`
	Got      uint64 `json:"packets_to_client"`
	Flows    uint64 `json:"flows"`
	First    string `json:"first"`
	Last     string `json:"last"`
	Evidence string `json:"evidence"`
}

func decode(t testing.TB, text string) (lines []line) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var l line
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

func parse(t *testing.T, filter string) query.Expr {
	t.Helper()
	e, err := query.Parse(filter, l7.AppIDs)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// answer is what the store in memory says, as lines.
func answer(t *testing.T, s *memory.Store, filter, by string) (lines []line) {
	t.Helper()
	dims := map[string]query.Dims{
		"edge": query.Edge, "service": query.Server | query.Port | query.Proto, "host": query.Client | query.Server,
	}[by]
	hosts := map[[16]byte]*line{}
	for r, err := range s.Top(t.Context(), query.Query{Filter: parse(t, filter), By: dims}) {
		if err != nil {
			t.Fatal(err)
		}
		l := line{
			Server: flow.Addr(r.Server).String(), Port: r.Port, Proto: r.Proto.String(), Bytes: r.Bytes(),
			ToServer: r.ToServer.Bytes, ToClient: r.ToClient.Bytes, Sent: r.ToServer.Packets, Got: r.ToClient.Packets,
			Flows: r.Flows, First: stamp(r.First), Last: stamp(r.Last), Evidence: r.Evidence.String(),
		}
		switch by {
		case "edge":
			l.Client, l.App, l.Guessed = flow.Addr(r.Client).String(), cmp.Or(l7.AppName(r.App), "unknown"), r.App.Guess
		case "host":
			l.Server, l.Proto, l.Evidence = "", "", ""
			count(hosts, r.Client, l)
			if r.Server != r.Client {
				l.ToServer, l.ToClient, l.Sent, l.Got = l.ToClient, l.ToServer, l.Got, l.Sent
				count(hosts, r.Server, l)
			}
			continue
		}
		lines = append(lines, l)
	}
	if by != "host" {
		return lines
	}
	addrs := slices.SortedFunc(maps.Keys(hosts), func(a, b [16]byte) int {
		return cmp.Or(cmp.Compare(hosts[b].Bytes, hosts[a].Bytes), bytes.Compare(a[:], b[:]))
	})
	for _, a := range addrs {
		lines = append(lines, *hosts[a])
	}
	return lines
}

// count adds what a pair said to one of its ends.
func count(hosts map[[16]byte]*line, addr [16]byte, l line) {
	sum := hosts[addr]
	if sum == nil {
		l.Host = flow.Addr(addr).String()
		hosts[addr] = &l
		return
	}
	sum.Bytes, sum.ToServer, sum.ToClient = sum.Bytes+l.Bytes, sum.ToServer+l.ToServer, sum.ToClient+l.ToClient
	sum.Sent, sum.Got, sum.Flows = sum.Sent+l.Sent, sum.Got+l.Got, sum.Flows+l.Flows
	if before(l.First, sum.First) {
		sum.First = l.First
	}
	if before(sum.Last, l.Last) {
		sum.Last = l.Last
	}
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// before compares two stamps, whose texts may differ in length.
func before(a, b string) bool {
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	if err := errors.Join(errX, errY); err != nil {
		panic("BUG: " + err.Error())
	}
	return x.Before(y)
}

// chartOf is the chart of the store in memory, in JSON.
func chartOf(t *testing.T, s *memory.Store, filter string, names *host.Names) string {
	t.Helper()
	e := parse(t, filter)
	g, err := topology.New(s.Top(t.Context(), query.Query{Filter: e, By: query.Edge}), names)
	if err != nil {
		t.Fatal(err)
	}
	g = topology.Fold(topology.Unicast(g), topology.DefaultBudget())
	opts := export.Options{Title: "Network flows", Made: "Portolan test"}
	if e != nil {
		opts.Filter = e.String()
	}
	drawing := chart.Layout(g, chart.Options{Title: opts.Title, Filter: opts.Filter, Made: opts.Made})
	format, err := export.ByName("json")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := format.Write(&out, g, &drawing, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// question is a statement that people run on ntopng's table, to the letter as
// it stands in a guide.
const question = `SELECT INET_NTOA(ip_src_addr) as "SRC_IP", l4_src_port as "SRC_PORT", INET_NTOA(ip_dst_addr) ` +
	`as "DST_IP", l4_dst_port as "DST_PORT", format(SUM(in_bytes),0) as "IN", format(SUM(out_bytes),0) ` +
	`as "OUT" from flowsv4 where INET_NTOA(ip_src_addr) != "192.168.1.151" and INET_NTOA(ip_dst_addr) ` +
	`!= "192.168.1.151" and INET_NTOA(ip_dst_addr) LIKE "192.168.1.%" group by l4_dst_port  ` +
	`order by out_bytes desc limit 10;`

// TestQuestionOfTheSeed reads the first home lab into MariaDB, and asks the
// question that it came from. The sums are those of the truth.
func TestQuestionOfTheSeed(t *testing.T) {
	s := inMariaDB(t, "seed")
	s.run(t, cli.StatusDone, "read", seed)
	rows, err := s.db(t).QueryContext(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[uint16]sums{}
	for rows.Next() {
		var client, server, in, out string // which of a group's clients and servers is up to the database
		var clientPort, port uint16
		if err := rows.Scan(&client, &clientPort, &server, &port, &in, &out); err != nil {
			t.Fatal(err)
		}
		got[port] = sums{plainNumber(t, in), plainNumber(t, out)}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := truthOfQuestion(t)
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(sums{})); diff != "" || len(want) > 10 {
		t.Errorf("%d ports (-truth +MariaDB):\n%s", len(want), diff)
	}
	// What "top" says of the same.
	top := map[uint16]sums{}
	for _, l := range decode(t, s.run(t, cli.StatusDone, "top", "--json", "-n", "0", "--by", "port",
		"server net 192.168.1.0/24 and not host 192.168.1.151")) {
		top[l.Port] = sums{l.ToServer, l.ToClient}
	}
	if diff := gocmp.Diff(want, top, gocmp.AllowUnexported(sums{})); diff != "" {
		t.Errorf("top (-truth +top):\n%s", diff)
	}
}

// sums are the bytes of a server port.
type sums struct{ toServer, toClient uint64 }

// plainNumber reads a number with commas.
func plainNumber(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// truthOfQuestion sums the truth as the question does.
func truthOfQuestion(t *testing.T) map[uint16]sums {
	t.Helper()
	text, err := os.ReadFile("../../testdata/seed/seed.truth.tsv")
	if err != nil {
		t.Fatal(err)
	}
	truth := map[uint16]sums{}
	for _, row := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := strings.Split(row, "\t")
		if f[0] == "192.168.1.151" || f[2] == "192.168.1.151" || !strings.HasPrefix(f[2], "192.168.1.") {
			continue
		}
		port := uint16(plainNumber(t, f[3]))
		truth[port] = sums{truth[port].toServer + plainNumber(t, f[6]), truth[port].toClient + plainNumber(t, f[8])}
	}
	return truth
}

// TestHostileTexts writes texts that are hard to keep, and reads them back
// from every kind of store.
func TestHostileTexts(t *testing.T) {
	texts := []string{
		"", " ", `'`, `"`, "`", `\`, `\'`, `\N`, `'); DROP TABLE flowsv4; --`, `" OR ""="`, "%s%d?{p1:String}$1", "a\tb\nc\rd\x00e\x1af",
		"é", "e\u0301", "İSTANBUL", "😀\u202e", "a\xffb", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		strings.Repeat(`'\`, 32<<10), strings.Repeat("\xff.", 32<<10), strings.Repeat("😀", 16<<10),
	}
	first := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC).UnixNano()
	var batch flow.Batch
	var want []flow.Record
	for i, text := range texts {
		r := flow.Record{
			Key: flow.Key{Client: [16]byte{0x20, 1, 15: byte(i)}, Server: [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}, ServerPort: 443, Proto: flow.TCP},
			ID:  uint64(i + 1), Start: first, End: first + int64(i), ToServer: flow.Counters{Packets: 1, Bytes: uint64(1000 - i)},
			Observer: text, Info: text, Details: &flow.Details{TLSVersion: 0x0304, JA4: text, Software: text},
		}
		batch.Records = append(batch.Records, r)
		kept := query.Text(text)
		r.Observer, r.Info, r.Details = kept, kept, &flow.Details{TLSVersion: 0x0304, JA4: kept, Software: kept}
		want = append(want, r)
	}
	var loss []flow.Loss
	for _, text := range texts {
		loss = append(loss, flow.Loss{Span: flow.Span{Start: first, End: first + 1}, Observer: text, Where: text, Reason: text, Count: 1, Unit: text})
	}
	inMemory := memory.New()
	defer inMemory.Close()
	fill := func(s store.Store) {
		t.Helper()
		if err := errors.Join(s.WriteFlows(t.Context(), &batch), s.WriteLoss(t.Context(), loss), s.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	fill(inMemory)
	for _, site := range sites(t, "hostile") {
		t.Run(site.name, func(t *testing.T) {
			s, err := drivers.Open(t.Context(), site.address, drivers.Options{})
			if err != nil {
				t.Fatal(err)
			}
			fill(s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = drivers.Open(t.Context(), site.address, drivers.Options{ReadOnly: true}); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var got []flow.Record
			for r, err := range s.(store.Recorder).Records(t.Context(), flow.Span{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r)
			}
			slices.SortFunc(got, func(a, b flow.Record) int { return cmp.Compare(a.ID, b.ID) })
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("records (-want +got):\n%.3000s", diff)
			}
			lossesOf := func(s store.Store) []flow.Loss { return collect(t, s.Losses(t.Context(), flow.Span{})) }
			if diff := gocmp.Diff(lossesOf(inMemory), lossesOf(s)); diff != "" {
				t.Errorf("losses (-memory +%s):\n%.3000s", site.name, diff)
			}
			questions := []query.Query{{}, {By: query.Observer}}
			for _, text := range texts {
				questions = append(questions,
					query.Query{By: query.Client | query.Observer, Filter: query.ObserverIs{Name: text}},
					query.Query{By: query.Client | query.Observer, Filter: query.NameHas{Text: text}})
			}
			for i, q := range questions {
				want, got := collect(t, inMemory.Top(t.Context(), q)), collect(t, s.Top(t.Context(), q))
				if diff := gocmp.Diff(want, got); diff != "" || len(want) == 0 {
					t.Errorf("question %d: %d rows (-memory +%s):\n%.3000s", i, len(want), site.name, diff)
				}
			}
		})
	}
}

// collect returns all that a store yields.
func collect[T any](t *testing.T, all iter.Seq2[T, error]) (list []T) {
	t.Helper()
	for v, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}
