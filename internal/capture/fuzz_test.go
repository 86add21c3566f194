package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzReadPcap(f *testing.F) {
	f.Add(pcapFile([]byte{1, 2, 3}, nil, make([]byte, 100)))
	f.Add(unhex(f, header+record))
	f.Add(unhex(f, `a1b23c4d 0002 0004 00000000 00000000 00000040 f4000071 6553f100 00000007 00000001 00000001 ff`))
	f.Add(unhex(f, `34cdb2a1 0200 0400 00000000 00000000 00000400 01000000 00f15365 01000000 02000000 02000000 03000000 00080000 aabb`))
	f.Add(unhex(f, `d4c3b2a1 0200 0300 00000000 00000000 00000400 01000000 00f15365 00000000 3c000000 02000000 aabb`))
	f.Fuzz(checkReading)
}

func FuzzReadPcapng(f *testing.F) {
	f.Add(ngSample())
	f.Add(sectionBlock(binary.BigEndian))
	f.Add(append(sectionBlock(binary.LittleEndian), interfaceBlock(binary.LittleEndian, 1, 0, option(binary.LittleEndian, 9, 0xff))...))
	f.Fuzz(checkReading)
}

// checkReading reads a capture as a mapped file and as a pipe: both must end
// in the same way, say where, and give the same frames.
func checkReading(t *testing.T, in []byte) {
	before := bytes.Clone(in)
	mapped, err := openBytes(in)
	piped, pipedErr := OpenReader(dripper{bytes.NewReader(in), 5}, "x")
	if isCompressed(in) {
		return // unpacked by the pipe only
	}
	if errorText(err) != errorText(pipedErr) {
		t.Fatalf("mapped: %v\npiped: %v", err, pipedErr)
	}
	if err != nil {
		checkError(t, err, len(in))
		return
	}
	a, err := readAll(mapped, 4)
	b, pipedErr := readAll(piped, 3)
	if errorText(err) != errorText(pipedErr) {
		t.Fatalf("mapped: %v\npiped: %v", err, pipedErr)
	}
	if err != nil {
		checkError(t, err, len(in))
	}
	if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(mapped.Interfaces(), piped.Interfaces(), cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	size := 0
	for _, f := range a {
		size += 16 + len(f.Data)
		if int(f.Iface) >= len(mapped.Interfaces()) {
			t.Fatalf("frame of interface %d of %d", f.Iface, len(mapped.Interfaces()))
		}
	}
	if size > len(in) || uint64(len(a)) != mapped.Stats().Packets {
		t.Fatalf("%d frames of %d bytes from %d bytes, %d counted", len(a), size, len(in), mapped.Stats().Packets)
	}
	if !bytes.Equal(before, in) {
		t.Fatal("input modified")
	}
}

func checkError(t *testing.T, err error, size int) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Offset > int64(size) {
		t.Fatalf("error %T without position in %d bytes: %v", err, size, err)
	}
}
