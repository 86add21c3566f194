package cli

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	gocmp "github.com/google/go-cmp/cmp"

	chtest "github.com/portolan/portolan/e2e/clickhouse"
	mariadbtest "github.com/portolan/portolan/e2e/mariadb"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/drivers"
	"github.com/portolan/portolan/internal/store/memory"
	"github.com/portolan/portolan/internal/store/parquet"
)

// A onceStore is a memory store that knows the names of what it took.
type onceStore struct {
	*memory.Store
	took map[string]bool
}

func (s *onceStore) WriteOnce(ctx context.Context, name string, b *flow.Batch) error {
	if s.took[name] {
		return nil
	}
	s.took[name] = true
	return s.WriteFlows(ctx, b)
}

// breaking gives some records, and then an error.
type breaking struct {
	store.Recorder
	after int
}

var errBroken = errors.New("the connection broke")

func (b *breaking) Records(ctx context.Context, span flow.Span) iter.Seq2[flow.Record, error] {
	return func(yield func(flow.Record, error) bool) {
		for r, err := range b.Recorder.Records(ctx, span) {
			if b.after--; b.after < 0 {
				yield(flow.Record{}, errBroken)
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

const copied = 6000 // records over three days

// fill writes records and losses into s.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	first := time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC).UnixNano()
	texts := []string{"", "www.example.com", `'); DROP TABLE flows; --\`, "a\tb\nc\x00d", "ÜNÏ 😀", "a\xffb", strings.Repeat("long", 100)}
	b := &flow.Batch{}
	for i := range copied {
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % 3), byte(i % 200)}), uint16(i))
		server := netip.MustParseAddrPort("192.0.2.1:443")
		if i%4 == 0 {
			server = netip.MustParseAddrPort("[2001:db8::1]:443")
		}
		end := first + int64(i%3)*day + int64(i*7919%copied)*int64(2*time.Hour)/copied
		r := flow.Record{
			Key: flow.NewKey(flow.TCP, client, server), ID: uint64(i), Slice: uint32(i % 2), Start: end - 1e9, End: end,
			ToServer: flow.Counters{Packets: 1, Bytes: uint64(i)}, ToClient: flow.Counters{Packets: 2, Bytes: 1 << 40},
			TCP: flow.TCPFacts{ServerRTT: time.Duration(i), FlagsToServer: 2}, App: flow.App{Master: 91, App: uint16(i % 5), Guess: i%2 == 0},
			Evidence: flow.SYNSeen, Cause: flow.EndOfFlow, Observer: texts[i%2], Info: texts[i%len(texts)],
		}
		if i%10 == 0 {
			r.Details = &flow.Details{TLSVersion: 0x0304, JA4: texts[i%len(texts)], Software: "nginx"}
		}
		if b.Records = append(b.Records, r); len(b.Records) == copied/4 { // segments that Compact merges
			if err := errors.Join(s.WriteFlows(t.Context(), b), s.Flush(t.Context())); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
	}
	twice := flow.Loss{Span: flow.Span{Start: first, End: first + 1}, Observer: "eth0", Where: "capture", Reason: "kernel ring full", Count: 7, Unit: "packets"}
	losses := []flow.Loss{
		twice, twice,
		{Span: flow.Span{Start: first + 10*day}, Where: "decode", Reason: texts[5], Count: 1, Unit: "files"}, // a day without flows
	}
	if err := errors.Join(s.WriteLoss(t.Context(), losses), s.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// content is all that a store holds, in an order of its own.
type content struct {
	Records []flow.Record
	Losses  []flow.Loss
}

func contentOf(t *testing.T, s store.Store) (c content) {
	t.Helper()
	for r, err := range s.(store.Recorder).Records(t.Context(), flow.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		c.Records = append(c.Records, r)
	}
	for l, err := range s.Losses(t.Context(), flow.Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		c.Losses = append(c.Losses, l)
	}
	slices.SortFunc(c.Records, func(a, b flow.Record) int { return cmp.Compare(a.ID, b.ID) })
	return c
}

func folderStore(t *testing.T) *parquet.Store {
	t.Helper()
	s, err := parquet.Open(t.TempDir(), parquet.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestCopyGoesOn breaks copies off, and starts them again.
func TestCopyGoesOn(t *testing.T) {
	for name, open := range map[string]func(*testing.T) store.Store{
		"once":    func(*testing.T) store.Store { return &onceStore{memory.New(), map[string]bool{}} },
		"folder":  func(t *testing.T) store.Store { return nil }, // opened again after each break
		"MariaDB": func(t *testing.T) store.Store { return openAddress(t, mariadbAddresses(t, 1)[0]) },
		"ClickHouse": func(t *testing.T) store.Store {
			return openAddress(t, "clickhouse://"+chtest.Start(t).Addr+"/copy?create=true&sync=false")
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := folderStore(t)
			fill(t, source)
			want := contentOf(t, source)
			target, dir := open(t), t.TempDir()
			for _, after := range []int{0, 249, 250, 251, 1999, 2000, 2001, copied - 1, copied, copied} {
				if name == "folder" {
					target = openAddress(t, dir)
				}
				c := copying{env: &Env{}, o: &options{}, when: question{now: time.Now}, today: true, most: 250, name: "copy-test", source: source, target: target}
				err := c.copy(t.Context(), &breaking{source, after}, flow.Span{})
				if name == "folder" {
					left := after
					for range c.sum.Before { // a day that is done is not read
						left += copied / 3
					}
					if (left < copied) != errors.Is(err, errBroken) {
						t.Fatalf("after %d records, %v done: %v", after, c.sum.Before, err)
					}
					if err := target.Close(); err != nil {
						t.Fatal(err)
					}
				} else if (after < copied) != errors.Is(err, errBroken) {
					t.Fatalf("after %d records: %v", after, err)
				}
				if after == 251 { // the source is tidied up meanwhile
					if err := source.Compact(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if name == "folder" {
				target = openAddress(t, dir)
			}
			if diff := gocmp.Diff(want, contentOf(t, target)); diff != "" {
				t.Errorf("(-source +target):\n%.3000s", diff)
			}
		})
	}
}

func openAddress(t *testing.T, address string) store.Store {
	t.Helper()
	s, err := drivers.Open(t.Context(), address, drivers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// portolan runs a command line, which must succeed, and returns what it prints.
func portolan(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	home := t.TempDir()
	env := Env{Out: &out, Err: &errs, Getenv: func(name string) string {
		if name == "HOME" {
			return home
		}
		return ""
	}}
	if status := Run(t.Context(), args, env); status != StatusDone {
		t.Fatalf("portolan %s: status %d\n%s", strings.Join(args, " "), status, errs.String())
	}
	return out.String()
}

// TestCopyAround copies through every kind of store, and back.
func TestCopyAround(t *testing.T) {
	source := folderStore(t)
	fill(t, source)
	want := contentOf(t, source)
	databases := mariadbAddresses(t, 2)
	around := []string{
		source.Dir(),
		databases[0],
		"clickhouse://" + chtest.Start(t).Addr + "/around?create=true&sync=false",
		databases[1],
		t.TempDir(),
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range len(around) - 1 {
		for range 2 {
			portolan(t, "store", "copy", "--from", around[i], "--to", around[i+1])
		}
		if diff := gocmp.Diff(want, contentOf(t, openAddress(t, around[i+1]))); diff != "" {
			t.Fatalf("copy %d (-source +target):\n%.3000s", i+1, diff)
		}
		if i+1 == len(around)-1 {
			break
		}
		first := portolan(t, "top", "--json", "-n", "0", "--store", around[0])
		if diff := gocmp.Diff(first, portolan(t, "top", "--json", "-n", "0", "--store", around[i+1])); diff != "" {
			t.Errorf("top of copy %d (-source +target):\n%.2000s", i+1, diff)
		}
	}
}

// TestCopyOfNtopng copies what ntopng 3.8 wrote: the copy tells of it what the
// tables tell.
func TestCopyOfNtopng(t *testing.T) {
	_, options, _ := strings.Cut(mariadbAddresses(t, 1)[0], "?socket=")
	driver := mysql.NewConfig()
	driver.Net, driver.Addr, driver.User, driver.MultiStatements = "unix", options, "root", true
	db, err := sql.Open("mysql", driver.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `CREATE DATABASE ntopng; USE ntopng; CREATE TABLE ntopng.flowsv4 (idx int(11) NOT NULL AUTO_INCREMENT,
		VLAN_ID smallint(5) unsigned, L7_PROTO smallint(5) unsigned, IP_SRC_ADDR int(10) unsigned, L4_SRC_PORT smallint(5) unsigned,
		IP_DST_ADDR int(10) unsigned, L4_DST_PORT smallint(5) unsigned, PROTOCOL tinyint(3) unsigned, IN_BYTES int(10) unsigned, OUT_BYTES int(10) unsigned,
		PACKETS int(10) unsigned, FIRST_SWITCHED int(10) unsigned, LAST_SWITCHED int(10) unsigned, INFO varchar(255), JSON blob,
		NTOPNG_INSTANCE_NAME varchar(256), INTERFACE_ID smallint(5), KEY idx (idx)) ENGINE=MyISAM DEFAULT CHARSET=utf8 PARTITION BY HASH (FIRST_SWITCHED) PARTITIONS 8;
		INSERT INTO ntopng.flowsv4 (VLAN_ID, L7_PROTO, IP_SRC_ADDR, L4_SRC_PORT, IP_DST_ADDR, L4_DST_PORT, PROTOCOL, IN_BYTES, OUT_BYTES, PACKETS,
			FIRST_SWITCHED, LAST_SWITCHED, INFO, JSON, NTOPNG_INSTANCE_NAME, INTERFACE_ID)
		SELECT seq % 2, seq % 7, INET_ATON('10.0.0.1') + seq % 50, seq % 60000, INET_ATON('192.0.2.1') + seq % 9, 443, 6, seq, 2 * seq, 30,
			1770000000 + seq * 20, 1770000060 + seq * 20, 'www.example.com', COMPRESS('{"OUT_PKTS":20}'), 'nuc', seq % 2 FROM seq_1_to_10000;
		INSERT INTO ntopng.flowsv4 (IP_SRC_ADDR) VALUES (NULL)`)
	if err != nil {
		t.Fatal(err)
	}
	from, to := "mariadb://root@localhost/ntopng?socket="+options, t.TempDir()
	portolan(t, "store", "copy", "--from", from, "--to", to)
	if out := portolan(t, "store", "copy", "--json", "--from", from, "--to", to); !strings.Contains(out, `"records":0`) {
		t.Errorf("again: %s", out)
	}
	for _, by := range []string{"edge,vlan,observer", "edge", "client"} {
		args := []string{"top", "--json", "-n", "0", "--by", by, "--store"}
		want, got := portolan(t, append(args, from)...), portolan(t, append(args, to)...)
		if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("by %s (-ntopng +copy):\n%.3000s", by, diff)
		}
		if strings.Count(want, "\n") < 50 {
			t.Errorf("by %s: ntopng's tables tell\n%.1000s", by, want)
		}
	}
}

// TestCopySinceUntil takes whole days.
func TestCopySinceUntil(t *testing.T) {
	source := folderStore(t)
	fill(t, source)
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	portolan(t, "store", "copy", "--from", source.Dir(), "--to", to, "--since", "2026-03-15T13:00:00Z", "--until", "2026-03-15T14:00:00Z")
	s := openAddress(t, to)
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, time.March, 15, 0, 0, 0, 0, time.UTC).UnixNano()
	if stats.Records != copied/3 || stats.Span.Start < from-1e9 || stats.Span.End > from+day {
		t.Errorf("got %+v, want the %d records of a day", stats, copied/3)
	}
}

// TestCopyLeavesTheOpenDayOut unless it is asked for.
func TestCopyLeavesTheOpenDayOut(t *testing.T) {
	source := folderStore(t)
	fill(t, source)
	for _, tt := range []struct {
		today   bool
		records uint64
		open    []string
	}{
		{false, copied / 3, []string{"2026-03-15", "2026-03-16", "2026-03-24"}},
		{true, copied, nil},
	} {
		c := copying{env: &Env{}, o: &options{}, most: copyRecords, name: "copy-test", source: source, target: memory.New(), today: tt.today}
		c.when.now = func() time.Time { return time.Date(2026, time.March, 15, 23, 59, 59, 0, time.UTC) }
		if err := c.copy(t.Context(), source, flow.Span{}); err != nil {
			t.Fatal(err)
		}
		if c.sum.Records != tt.records || !slices.Equal(c.sum.Open, tt.open) {
			t.Errorf("today %t: got %+v", tt.today, c.sum)
		}
	}
}

func TestIdentity(t *testing.T) {
	for _, same := range [][]string{
		{"/var/lib/portolan", "/var/lib/../lib/portolan/", "parquet:///var/lib/portolan"},
		{"mariadb://a:b@db/flows", "mariadb://db/flows", "mysql://c@db/flows?tls=true"},
		{"mariadb://db/flows?tables=x", "mariadb://a@db/flows?tables=x"},
		{"mariadb://db/other"},
		{"clickhouse://db/flows", "clickhouse://a:b@db/flows?sync=false"},
		{"clickhouse://a:9000,b:9000/flows"},
	} {
		for _, address := range same {
			if got := identity(address); got != identity(same[0]) {
				t.Errorf("%s: %s, want %s", address, got, identity(same[0]))
			}
		}
	}
	if identity("mariadb://db/flows") == identity("mariadb://db/flows?tables=x") || identity("mariadb://db/a") == identity("clickhouse://db/a") {
		t.Error("stores that differ have one identity")
	}
}

// mariadbAddresses starts a server, and returns the addresses of n empty stores
// in it.
func mariadbAddresses(t *testing.T, n int) (addresses []string) {
	t.Helper()
	socket := mariadbtest.Run(t).Socket()
	for i := range n {
		address := fmt.Sprintf("mariadb://root@localhost/copy%d?socket=%s", i, socket)
		portolan(t, "store", "init", "--store", address)
		addresses = append(addresses, address)
	}
	return addresses
}
