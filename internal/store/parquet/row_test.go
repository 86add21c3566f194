package parquet

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
)

// TestRowKeepsEveryField fills a record by reflection, so that a field that is
// added to flow.Record and forgotten here shows.
func TestRowKeepsEveryField(t *testing.T) {
	r := flow.Record{Details: new(flow.Details)}
	set(t, reflect.ValueOf(&r).Elem(), new(uint8))
	row := newFlowRow(&r)
	got := row.record()
	if d := cmp.Diff(r, got); d != "" {
		t.Error(d)
	}
}

func set(t *testing.T, v reflect.Value, n *uint8) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			set(t, v.Field(i), n)
		}
	case reflect.Pointer:
		set(t, v.Elem(), n)
	case reflect.Array:
		for i := range v.Len() {
			set(t, v.Index(i), n)
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(string('a' + rune(*n%26)))
	case reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	default:
		t.Fatalf("no value for %v", v.Type())
	}
}
