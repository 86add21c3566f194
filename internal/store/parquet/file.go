package parquet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/klauspost/compress/zstd"
	pq "github.com/parquet-go/parquet-go"
	pqzstd "github.com/parquet-go/parquet-go/compress/zstd"
)

// rowGroup is DuckDB's own row group, the grain of its parallel reads.
const rowGroup = 122_880

// codec is shared: it keeps its encoders.
var codec = &pqzstd.Codec{Level: zstd.SpeedFastest}

// Keys of the footer's metadata.
const (
	formatKey = "portolan.format"
	factsKey  = "portolan.facts"
)

// facts are what a footer says of a file's rows.
type facts struct {
	Records   uint64   `json:"records"` // flow records behind the rows
	Start     int64    `json:"start"`   // earliest start and latest end of them, ns since 1970
	End       int64    `json:"end"`
	Observers []string `json:"observers"` // at most maxObservers, sorted by first sight
	bytes     int64    // of the file
}

// maxObservers is how many observers a footer names; it is enough to know that
// there are several.
const maxObservers = 2

func (f *facts) see(start, end int64, observer string, records uint64) {
	if f.Records == 0 {
		f.Start, f.End = start, end
	}
	f.Records += records
	f.Start, f.End = min(f.Start, start), max(f.End, end)
	for _, o := range f.Observers {
		if o == observer {
			return
		}
	}
	if len(f.Observers) < maxObservers {
		f.Observers = append(f.Observers, observer)
	}
}

// A file is a Parquet file that is being written: to path.tmp, which commit
// renames to path when all its bytes are on the disk.
type file[T any] struct {
	path string
	f    *os.File
	buf  *bufio.Writer
	w    *pq.GenericWriter[T]
	pend []T // rows not yet handed to w
	err  error
}

func create[T any](path string) (*file[T], error) {
	f, err := os.Create(path + tmpSuffix)
	if err != nil {
		return nil, err
	}
	buf := bufio.NewWriterSize(f, 1<<18)
	return &file[T]{
		path: path, f: f, buf: buf,
		w: pq.NewGenericWriter[T](buf,
			pq.Compression(codec),
			pq.MaxRowsPerRowGroup(rowGroup),
			pq.CreatedBy("portolan", strconv.Itoa(formatVersion), "")),
		pend: make([]T, 0, 1024),
	}, nil
}

// add writes a copy of row; the first error is kept for commit.
func (f *file[T]) add(row *T) {
	if f.pend = append(f.pend, *row); len(f.pend) == cap(f.pend) {
		f.drain()
	}
}

func (f *file[T]) drain() {
	if f.err == nil && len(f.pend) > 0 {
		_, f.err = f.w.Write(f.pend)
	}
	f.pend = f.pend[:0]
}

// finish puts all bytes on the disk, still under the name path.tmp.
func (f *file[T]) finish(facts *facts) error {
	f.drain()
	if f.err == nil {
		text, err := json.Marshal(facts)
		f.err = err
		f.w.SetKeyValueMetadata(formatKey, strconv.Itoa(formatVersion))
		f.w.SetKeyValueMetadata(factsKey, string(text))
	}
	for _, step := range []func() error{f.w.Close, f.buf.Flush, f.f.Sync} {
		if f.err == nil {
			f.err = step()
		}
	}
	if err := f.f.Close(); f.err == nil {
		f.err = err
	}
	if f.err != nil {
		return errors.Join(f.err, os.Remove(f.path+tmpSuffix))
	}
	return nil
}

// commit gives the file its name, durably. It is called once, after finish.
func (f *file[T]) commit() error {
	if err := os.Rename(f.path+tmpSuffix, f.path); err != nil {
		return errors.Join(err, os.Remove(f.path+tmpSuffix))
	}
	return syncDir(filepath.Dir(f.path))
}

// discard removes what finish left.
func (f *file[T]) discard() { os.Remove(f.path + tmpSuffix) }

// syncDir makes names in dir durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // has no such call
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readFacts reads the footer of a file. The error is about the file's content
// unless it is fs.ErrNotExist.
func readFacts(path string) (*facts, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, info, err := open(f)
	return info, err
}

// open reads the footer of f.
func open(f *os.File) (p *pq.File, info *facts, err error) {
	defer func() { // a damaged footer must not end the process
		if r := recover(); r != nil {
			err = fmt.Errorf("footer makes no sense: %v", r)
		}
	}()
	stat, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	p, err = pq.OpenFile(f, stat.Size(), pq.SkipPageIndex(true), pq.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, fmt.Errorf("no Parquet footer: %w", err)
	}
	format, ok := p.Lookup(formatKey)
	if !ok {
		return nil, nil, errors.New("written by another program")
	}
	if v, err := strconv.Atoi(format); err != nil || v > formatVersion {
		return nil, nil, fmt.Errorf("format %s: this portolan reads up to %d", format, formatVersion)
	}
	text, _ := p.Lookup(factsKey)
	info = &facts{bytes: stat.Size()}
	if err := json.Unmarshal([]byte(text), info); err != nil {
		return nil, nil, fmt.Errorf("footer's facts: %w", err)
	}
	return p, info, nil
}

// rows yields the rows of a file in order. A row is valid until the next.
func rows[T any](path string, yield func(*T) bool) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: damaged: %v", path, r)
		}
	}()
	p, _, err := open(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r := pq.NewGenericReader[T](p)
	defer r.Close()
	buf := make([]T, 512)
	for {
		n, err := r.Read(buf)
		for i := range n {
			if !yield(&buf[i]) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
}
