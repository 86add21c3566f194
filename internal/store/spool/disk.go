package spool

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// A disk is a folder of files with batches, each file named by its place in
// the queue. A file is a sequence of chunks:
//
//	length uint32 | CRC-32C of the rest uint32 | records uint32 | end int64 | gob of a flow.Batch
//
// all big-endian; end is that of the first record. A chunk that a crash cut is
// at the end of a file, and left out.
//
// The file "position" says how far the oldest file was written into the store,
// durably: a crash may give the store again what came after that, and never
// loses a batch.
type disk struct {
	dir     string
	id      string // of all that was ever put into this folder
	lock    *os.File
	files   []*spillFile // oldest first
	out     *os.File     // the last of files, if it is being written; else nil
	in      *os.File     // the first of files, if it is being read; else nil
	at      int64        // where the next chunk of in begins
	records uint64       // that wait
	bytes   int64        // of all files
	first   int64        // End of the oldest record; 0 = look
	nextLen int64        // length of the chunk that next returned
	nextN   uint64
}

type spillFile struct {
	number  int64
	start   int64  // where what waits begins
	records uint64 // that wait
	bytes   int64
}

const (
	chunkHeader  = 20
	maxChunk     = 64 << 20
	maxFile      = 16 << 20 // a file that is longer is not written to any more
	suffix       = ".spill"
	positionFile = "position"
	lockFile     = "lock"
	idFile       = "id"
	middle       = 1 << 40 // the number of the first file, so that there is room before it
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func openDisk(dir string) (_ *disk, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	d := &disk{dir: dir}
	if d.lock, err = lock(filepath.Join(dir, lockFile)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.lock.Close())
		}
	}()
	if err := d.readID(); err != nil {
		return nil, err
	}
	marked, start := d.readPosition()
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), suffix)
		number, err := strconv.ParseInt(digits, 10, 64)
		if !ok || err != nil {
			continue
		}
		f := &spillFile{number: number}
		if number == marked {
			f.start, f.bytes = start, start
		}
		if err := d.measure(f); err != nil {
			return nil, err
		}
		if f.records == 0 {
			if err := os.Remove(d.path(f)); err != nil {
				return nil, err
			}
			continue
		}
		d.files = append(d.files, f)
		d.records += f.records
		d.bytes += f.bytes
	}
	slices.SortFunc(d.files, func(a, b *spillFile) int { return int(a.number - b.number) })
	return d, nil
}

func (d *disk) path(f *spillFile) string {
	return filepath.Join(d.dir, fmt.Sprintf("%015d%s", f.number, suffix))
}

// readID reads the folder's id, and makes it if there is none. Numbers of files
// begin anew when all are gone: the id changes with each opening of an empty
// folder.
func (d *disk) readID() error {
	path := filepath.Join(d.dir, idFile)
	text, err := os.ReadFile(path)
	files, globErr := filepath.Glob(filepath.Join(d.dir, "*"+suffix))
	if err == nil && globErr == nil && len(files) > 0 {
		d.id = strings.TrimSpace(string(text))
		return nil
	}
	return d.newID()
}

func (d *disk) newID() error {
	d.id = rand.Text()
	return os.WriteFile(filepath.Join(d.dir, idFile), []byte(d.id+"\n"), 0o600)
}

// readPosition returns the file and the offset that mark wrote; 0 = none.
func (d *disk) readPosition() (number, offset int64) {
	text, err := os.ReadFile(filepath.Join(d.dir, positionFile))
	if err != nil {
		return 0, 0
	}
	if n, err := fmt.Sscan(string(text), &number, &offset); n != 2 || err != nil || offset < 0 {
		return 0, 0
	}
	return number, offset
}

// mark notes that all that taken stepped over is durable in the store.
func (d *disk) mark() error {
	if len(d.files) == 0 || d.at == 0 || d.at == d.files[0].start {
		return nil
	}
	f := d.files[0]
	path := filepath.Join(d.dir, positionFile)
	if err := os.WriteFile(path+".tmp", fmt.Appendln(nil, f.number, d.at), 0o600); err != nil {
		return err
	}
	f.start = d.at
	return os.Rename(path+".tmp", path)
}

