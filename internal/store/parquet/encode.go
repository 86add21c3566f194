package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"
	"sync"
	"unsafe"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// pageRows is the grain at which other programs can skip rows of a group.
	pageRows = 20_480
	// dictSpan bounds the values that a dictionary of numbers lies between, so
	// that it can be made with a table.
	dictSpan = 1 << 16
	// longText is the longest text that goes into statistics.
	longText = 256
)

// A chunk is a column of a row group, encoded.
type chunk struct {
	meta      format.ColumnMetaData // offsets count from the start of the chunk
	locations []format.PageLocation
	index     format.ColumnIndex
}

// An encoder turns columns into the bytes of pages. It keeps its memory.
type encoder struct {
	out    []byte // the chunk
	page   []byte
	packed []byte
	dict   []byte // values in plain encoding
	codes  []uint32
	places []uint32 // by value: its place in the dictionary, plus 1
	values []uint64 // numbers of the dictionary
}

var encoders = sync.Pool{New: func() any { return &encoder{places: make([]uint32, dictSpan)} }}

// column encodes the rows from from up to to. The bytes are in e.out until the
// next call.
func (e *encoder) column(f *field, col *column, from, to int) (*chunk, error) {
	c := &chunk{meta: format.ColumnMetaData{
		Type: f.typ, PathInSchema: []string{f.name}, Codec: format.Zstd, NumValues: int64(to - from),
	}}
	e.out = e.out[:0]
	switch f.kind {
	case flag:
		return c, e.flags(c, col.codes[from:to])
	case address:
		e.dict = e.dict[:0]
		for _, a := range col.addresses.values {
			e.dict = a.append(e.dict)
		}
		return c, e.coded(c, col.codes[from:to], len(col.addresses.values), func(code uint32) []byte {
			return col.addresses.values[code].append(nil)
		})
	case text:
		e.dict = e.dict[:0]
		for _, s := range col.texts.values {
			e.dict = append(binary.LittleEndian.AppendUint32(e.dict, uint32(len(s))), s...)
		}
		return c, e.coded(c, col.codes[from:to], len(col.texts.values), func(code uint32) []byte {
			if s := col.texts.values[code]; len(s) <= longText {
				return append([]byte{}, s...)
			}
			return nil
		})
	case small:
		return c, numbers(e, c, f, col.codes[from:to])
	}
	return c, numbers(e, c, f, col.words[from:to])
}

// numbers encodes a column of numbers: by a dictionary if they lie close
// together, else by their differences, unless these are as wide as they are.
func numbers[V uint32 | uint64](e *encoder, c *chunk, f *field, values []V) error {
	low, high := bounds(values, f.signed)
	if uint64(high-low) < dictSpan {
		places := e.places[:high-low+1]
		clear(places)
		for _, v := range values {
			places[v-low] = 1
		}
		e.dict, e.values = e.dict[:0], e.values[:0]
		for i, used := range places {
			if used != 0 {
				places[i] = uint32(len(e.values))
				e.values = append(e.values, uint64(low)+uint64(i))
				e.dict = appendNumber(e.dict, V(i)+low)
			}
		}
		e.codes = slices.Grow(e.codes[:0], len(values))[:len(values)]
		for i, v := range values {
			e.codes[i] = places[v-low]
		}
		return e.coded(c, e.codes, len(e.values), func(code uint32) []byte { return appendNumber(nil, V(e.values[code])) })
	}
	apart := bits.Len64(uint64(high-low)) > 60
	c.meta.Encoding = []format.Encoding{format.DeltaBinaryPacked}
	if apart {
		c.meta.Encoding[0] = format.Plain
	}
	for i := 0; i < len(values); i += pageRows {
		part := values[i:min(i+pageRows, len(values))]
		e.page = e.page[:0]
		switch {
		case apart:
			for _, v := range part {
				e.page = appendNumber(e.page, v)
			}
		default:
			e.page = appendDelta(e.page, part)
		}
		low, high := bounds(part, f.signed)
		if err := e.data(c, i, len(part), appendNumber(nil, low), appendNumber(nil, high)); err != nil {
			return err
		}
	}
	c.bounds(appendNumber(nil, low), appendNumber(nil, high))
	return nil
}

// bounds returns the least and the largest of values.
func bounds[V uint32 | uint64](values []V, signed bool) (low, high V) {
	var flip V
	if signed {
		flip = ^(^V(0) >> 1)
	}
	low, high = values[0]^flip, values[0]^flip
	for _, v := range values {
		low, high = min(low, v^flip), max(high, v^flip)
	}
	return low ^ flip, high ^ flip
}

