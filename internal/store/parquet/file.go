package parquet

import (
	"bufio"
	"encoding/binary"
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
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
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
	Observers []string `json:"observers"` // at most maxObservers
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
	path   string
	f      *os.File
	buf    *bufio.Writer
	layout *layout
	pend   []T         // added, not yet in rows
	rows   *columns[T] // not yet in a row group; nil = none
	size   int64       // bytes so far
	count  int64       // rows in groups
	groups []format.RowGroup
	chunks [][]*chunk // of groups
	err    error
}

// magic is the first and the last of a Parquet file.
const magic = "PAR1"

func create[T any](path string, l *layout) (*file[T], error) {
	f, err := os.Create(path + tmpSuffix)
	if err != nil {
		return nil, err
	}
	to := &file[T]{path: path, f: f, buf: bufio.NewWriterSize(f, 1<<16), layout: l}
	to.write([]byte(magic))
	return to, nil
}

func (f *file[T]) write(b []byte) {
	if f.err == nil {
		_, f.err = f.buf.Write(b)
		f.size += int64(len(b))
	}
}

// add writes a copy of row; the first error is kept for finish.
func (f *file[T]) add(row *T) {
	if f.pend == nil {
		f.pend = make([]T, 0, pendRows)
	}
	if f.pend = append(f.pend, *row); len(f.pend) == pendRows {
		f.drain()
	}
}

// pendRows is how many rows are taken apart into columns together.
const pendRows = 256

func (f *file[T]) drain() {
	if len(f.pend) == 0 {
		return
	}
	if f.rows == nil {
		f.rows = newColumns[T](f.layout)
	}
	f.rows.append(f.pend)
	f.pend = f.pend[:0]
	if f.rows.rows >= rowGroup {
		f.group(f.rows)
		f.rows.reset()
	}
}

// group writes rows as row groups. It settles them.
func (f *file[T]) group(rows *columns[T]) {
	rows.settle()
	for from := 0; from < rows.rows && f.err == nil; from += rowGroup {
		f.err = f.encode(rows, from, min(from+rowGroup, rows.rows))
	}
}

func (f *file[T]) encode(rows *columns[T], from, to int) error {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	g := format.RowGroup{NumRows: int64(to - from), FileOffset: f.size, Ordinal: int16(len(f.groups))}
	var chunks []*chunk
	for i := range f.layout.fields {
		c, err := e.column(&f.layout.fields[i], &rows.columns[i], from, to)
		if err != nil {
			return err
		}
		if c.meta.DataPageOffset > 0 {
			c.meta.DictionaryPageOffset = f.size
		}
		c.meta.DataPageOffset += f.size
		for i := range c.locations {
			c.locations[i].Offset += f.size
		}
		f.write(e.out)
		g.TotalByteSize += c.meta.TotalUncompressedSize
		g.TotalCompressedSize += c.meta.TotalCompressedSize
		g.Columns = append(g.Columns, format.ColumnChunk{MetaData: c.meta})
		chunks = append(chunks, c)
	}
	f.groups, f.chunks = append(f.groups, g), append(f.chunks, chunks)
	f.count += g.NumRows
	return f.err
}

// thrift writes v as the footer holds it, and returns where it begins and how
// long it is.
func (f *file[T]) thrift(v any) (offset int64, length int32) {
	text, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if f.err == nil {
		f.err = err
	}
	offset = f.size
	f.write(text)
	return offset, int32(len(text))
}

// footer writes what says where everything is.
func (f *file[T]) footer(facts *facts) {
	// Readers take the indexes of one sort in one piece.
	for i := range f.groups {
		for j, c := range f.chunks[i] {
			if f.layout.fields[j].kind != text { // which may be long
				to := &f.groups[i].Columns[j]
				to.ColumnIndexOffset, to.ColumnIndexLength = f.thrift(&c.index)
			}
		}
	}
	for i := range f.groups {
		for j, c := range f.chunks[i] {
			to := &f.groups[i].Columns[j]
			to.OffsetIndexOffset, to.OffsetIndexLength = f.thrift(&format.OffsetIndex{PageLocations: c.locations})
		}
	}
	about, err := json.Marshal(facts)
	if f.err == nil {
		f.err = err
	}
	_, length := f.thrift(&format.FileMetaData{
		Version: 2, Schema: f.layout.schema, NumRows: f.count, RowGroups: f.groups,
		KeyValueMetadata: []format.KeyValue{
			{Key: factsKey, Value: string(about)},
			{Key: formatKey, Value: strconv.Itoa(formatVersion)},
		},
		CreatedBy: createdBy, ColumnOrders: f.layout.orders,
	})
	f.write(append(binary.LittleEndian.AppendUint32(nil, uint32(length)), magic...))
}

// createdBy has the form that readers look for.
var createdBy = fmt.Sprintf("portolan version %d.0.0", formatVersion)

// finish puts all bytes on the disk, still under the name path.tmp.
func (f *file[T]) finish(facts *facts) error {
	f.drain()
	if f.rows != nil {
		f.group(f.rows)
		f.rows.free()
		f.rows = nil
	}
	f.footer(facts)
	for _, step := range []func() error{f.buf.Flush, f.f.Sync} {
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
