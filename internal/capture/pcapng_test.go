package capture

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/packet"
)

// ngSample has two sections of different byte order, all kinds of packet
// blocks, and clocks of several resolutions.
func ngSample() []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	return bytes.Join([][]byte{
		sectionBlock(le),
		interfaceBlock(le, 1, 96, option(le, 2, []byte("eth0")...), option(le, 9, 9), option(le, 0)),
		interfaceBlock(le, 113, 0, option(le, 2, []byte("any\x00")...), option(le, 14, 0, 0xe1, 0xf5, 0x05, 0, 0, 0, 0)),
		enhancedBlock(le, 0, 1_700_000_000_000_000_001, 60, []byte{1, 2, 3}),
		block(le, 0x77, []byte{1}), // nobody knows it
		block(le, blockSimple, append(le.AppendUint32(nil, 200), make([]byte, 96)...)),
		enhancedBlock(le, 1, 5, 4, []byte{4, 5, 6, 7}),
		block(le, blockStatistics, append(append(le.AppendUint32(nil, 1), make([]byte, 8)...), option(le, 5, 9, 0, 0, 0, 0, 0, 0, 0)...)),
		sectionBlock(be),
		interfaceBlock(be, 101, 0, option(be, 9, 0x8a)),
		block(be, blockPacket, append(be.AppendUint32(be.AppendUint32(be.AppendUint64(be.AppendUint32(nil, 7), 1<<10|1<<9), 2), 2), 8, 9)),
	}, nil)
}

func TestPcapng(t *testing.T) {
	const stamped = 1_700_000_000_000_000_001
	want := []packet.Frame{
		{Data: []byte{1, 2, 3}, Time: stamped, Wire: 60, Link: 1},
		{Data: make([]byte, 96), Time: stamped, Wire: 200, Link: 1},
		{Data: []byte{4, 5, 6, 7}, Time: 100_000_000_000_005_000, Wire: 4, Link: 113, Iface: 1},
		{Data: []byte{8, 9}, Time: 1_500_000_000, Wire: 2, Link: 101, Iface: 2},
	}
	ifaces := []Interface{
		{Name: "eth0", Link: 1, Snap: 96},
		{Name: "any", Link: 113, Dropped: 9},
		{Link: 101, Section: 1},
	}
	stats := Stats{Packets: 4, Untimed: 1, Sections: 2}
	stats.Skipped[InterfaceStatistics], stats.Skipped[OtherBlock] = 1, 1
	for _, size := range []int{1, 2, 64} {
		f, err := OpenReader(dripper{bytes.NewReader(ngSample()), 7}, "x")
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(f, size)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(ifaces, f.Interfaces()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(stats, f.Stats()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPcapngErrors(t *testing.T) {
	le := binary.LittleEndian
	start := append(sectionBlock(le), interfaceBlock(le, 1, 0)...) // 28 + 20 bytes
	join := func(b ...[]byte) []byte { return bytes.Join(append([][]byte{start}, b...), nil) }
	lying := enhancedBlock(le, 0, 0, 0, []byte{1, 2, 3, 4})
	le.PutUint32(lying[20:], 5)
	unequal := enhancedBlock(le, 0, 0, 0, nil)
	le.PutUint32(unequal[28:], 36)
	odd := sectionBlock(le)
	odd[8] = 0
	old := sectionBlock(le)
	old[12] = 2
	tests := []struct {
		name string
		in   []byte
		err  string
	}{
		{"unknown interface", join(enhancedBlock(le, 1, 0, 0, nil)), "x: offset 48: packet of interface 1: the section has 1"},
		{"interface of another section", join(sectionBlock(le), enhancedBlock(le, 0, 0, 0, nil)), "x: offset 76: packet of interface 0: the section has 0"},
		{"packet larger than its block", join(lying), "x: offset 48: packet announces 5 bytes: its block has 4"},
		{"short packet block", join(block(le, blockEnhanced, make([]byte, 16))), "x: offset 48: packet block with 16 bytes: less than 20"},
		{"short interface block", join(block(le, blockInterface, make([]byte, 4))), "x: offset 48: interface block with 4 bytes: less than 8"},
		{"two lengths", join(unequal), "x: offset 48: block announces 32 bytes in front and 36 at its end: must be equal"},
		{"no length", join(make([]byte, 12)), "x: offset 48: block announces 0 bytes: less than 12"},
		{"odd length", join(unhex(t, "05000000 0d000000 00000000")), "x: offset 48: block announces 13 bytes: not a multiple of 4"},
		{"absurd length", join(unhex(t, "05000000 fcffffff 00000000")), "x: offset 48: block announces 4294967292 bytes: more than 16778240"},
		{"cut in a block", join(lying[:20]), "x: offset 48: block of 36 bytes, 20 bytes follow: the file is cut: unexpected EOF"},
		{"cut in a block's header", join(lying[:5]), "x: offset 48: block of 12 bytes or more, 5 bytes follow: the file is cut: unexpected EOF"},
		{"byte order", join(odd), "x: offset 48: section with byte-order magic 00 3c 2b 1a: not a pcap or pcapng file"},
		{"version", join(old), "x: offset 48: pcapng version 2.0: only 1.0 and 1.2 are read: not a pcap or pcapng file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := openBytes(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = readAll(f, 8); errorText(err) != tt.err {
				t.Errorf("error %q\n want %q", errorText(err), tt.err)
			}
		})
	}
}

func TestClock(t *testing.T) {
	tests := []struct {
		name       string
		resolution byte
		offset     int64
		units      uint64
		want       int64
		ok         bool
	}{
		{"seconds", 0, 0, 3, 3e9, true},
		{"microseconds", 6, 0, 3, 3000, true},
		{"nanoseconds", 9, 0, 1 << 62, 1 << 62, true},
		{"picoseconds", 12, 0, 3999, 3, true},
		{"10^-28", 28, 0, ^uint64(0), 1, true},
		{"10^-127", 127, 0, ^uint64(0), 0, true},
		{"2^-0", 0x80, 0, 3, 3e9, true},
		{"2^-1", 0x81, 0, 3, 1_500_000_000, true},
		{"2^-32", 0xa0, 0, 3 << 31, 1_500_000_000, true},
		{"2^-63", 0xbf, 0, 3 << 62, 1_500_000_000, true},
		{"2^-64", 0xc0, 0, 1 << 63, 500_000_000, true},
		{"2^-65", 0xc1, 0, 1 << 63, 250_000_000, true},
		{"2^-127", 0xff, 0, ^uint64(0), 0, true},
		{"offset", 6, 2, 1, 2_000_001_000, true},
		{"offset back", 6, -2, 1, -1_999_999_000, true},
		{"too late", 6, 0, 1 << 60, 0, false},
		{"too late by offset", 9, 9_000_000_000, 1 << 62, 0, false},
		{"absurd offset", 6, 1 << 62, 1, 0, false},
	}
	for _, tt := range tests {
		c := clock{offset: tt.offset}
		c.setResolution(tt.resolution)
		if got, ok := c.ns(tt.units); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %d, %t, want %d, %t", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