func appendNumber[V uint32 | uint64](dst []byte, v V) []byte {
	if bits.Len64(uint64(^V(0))) == 32 {
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(v))
}

// appendDelta encodes values as the differences between neighbours.
func appendDelta[V uint32 | uint64](dst []byte, values []V) []byte {
	var e delta.BinaryPackedEncoding
	var err error
	if first := unsafe.Pointer(unsafe.SliceData(values)); unsafe.Sizeof(values[0]) == 4 {
		dst, err = e.EncodeInt32(dst, unsafe.Slice((*int32)(first), len(values)))
	} else {
		dst, err = e.EncodeInt64(dst, unsafe.Slice((*int64)(first), len(values)))
	}
	if err != nil {
		panic("BUG: store: " + err.Error()) // it takes any numbers
	}
	return dst
}

// flags encodes a column of bits.
func (e *encoder) flags(c *chunk, values []uint32) error {
	c.meta.Encoding = []format.Encoding{format.Plain}
	for i := 0; i < len(values); i += pageRows {
		part := values[i:min(i+pageRows, len(values))]
		e.page = slices.Grow(e.page[:0], len(part)/8+1)[:(len(part)+7)/8]
		clear(e.page)
		for row, v := range part {
			e.page[row/8] |= byte(v) << (row % 8)
		}
		low, high := bounds(part, false)
		if err := e.data(c, i, len(part), []byte{byte(low)}, []byte{byte(high)}); err != nil {
			return err
		}
	}
	low, high := bounds(values, false)
	c.bounds([]byte{byte(low)}, []byte{byte(high)})
	return nil
}

// coded encodes a column by the dictionary in e.dict, which holds n values in
// order. value returns one of them as statistics hold it, or nil.
func (e *encoder) coded(c *chunk, codes []uint32, n int, value func(code uint32) []byte) error {
	c.meta.Encoding = []format.Encoding{format.Plain, format.RLEDictionary}
	err := e.write(c, e.dict, &format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain, IsSorted: true}),
	})
	if err != nil {
		return err
	}
	c.meta.DataPageOffset = int64(len(e.out))
	least, largest := codes[0], codes[0]
	for i := 0; i < len(codes); i += pageRows {
		part := codes[i:min(i+pageRows, len(codes))]
		low, high := bounds(part, false)
		least, largest = min(least, low), max(largest, high)
		e.page, err = new(rle.DictionaryEncoding).EncodeInt32(e.page, unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(part))), len(part)))
		if err == nil {
			err = e.data(c, i, len(part), value(low), value(high))
		}
		if err != nil {
			return err
		}
	}
	c.bounds(value(least), value(largest))
	return nil
}

// data writes e.page, which holds n rows from row on and the values from low
// to high.
func (e *encoder) data(c *chunk, row, n int, low, high []byte) error {
	offset := int64(len(e.out))
	err := e.write(c, e.page, &format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(n), Encoding: c.meta.Encoding[len(c.meta.Encoding)-1],
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		}),
	})
	c.locations = append(c.locations, format.PageLocation{
		Offset: offset, CompressedPageSize: int32(int64(len(e.out)) - offset), FirstRowIndex: int64(row),
	})
	x := &c.index
	x.NullPages = append(x.NullPages, false)
	x.MinValues, x.MaxValues = append(x.MinValues, low), append(x.MaxValues, high)
	x.NullCounts = append(x.NullCounts, 0)
	return err
}

// bounds notes the least and the largest value of the chunk.
func (c *chunk) bounds(low, high []byte) {
	if low != nil && high != nil {
		c.meta.Statistics = format.Statistics{MinValue: low, MaxValue: high}
	}
}

// write adds a page to e.out.
func (e *encoder) write(c *chunk, page []byte, h *format.PageHeader) error {
	h.UncompressedPageSize = int32(len(page))
	var err error
	if e.packed, err = codec.Encode(e.packed, page); err != nil {
		return err
	}
	page = e.packed
	h.CompressedPageSize = int32(len(page))
	h.CRC = int32(crc32.ChecksumIEEE(page))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), h)
	if err != nil {
		return err
	}
	c.meta.TotalUncompressedSize += int64(len(header)) + int64(h.UncompressedPageSize)
	c.meta.TotalCompressedSize += int64(len(header) + len(page))
	e.out = append(append(e.out, header...), page...)
	return nil
}
