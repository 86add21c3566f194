package lab

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/pipeline"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/memory"
)

const folder = "../../testdata/lab"

var captures = []string{"home", "mid", "vlan"}

// read meters a capture as "portolan read" does and returns its records, the
// earliest first.
func read(t *testing.T, name string) []flow.Record {
	t.Helper()
	records, _ := readFrom(t, name, 0)
	return records
}

// A late source lacks the first frames of a file: whoever listens begins in
// the midst of it.
type late struct {
	*capture.File
	skip int
}

func (l *late) ReadBatch(dst []packet.Frame) (int, error) {
	for l.skip > 0 {
		n, err := l.File.ReadBatch(dst[:min(l.skip, len(dst))])
		l.skip -= n
		if err != nil {
			return 0, err
		}
	}
	return l.File.ReadBatch(dst)
}

// readFrom is read without the first frames.
func readFrom(t *testing.T, name string, skip int) ([]flow.Record, meter.Stats) {
	t.Helper()
	file, err := capture.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	src := &late{file, skip}
	cfg := meter.Default()
	cfg.Registered = l7.Registered
	cfg.Guess = func(k flow.Key) flow.App { return l7.GuessApp(k.Proto, k.ServerPort) }
	cfg.Observer = func(n uint32) string { return src.Interfaces()[n].Name }
	var records []flow.Record
	keep := flow.SinkFunc(func(_ context.Context, b *flow.Batch) error {
		records = append(records, b.Records...)
		return nil
	})
	counts, stats, err := pipeline.Read(t.Context(), src, cfg, keep, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := counts.Lost(); n > 0 {
		t.Errorf("%s: %d frames were not decoded: %v", name, n, counts.Undecoded)
	}
	slices.SortFunc(records, func(a, b flow.Record) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Slice, b.Slice))
	})
	return records, stats
}

