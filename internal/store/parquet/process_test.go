package parquet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/memory"
)

// TestMain lets the test binary be the second process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PORTOLAN_TEST_WRITER"); dir != "" {
		writeForever(dir)
		return
	}
	os.Exit(m.Run())
}

// writeForever writes segments to dir, now and then merges them, and prints
// how many records are flushed after each flush.
func writeForever(dir string) {
	s, err := Open(dir, Options{Threads: 1})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx, flushed := context.Background(), 0
	for i := 0; ; i++ {
		b := flow.Batch{}
		for j := range 200 {
			b.Records = append(b.Records, record(uint64(flushed+j), int64(j%3)*hour))
		}
		err := errors.Join(s.WriteFlows(ctx, &b), s.Flush(ctx))
		if err == nil && i%5 == 4 {
			err = s.Compact(ctx)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		flushed += len(b.Records)
		fmt.Println(flushed)
	}
}

// startWriter starts a second process that writes; kill ends it and returns
// how many records it said were flushed.
func startWriter(t *testing.T, dir string) (count func() int, kill func() int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PORTOLAN_TEST_WRITER="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, done := make(chan int, 100000), make(chan struct{})
	go func() {
		defer close(done)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			n, err := strconv.Atoi(sc.Text())
			if err != nil {
				t.Errorf("the writer says: %s", sc.Text())
				return
			}
			lines <- n
		}
	}()
	t.Cleanup(func() { cmd.Process.Kill() }) //nolint:errcheck // it may have ended
	last := 0
	count = func() int {
		select {
		case last = <-lines:
		case <-time.After(20 * time.Second):
			t.Fatal("the writer does not write")
		}
		return last
	}
	return count, func() int {
		cmd.Process.Kill() //nolint:errcheck // Wait says it
		<-done
		cmd.Wait() //nolint:errcheck // killed
		close(lines)
		for n := range lines {
			last = n
		}
		return last
	}
}

func TestKilledWriterLosesNothingFlushed(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	before := 0
	for round := range 6 {
		count, kill := startWriter(t, dir)
		count()
		time.Sleep(time.Duration(round*37) * time.Millisecond) // not a wait for something: a random moment
		flushed := kill()
		s := createStore(t, dir)
		got := int(packets(t, s))
		// One more flush may have been under way, hour by hour.
		if got < before+flushed || got > before+flushed+200 {
			t.Errorf("round %d: got %d records, flushed %d", round, got, before+flushed)
		}
		before = got
		if left, _ := filepath.Glob(filepath.Join(dir, "*", "*"+tmpSuffix)); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		s.Close()
	}
}

func TestReadersBesideAnotherProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	count, kill := startWriter(t, dir)
	count()
	s, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) || strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("got %v", err)
	}
	for range 20 {
		atLeast := uint64(count())
		if n := packets(t, s); n < atLeast {
			t.Errorf("got %d records, %d were flushed before", n, atLeast)
		}
	}
	kill()
}

func TestCompact(t *testing.T) {
	s, oracle := createStore(t, t.TempDir()), memory.New()
	for i := range 20 {
		b := []flow.Record{record(uint64(i), int64(i%2)*hour), record(uint64(i), 2*hour)}
		b[0].ServerPort = uint16(i % 4)
		write(t, s, b...)
		write(t, oracle, b...)
		flush(t, s)
	}
	half, err := s.Begin(t.Context(), Source{Fingerprint: "x"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, half, record(99, 0))
	write(t, oracle, record(99, 0))
	flush(t, s)
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := s.Stats(t.Context())
	if err != nil || st.Records != 41 || st.Files != 8 {
		t.Errorf("got %+v, %v; want 41 records in 8 files", st, err)
	}
	compareAnswers(t, oracle, s)
	files, _ := filepath.Glob(filepath.Join(s.dir, flowsDir, "*"))
	for _, f := range files { // an hour later
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(f, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, _ = filepath.Glob(filepath.Join(s.dir, flowsDir, "*")); len(files) != 4 {
		t.Errorf("got %d files, want 4: %v", len(files), files)
	}
	compareAnswers(t, oracle, s)
}

// compareAnswers asks both, from roll-ups and from segments.
func compareAnswers(t *testing.T, oracle, s store.Store) {
	t.Helper()
	for _, q := range []query.Query{
		{}, {Step: time.Hour}, {Step: 24 * time.Hour}, {By: query.Edge | query.Observer}, {Step: time.Minute}, {By: query.Client | query.VLAN},
		{Span: flow.Span{Start: noon, End: noon + 2*hour}}, {Span: flow.Span{Start: noon + 1, End: noon + 2*hour + 1}},
		{Filter: query.Ports{Side: query.OfServer, Lo: 1, Hi: 2}}, {Filter: query.Ports{Lo: 1, Hi: 2}},
	} {
		var want, got []query.Row
		for r, err := range oracle.Top(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, r)
		}
		for r, err := range s.Top(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Errorf("%+v:\nwant %v\ngot  %v", q, want, got)
		}
	}
}

func TestDaysAnswerAsHours(t *testing.T) {
	s, oracle := createStore(t, t.TempDir()), memory.New()
	for i := range 90 { // hours: four days, the third of them seen by two observers
		r := record(uint64(i), int64(i)*hour)
		r.ServerPort = uint16(i % 3)
		b := []flow.Record{r, r, r}
		b[1].ClientPort++
		if i > 40 && i < 50 {
			b[2].Observer, b[2].ToServer.Bytes = "eth1", 500
		}
		write(t, s, b...)
		write(t, oracle, b...)
	}
	flush(t, s)
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(s.path(daysDir, "*"))
	l, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.plan(&l, &query.Query{})
	if err != nil || len(files) != 4 || len(p.days) == 0 || len(p.days) == 4 || len(p.flows) != 0 {
		t.Errorf("%d daily files, plan %d days, %d hours, %d segments, %v", len(files), len(p.days), len(p.edges), len(p.flows), err)
	}
	compareAnswers(t, oracle, s)
	late := record(1000, 0)
	write(t, s, late)
	write(t, oracle, late)
	flush(t, s)
	compareAnswers(t, oracle, s)
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	compareAnswers(t, oracle, s)
}