// measure counts the whole chunks of f that wait, and cuts what follows them.
func (d *disk) measure(f *spillFile) error {
	file, err := os.OpenFile(d.path(f), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size() < f.start {
		f.start, f.bytes = 0, 0
	}
	for {
		head, _, err := readChunk(file, f.bytes)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errDamaged) {
			return file.Truncate(f.bytes)
		}
		if err != nil {
			return err
		}
		f.records += uint64(head.records)
		f.bytes += head.length
	}
}

// A chunkHead is what stands before a batch.
type chunkHead struct {
	length  int64 // of the whole chunk
	records uint32
	end     int64
}

var errDamaged = errors.New("damaged")

// readChunk reads the chunk at offset at. The error is io.EOF where the file
// ends.
func readChunk(r io.ReaderAt, at int64) (h chunkHead, body []byte, err error) {
	var head [chunkHeader]byte
	if n, err := r.ReadAt(head[:], at); n < len(head) {
		if n > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return h, nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < chunkHeader || length > maxChunk {
		return h, nil, fmt.Errorf("%w: a chunk of %d bytes", errDamaged, length)
	}
	if n, err := r.ReadAt(head[:1], at+int64(length)-1); n == 0 { // before memory is taken for it
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return h, nil, err
	}
	chunk := make([]byte, length)
	if _, err := r.ReadAt(chunk, at); err != nil {
		return h, nil, err
	}
	if crc32.Checksum(chunk[8:], castagnoli) != binary.BigEndian.Uint32(chunk[4:]) {
		return h, nil, fmt.Errorf("%w: wrong checksum", errDamaged)
	}
	h = chunkHead{int64(length), binary.BigEndian.Uint32(chunk[8:]), int64(binary.BigEndian.Uint64(chunk[12:]))}
	return h, chunk[chunkHeader:], nil
}

// chunk returns b as it lies in a file.
func chunk(b *flow.Batch) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, chunkHeader, 256*len(b.Records)))
	if err := gob.NewEncoder(buf).Encode(b); err != nil {
		return nil, err
	}
	c := buf.Bytes()
	if len(c) > maxChunk {
		return nil, fmt.Errorf("a batch of %d bytes", len(c))
	}
	binary.BigEndian.PutUint32(c, uint32(len(c)))
	binary.BigEndian.PutUint32(c[8:], uint32(len(b.Records)))
	binary.BigEndian.PutUint64(c[12:], uint64(b.Records[0].End))
	binary.BigEndian.PutUint32(c[4:], crc32.Checksum(c[8:], castagnoli))
	return c, nil
}

// put adds b at the end.
func (d *disk) put(b *flow.Batch) error {
	c, err := chunk(b)
	if err != nil {
		return err
	}
	if d.out == nil || d.files[len(d.files)-1].bytes >= maxFile {
		if err := d.rotate(); err != nil {
			return err
		}
	}
	f := d.files[len(d.files)-1]
	if _, err := d.out.WriteAt(c, f.bytes); err != nil {
		return errors.Join(err, d.out.Truncate(f.bytes))
	}
	f.records += uint64(len(b.Records))
	f.bytes += int64(len(c))
	d.records += uint64(len(b.Records))
	d.bytes += int64(len(c))
	return nil
}