func truth(t *testing.T, name string) []Conversation {
	t.Helper()
	all, err := ReadTruth(filepath.Join(folder, name+".truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An edge is who depends on which service of whom, without the client's port.
type edge = flow.Key

func edgeOf(k flow.Key) edge {
	k.ClientPort = 0
	return k
}

// counts are those of both directions, in a form that reads well in a diff.
type counts struct{ toServer, toClient flow.Counters }

func (c counts) add(toServer, toClient flow.Counters) counts {
	return counts{c.toServer.Add(toServer), c.toClient.Add(toClient)}
}

// differences says what is missing, too much, turned round or miscounted,
// sorted. A conversation is turned round if only its reverse was found.
func differences(want, got map[flow.Key]counts) (diffs []string, turned int) {
	reverse := func(k flow.Key) bool {
		_, wanted := want[k]
		_, found := got[k.Reverse()]
		_, straight := got[k]
		_, also := want[k.Reverse()]
		return wanted && found && !straight && !also
	}
	for k, w := range want {
		switch g, ok := got[k]; {
		case ok && g == w:
		case ok:
			diffs = append(diffs, fmt.Sprintf("miscounted   %s: %s: want %s", text(k), g, w))
		case reverse(k):
			turned++
			diffs = append(diffs, fmt.Sprintf("turned round %s: %s", text(k), w))
		default:
			diffs = append(diffs, fmt.Sprintf("missing      %s: %s", text(k), w))
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok && !reverse(k.Reverse()) {
			diffs = append(diffs, fmt.Sprintf("too much     %s: %s", text(k), g))
		}
	}
	slices.Sort(diffs)
	return diffs, turned
}

func text(k flow.Key) string {
	return fmt.Sprintf("%v %v -> %v vlan %d", k.Proto, k.ClientAddrPort(), k.ServerAddrPort(), k.VLAN)
}

func (c counts) String() string {
	return fmt.Sprintf("%d packets %d bytes to the server, %d packets %d bytes to the client",
		c.toServer.Packets, c.toServer.Bytes, c.toClient.Packets, c.toClient.Bytes)
}

// report fails the test with differences, the first of them at least.
func report(t *testing.T, what string, want int, diffs []string, turned int) {
	t.Helper()
	if len(diffs) == 0 {
		return
	}
	const most = 40
	shown := diffs[:min(len(diffs), most)]
	t.Errorf("%d differences in %d %s, %d turned round:\n%s", len(diffs), want, what, turned, strings.Join(shown, "\n"))
}

// TestConversations compares every conversation with the truth: who is client
// and who is server, packets and IP bytes of both directions.
func TestConversations(t *testing.T) {
	for _, name := range captures {
		t.Run(name, func(t *testing.T) {
			want, got := map[flow.Key]counts{}, map[flow.Key]counts{}
			for _, c := range truth(t, name) {
				want[c.Key] = counts{c.ToServer, c.ToClient}
			}
			for _, r := range read(t, filepath.Join(folder, name+".pcapng")) {
				got[r.Key] = got[r.Key].add(r.ToServer, r.ToClient)
			}
			diffs, turned := differences(want, got)
			report(t, "conversations", len(want), diffs, turned)
		})
	}
}

// TestBeginAnywhere leaves out more and more of the beginning: whatever is seen
// of a conversation, client and server are who they are.
func TestBeginAnywhere(t *testing.T) {
	const step = 250
	for _, name := range []string{"home", "vlan"} {
		t.Run(name, func(t *testing.T) {
			known := map[flow.Key]bool{}
			for _, c := range truth(t, name) {
				known[c.Key] = true
			}
			begun, midway, wrong := 0, 0, map[string]bool{}
			for skip := step; ; skip += step {
				records, stats := readFrom(t, filepath.Join(folder, name+".pcapng"), skip)
				if len(records) == 0 {
					break
				}
				// A fragment whose first was missed has no port, and does not say
				// whether it asks or answers: nobody can know.
				if stats.FragmentsUnjoined > 0 {
					continue
				}
				for _, r := range records {
					if r.Evidence == flow.SYNSeen {
						begun++
						continue
					}
					midway++
					if !known[r.Key] {
						wrong[fmt.Sprintf("%s by %v, without the first %d frames", text(r.Key), r.Evidence, skip)] = true
					}
				}
			}
			if midway < 100 {
				t.Errorf("%d conversations without SYN: too few to say anything", midway)
			}
			if len(wrong) > 0 {
				t.Errorf("%d of %d conversations without SYN are not in the truth (%d with SYN):\n%s",
					len(wrong), midway, begun, strings.Join(slices.Sorted(maps.Keys(wrong)), "\n"))
			}
			t.Logf("%d conversations without SYN", midway)
		})
	}
}

// TestEdges compares what a chart shows, as a store answers it: precision and
// recall are 1.
func TestEdges(t *testing.T) {
	for _, name := range captures {
		t.Run(name, func(t *testing.T) {
			want, got := map[edge]counts{}, map[edge]counts{}
			for _, c := range truth(t, name) {
				e := edgeOf(c.Key)
				want[e] = want[e].add(c.ToServer, c.ToClient)
			}
			s := memory.New()
			defer s.Close()
			b := flow.Batch{Records: read(t, filepath.Join(folder, name+".pcapng"))}
			if err := s.WriteFlows(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			for row, err := range s.Top(t.Context(), query.Query{By: query.Client | query.Server | query.Port | query.Proto | query.VLAN}) {
				if err != nil {
					t.Fatal(err)
				}
				e := edge{Client: row.Client, Server: row.Server, ServerPort: row.Port, Proto: row.Proto, VLAN: row.VLAN}
				got[e] = got[e].add(row.ToServer, row.ToClient)
			}
			right := 0
			for e := range got {
				if _, ok := want[e]; ok {
					right++
				}
			}
			if right != len(got) || right != len(want) {
				t.Errorf("precision %d of %d edges, recall %d of %d", right, len(got), right, len(want))
			}
			diffs, turned := differences(want, got)
			report(t, "edges", len(want), diffs, turned)
		})
	}
}

// TestCompressed reads the captures compressed: the records are the same.
func TestCompressed(t *testing.T) {
	for _, name := range captures {
		t.Run(name, func(t *testing.T) {
			plain := filepath.Join(folder, name+".pcapng")
			want := read(t, plain)
			data, err := os.ReadFile(plain)
			if err != nil {
				t.Fatal(err)
			}
			for suffix, compressor := range map[string]func(io.Writer) (io.WriteCloser, error){
				".gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
				".zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
			} {
				var out bytes.Buffer
				w, err := compressor(&out)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(data); err != nil {
					t.Fatal(err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(t.TempDir(), name+".pcapng"+suffix)
				if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(want, read(t, file)); diff != "" {
					t.Errorf("%s (-plain +compressed):\n%s", suffix, diff)
				}
			}
		})
	}
}

// TestCaptureIsWhole says what a capture of the lab must hold, so that a run
// in which a program did not work is not taken for the truth.
func TestCaptureIsWhole(t *testing.T) {
	programs := []string{"-", "chronyd", "dnsmasq", "kernel", "labd", "mariadbd", "nginx", "redis-server", "rsync", "smtpd", "sshd"}
	for _, name := range captures {
		t.Run(name, func(t *testing.T) {
			wantPrograms, wantProtos := programs, []string{"icmp", "icmp6", "igmp", "tcp", "udp"}
			if name == "mid" { // what is asked once is asked in the beginning
				wantPrograms, wantProtos = programs[1:], []string{"icmp6", "tcp", "udp"}
			}
			program, proto, vlan := map[string]bool{}, map[string]bool{}, map[uint16]bool{}
			for _, c := range truth(t, name) {
				program[c.Program], proto[c.Proto.String()], vlan[c.VLAN] = true, true, true
				if len(l7.AppIDs(c.App)) == 0 && c.App != "-" {
					t.Errorf("%s: no application is called %q", text(c.Key), c.App)
				}
			}
			if diff := gocmp.Diff(wantPrograms, slices.Sorted(maps.Keys(program))); diff != "" {
				t.Errorf("programs (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(wantProtos, slices.Sorted(maps.Keys(proto))); diff != "" {
				t.Errorf("protocols (-want +got):\n%s", diff)
			}
			wantVLANs := []uint16{0}
			if name == "vlan" {
				wantVLANs = []uint16{10, 20, 30}
			}
			if diff := gocmp.Diff(wantVLANs, slices.Sorted(maps.Keys(vlan))); diff != "" {
				t.Errorf("VLANs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	key := func(client, server string) flow.Key {
		return flow.NewKey(flow.TCP, netip.MustParseAddrPort(client), netip.MustParseAddrPort(server))
	}
	a, b := key("192.0.2.1:40000", "192.0.2.2:80"), key("192.0.2.1:40001", "192.0.2.3:81")
	one := counts{flow.Counters{Packets: 1, Bytes: 40}, flow.Counters{Packets: 2, Bytes: 80}}
	other := counts{flow.Counters{Packets: 1, Bytes: 41}, flow.Counters{Packets: 2, Bytes: 80}}
	const sums = "1 packets 40 bytes to the server, 2 packets 80 bytes to the client"
	for _, tt := range []struct {
		name      string
		want, got map[flow.Key]counts
		diffs     []string
		turned    int
	}{
		{name: "equal", want: map[flow.Key]counts{a: one, b: one}, got: map[flow.Key]counts{a: one, b: one}},
		{
			name: "missing and too much", want: map[flow.Key]counts{a: one}, got: map[flow.Key]counts{b: one},
			diffs: []string{
				"missing      tcp 192.0.2.1:40000 -> 192.0.2.2:80 vlan 0: " + sums,
				"too much     tcp 192.0.2.1:40001 -> 192.0.2.3:81 vlan 0: " + sums,
			},
		},
		{
			name: "turned round", want: map[flow.Key]counts{a: one}, got: map[flow.Key]counts{a.Reverse(): one},
			diffs: []string{"turned round tcp 192.0.2.1:40000 -> 192.0.2.2:80 vlan 0: " + sums}, turned: 1,
		},
		{
			name: "both ways, one of them too much", want: map[flow.Key]counts{a: one}, got: map[flow.Key]counts{a: one, a.Reverse(): one},
			diffs: []string{"too much     tcp 192.0.2.2:80 -> 192.0.2.1:40000 vlan 0: " + sums},
		},
		{
			name: "miscounted", want: map[flow.Key]counts{a: one}, got: map[flow.Key]counts{a: other},
			diffs: []string{"miscounted   tcp 192.0.2.1:40000 -> 192.0.2.2:80 vlan 0: " +
				"1 packets 41 bytes to the server, 2 packets 80 bytes to the client: want " + sums},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			diffs, turned := differences(tt.want, tt.got)
			if diff := gocmp.Diff(tt.diffs, diffs); diff != "" || turned != tt.turned {
				t.Errorf("turned %d, want %d; differences (-want +got):\n%s", turned, tt.turned, diff)
			}
		})
	}
}

func TestReadTruthErrors(t *testing.T) {
	const good = "192.0.2.1\t40000\t192.0.2.2\t80\ttcp\t1\t40\t2\t80\t0\tHTTP\tnginx\n"
	for _, tt := range []struct{ name, text, want string }{
		{"header", "client\n", `truth.tsv: the first line is "client": must be`},
		{"short", header + "\n192.0.2.1\t1\n", "truth.tsv line 2: 2 fields: must be 12"},
		{"address", header + "\n" + strings.Replace(good, "192.0.2.1", "x", 1), `truth.tsv line 2: ParseAddr("x")`},
		{"protocol", header + "\n" + strings.Replace(good, "tcp", "ddp", 1), `truth.tsv line 2: unknown protocol "ddp"`},
		{"port", header + "\n" + strings.Replace(good, "40000", "70000", 1), "truth.tsv line 2: strconv.ParseUint"},
		{"twice", header + "\n" + good + good, "truth.tsv line 3: the same conversation as in line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "truth.tsv")
			if err := os.WriteFile(name, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadTruth(name); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v: want one with %q", err, tt.want)
			}
		})
	}
}
