//go:build !ndpi || !cgo

package ndpi

import "testing"

func TestNewSaysThatThereIsNone(t *testing.T) {
	const want = "ndpi: built without nDPI: build with cgo and -tags ndpi"
	if i, err := New(Config{}); i != nil || err == nil || err.Error() != want {
		t.Errorf("%v, %v, want %s", i, err, want)
	}
	if Available || Version() != "" {
		t.Errorf("available %v, version %q", Available, Version())
	}
}