// rotate begins a new file at the end.
func (d *disk) rotate() error {
	number := int64(middle)
	if n := len(d.files); n > 0 {
		number = d.files[n-1].number + 1
	} else if err := d.newID(); err != nil {
		return err
	}
	f := &spillFile{number: number}
	out, err := os.OpenFile(d.path(f), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if d.out != nil {
		err = d.out.Close()
	}
	d.out = out
	d.files = append(d.files, f)
	return err
}

// putFirst puts batches before all that waits, in a file of their own.
func (d *disk) putFirst(batches []*flow.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	f := &spillFile{number: middle - 1}
	if len(d.files) > 0 {
		f.number = d.files[0].number - 1
	} else if err := d.newID(); err != nil { // names must not come again
		return err
	}
	var all []byte
	for _, b := range batches {
		c, err := chunk(b)
		if err != nil {
			return err
		}
		all = append(all, c...)
		f.records += uint64(len(b.Records))
	}
	f.bytes = int64(len(all))
	if err := os.WriteFile(d.path(f), all, 0o600); err != nil {
		return errors.Join(err, os.Remove(d.path(f)))
	}
	if d.in != nil { // of the file that was the oldest
		d.files[0].start = d.at
		if err := d.in.Close(); err != nil {
			return err
		}
		d.in, d.at = nil, 0
	}
	d.files = slices.Insert(d.files, 0, f)
	d.records += f.records
	d.bytes += f.bytes
	return nil
}

// next returns the oldest batch and its name, which no other batch of any spool
// ever has; nil = there is none that can be read. lost says what was given up
// on the way there. The batch stays until taken.
func (d *disk) next() (b *flow.Batch, name string, lost flow.Loss) {
	for len(d.files) > 0 && d.records > 0 {
		b, err := d.read()
		if err == nil {
			return b, fmt.Sprintf("%s-%d-%d", d.id, d.files[0].number, d.at), lost
		}
		// Only damage ends here: chunks are whole when a file is opened.
		n := d.files[0].records
		lost = flow.Loss{
			Where: "store", Reason: "spilled flows: " + err.Error(), Unit: "flows", Count: lost.Count + n,
			Span: flow.Span{Start: d.first, End: d.first + 1},
		}
		d.records -= n
		d.files[0].records = 0
		d.drop() //nolint:errcheck // the file is of no use, and said so
	}
	return nil, "", lost
}

func (d *disk) read() (*flow.Batch, error) {
	if d.in == nil {
		in, err := os.Open(d.path(d.files[0]))
		if err != nil {
			return nil, err
		}
		d.in, d.at = in, d.files[0].start
	}
	h, body, err := readChunk(d.in, d.at)
	var b *flow.Batch
	if err == nil {
		b, err = batch(&h, body)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: offset %d: %w", d.path(d.files[0]), d.at, err)
	}
	d.nextLen, d.nextN, d.first = h.length, uint64(len(b.Records)), h.end
	return b, nil
}

// batch decodes the body of a chunk.
func batch(h *chunkHead, body []byte) (*flow.Batch, error) {
	var b flow.Batch
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if len(b.Records) != int(h.records) || h.records == 0 {
		return nil, fmt.Errorf("%w: %d records, announced are %d", errDamaged, len(b.Records), h.records)
	}
	return &b, nil
}

// taken steps over the batch that next returned, and reports whether it was
// the last of its file. No batch is added to that file any more then.
func (d *disk) taken() (whole bool) {
	f := d.files[0]
	d.at += d.nextLen
	f.records -= d.nextN
	d.records -= d.nextN
	d.first = 0
	if f.records > 0 {
		return false
	}
	if len(d.files) == 1 && d.out != nil {
		d.out.Close() //nolint:errcheck // all of it was read
		d.out = nil
	}
	return true
}

// drop deletes the oldest file.
func (d *disk) drop() error {
	f := d.files[0]
	var err error
	if d.in != nil {
		err = d.in.Close()
		d.in, d.at = nil, 0
	}
	if len(d.files) == 1 && d.out != nil {
		err = errors.Join(err, d.out.Close())
		d.out = nil
	}
	d.files = d.files[1:]
	d.bytes -= f.bytes
	for _, path := range []string{d.path(f), filepath.Join(d.dir, positionFile)} {
		if rmErr := os.Remove(path); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	return err
}

// oldest returns the End of the oldest record that waits; 0 = none does.
func (d *disk) oldest() int64 {
	if d.records == 0 {
		return 0
	}
	if d.first == 0 {
		if b, err := d.read(); err == nil {
			return b.Records[0].End
		}
	}
	return d.first
}

func (d *disk) close() error {
	var err error
	for _, f := range []*os.File{d.in, d.out, d.lock} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	d.in, d.out, d.lock = nil, nil, nil
	return err
}
