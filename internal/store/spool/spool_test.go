package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
)

// A target is a store that can be down, and remembers in what order it took
// records, and which of them are durable.
type target struct {
	store.Store // nil: a spool asks no questions

	mu      sync.Mutex
	down    bool
	took    []uint64
	durable int
	losses  []flow.Loss
}

var errDown = errors.New("down")

func (s *target) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *target) WriteFlows(ctx context.Context, b *flow.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	for i := range b.Records {
		s.took = append(s.took, b.Records[i].ID)
	}
	return nil
}

func (s *target) WriteLoss(_ context.Context, l []flow.Loss) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	s.losses = append(s.losses, l...)
	return nil
}

func (s *target) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	s.durable = len(s.took)
	return nil
}

// crash forgets what is not durable.
func (s *target) crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = s.took[:s.durable]
}

func (s *target) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.took)
}

func open(t *testing.T, s store.Store, cfg Config) *Spool {
	t.Helper()
	sp, err := Open(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sp
}

// put puts the records from..to-1, ten a batch.
func put(s *Spool, from, to uint64) {
	for id := from; id < to; {
		var b flow.Batch
		for ; id < to && len(b.Records) < 10; id++ {
			b.Records = append(b.Records, flow.Record{ID: id, Start: int64(id), End: int64(id), Info: "name", Details: &flow.Details{JA4: "j"}})
		}
		s.Put(&b)
	}
}

func shut(t *testing.T, s *Spool, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

func numbers(from, to uint64) []uint64 {
	var all []uint64
	for ; from < to; from++ {
		all = append(all, from)
	}
	return all
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain: %s", what)
}

func TestOrderOverAnOutage(t *testing.T) {
	dir, s := t.TempDir(), &target{}
	sp := open(t, s, Config{Dir: dir, Budget: 1 << 30, Memory: 100})
	put(sp, 0, 50)
	wait(t, "the first records", func() bool { return s.count() == 50 })
	s.setDown(true)
	put(sp, 50, 1000)
	wait(t, "trouble", func() bool { return sp.Stats().Trouble != "" })
	put(sp, 1000, 2000)
	wait(t, "memory on the disk", func() bool { return sp.Stats().InMemory <= 10 })
	st := sp.Stats()
	if st.OnDisk == 0 || st.Dropped != 0 || st.InMemory+int(st.OnDisk) != 1950 || st.Lag == 0 {
		t.Errorf("while down: %+v", st)
	}
	s.setDown(false)
	wait(t, "recovery", func() bool { return s.count() == 2000 })
	put(sp, 2000, 2100)
	shut(t, sp, time.Minute)
	if d := cmp.Diff(numbers(0, 2100), s.took); d != "" {
		t.Error(d)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+suffix)); len(left) > 0 {
		t.Errorf("left on the disk: %v", left)
	}
	if s.durable != 2100 {
		t.Errorf("%d records are durable after Close, want 2100", s.durable)
	}
}

func TestNextRunGoesOn(t *testing.T) {
	dir, s := t.TempDir(), &target{down: true}
	for run := range uint64(3) {
		sp := open(t, s, Config{Dir: dir, Budget: 1 << 30, Memory: 100})
		put(sp, run*500, run*500+500)
		shut(t, sp, 50*time.Millisecond)
	}
	s.setDown(false)
	sp := open(t, s, Config{Dir: dir, Budget: 1 << 30})
	if st := sp.Stats(); st.OnDisk+uint64(s.count()) < 1500 {
		t.Errorf("of 1500 records are left: %+v", st)
	}
	put(sp, 1500, 1600)
	shut(t, sp, time.Minute)
	if d := cmp.Diff(numbers(0, 1600), s.took); d != "" {
		t.Error(d)
	}
}

// TestStoreCrash forgets what the store took and did not make durable, at
// every possible moment, as a killed pair of processes does.
func TestStoreCrash(t *testing.T) {
	dir, s := t.TempDir(), &target{down: true}
	sp := open(t, s, Config{Dir: dir, Budget: 1 << 30, Memory: 1})
	wait(t, "trouble", func() bool { put(sp, 0, 1); return sp.Stats().Trouble != "" })
	shut(t, sp, time.Millisecond)
	s.took = nil
	d, err := openDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint64(300) {
		if err := d.put(&flow.Batch{Records: []flow.Record{{ID: id + 1, End: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	start := d.records
	d.close()
	s.setDown(false)
	for kill := 0; kill < 20; kill++ {
		d, err := openDisk(dir)
		if err != nil {
			t.Fatal(err)
		}
		for range 7 {
			b, _, lost := d.next()
			if b == nil || lost.Count > 0 {
				t.Fatalf("run %d: no batch: %+v", kill, lost)
			}
			if err := s.WriteFlows(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			d.taken()
		}
		if kill%2 == 0 { // the flush came before the crash
			s.Flush(t.Context())
			if err := d.mark(); err != nil {
				t.Fatal(err)
			}
		}
		s.crash()
		d.close()
	}
	sp = open(t, s, Config{Dir: dir, Budget: 1 << 30})
	shut(t, sp, time.Minute)
	if uint64(len(s.took)) != start || !slices.IsSorted(s.took) {
		t.Errorf("the store has %d records of %d, in order %v", len(s.took), start, slices.IsSorted(s.took))
	}
}

func TestLossBeyondTheBudget(t *testing.T) {
	s := &target{down: true}
	sp := open(t, s, Config{Dir: t.TempDir(), Budget: 20_000, Memory: 100})
	put(sp, 0, 5000)
	st := sp.Stats()
	if st.Dropped == 0 || st.Bytes > 25_000 {
		t.Errorf("beyond the budget: %+v", st)
	}
	s.setDown(false)
	wait(t, "recovery", func() bool { st := sp.Stats(); return st.InMemory == 0 && st.OnDisk == 0 })
	shut(t, sp, time.Minute)
	got := uint64(len(s.took))
	if got+st.Dropped != 5000 {
		t.Errorf("%d stored and %d lost, of 5000", got, st.Dropped)
	}
	var lost uint64
	for _, l := range s.losses {
		lost += l.Count
		if l.Unit != "flows" || l.Where != "store" || l.Span.End == 0 {
			t.Errorf("loss %+v", l)
		}
	}
	if lost != st.Dropped {
		t.Errorf("the store knows of %d lost, want %d", lost, st.Dropped)
	}
}

func TestOneSpoolAFolder(t *testing.T) {
	dir := t.TempDir()
	sp := open(t, &target{}, Config{Dir: dir})
	if _, err := Open(&target{}, Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second spool in the folder: %v, want ErrLocked", err)
	}
	shut(t, sp, time.Minute)
	shut(t, open(t, &target{}, Config{Dir: dir}), time.Minute)
}

// TestNamesNeverComeAgain empties the folder between outages: a store that knows
// names would take a batch for one that it has.
func TestNamesNeverComeAgain(t *testing.T) {
	d, err := openDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	seen := map[string]bool{}
	b := &flow.Batch{Records: []flow.Record{{ID: 1, End: 1}}}
	for round := range 6 {
		put := func() error { return d.put(b) }
		if round%2 == 0 {
			put = func() error { return d.putFirst([]*flow.Batch{b}) }
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		_, name, _ := d.next()
		if name == "" || seen[name] {
			t.Errorf("round %d: the name %q came before", round, name)
		}
		seen[name] = true
		if d.taken() {
			if err := d.drop(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	dir, s := t.TempDir(), &target{down: true}
	sp := open(t, s, Config{Dir: dir, Budget: 1 << 30, Memory: 1})
	put(sp, 0, 100)
	shut(t, sp, time.Millisecond)
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	last := files[len(files)-1]
	info, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(last, info.Size()-3); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, positionFile), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.setDown(false)
	sp = open(t, s, Config{Dir: dir, Budget: 1 << 30})
	shut(t, sp, time.Minute)
	if len(s.took) != 90 {
		t.Errorf("%d records of the cut file were read, want all 90 of whole chunks", len(s.took))
	}
}

func TestWithoutDisk(t *testing.T) {
	s := &target{down: true}
	sp := open(t, s, Config{Memory: 100})
	put(sp, 0, 1000)
	if st := sp.Stats(); st.Dropped != 900 || st.InMemory != 100 {
		t.Errorf("%+v", st)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := sp.Close(ctx); err == nil {
		t.Error("Close says nothing of 100 records that are lost")
	}
}

func FuzzReadChunk(f *testing.F) {
	c, err := chunk(&flow.Batch{Records: []flow.Record{{ID: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c, true)
	f.Fuzz(func(t *testing.T, data []byte, mend bool) {
		if mend && len(data) >= chunkHeader { // else the checksum keeps everything out
			binary.BigEndian.PutUint32(data, uint32(len(data)))
			binary.BigEndian.PutUint32(data[4:], crc32.Checksum(data[8:], castagnoli))
		}
		h, body, err := readChunk(bytes.NewReader(data), 0)
		if err != nil {
			return
		}
		if b, err := batch(&h, body); err == nil && len(b.Records) == 0 {
			t.Fatal("an empty batch")
		}
	})
}

func BenchmarkPut(b *testing.B) {
	sp, err := Open(&target{}, Config{})
	if err != nil {
		b.Fatal(err)
	}
	batch := &flow.Batch{Records: make([]flow.Record, 512)}
	for b.Loop() {
		sp.Put(batch)
	}
	sp.Close(context.Background())
}
