package parquet

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A kind says how the values of a column are held until they are encoded.
type kind uint8

const (
	flag    kind = iota // true or false
	small               // unsigned, up to 32 bits
	wide                // 64 bits
	address             // 16 bytes
	text                // UTF-8
)

// A field is a field of a row, which becomes a column.
type field struct {
	name   string
	kind   kind
	offset uintptr // in the row
	bits   int     // of numbers in the row
	signed bool    // whether negative numbers come before others
	typ    format.Type
}

// A layout says how rows of one type become columns.
type layout struct {
	fields []field
	schema thrift.Slice[format.SchemaElement]
	orders thrift.Slice[format.ColumnOrder]
	pool   sync.Pool // of *columns
}

// layoutOf returns the layout of rows of T, whose tags are those of parquet-go.
func layoutOf[T any]() *layout {
	var empty bytes.Buffer
	if err := pq.NewGenericWriter[T](&empty).Close(); err != nil {
		panic(fmt.Sprint("BUG: store: ", err))
	}
	f, err := pq.OpenFile(bytes.NewReader(empty.Bytes()), int64(empty.Len()))
	if err != nil {
		panic(fmt.Sprint("BUG: store: ", err))
	}
	l := &layout{schema: f.Metadata().Schema, orders: f.Metadata().ColumnOrders}
	row := reflect.TypeFor[T]()
	for i := range row.NumField() {
		l.fields = append(l.fields, fieldOf(row.Field(i), &l.schema[1+i]))
	}
	return l
}

func fieldOf(f reflect.StructField, e *format.SchemaElement) field {
	to := field{name: e.Name, offset: f.Offset, typ: e.Type.V}
	switch k := f.Type.Kind(); k {
	case reflect.Bool:
		to.kind = flag
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		to.kind, to.bits = small, f.Type.Bits()
	case reflect.Int64, reflect.Uint64:
		to.kind, to.bits, to.signed = wide, 64, k == reflect.Int64
	case reflect.String:
		to.kind = text
	case reflect.Array:
		to.kind = address
	default:
		panic(fmt.Sprintf("BUG: store: no column for %v", f.Type))
	}
	return to
}

// index returns the place of a column.
func (l *layout) index(name string) int {
	for i := range l.fields {
		if l.fields[i].name == name {
			return i
		}
	}
	panic("BUG: store: no column " + name)
}
