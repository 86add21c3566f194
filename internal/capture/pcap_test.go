package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/packet"
)

const header = `
	d4c3b2a1 0200 0400      # magic, version 2.4
	00000000 00000000       # zone, accuracy
	00000400 01000000       # snaplen 262144, Ethernet
`

const record = `
	00f15365 40420f00       # 1700000000.999999+1 s
	04000000 3c000000       # 4 bytes of 60
	01020304
`

func TestPcap(t *testing.T) {
	frame := func(time int64, wire uint32, link packet.LinkType, data ...byte) packet.Frame {
		return packet.Frame{Data: append([]byte{}, data...), Time: time, Wire: wire, Link: link}
	}
	tests := []struct {
		name, in string
		want     []packet.Frame
		err      string
		cut      bool
	}{
		{name: "header only", in: header},
		{
			name: "fraction of a second that is a second",
			in:   header + record,
			want: []packet.Frame{frame(1_700_000_001_000_000_000, 60, 1, 1, 2, 3, 4)},
		},
		{
			name: "big-endian, nanoseconds, bits above the link type",
			in: `a1b23c4d 0002 0004 00000000 00000000 00000040 f4000071
			     6553f100 00000007 00000001 00000001 ff`,
			want: []packet.Frame{frame(1_700_000_000_000_000_007, 1, 113, 0xff)},
		},
		{
			name: "modified header",
			in: `34cdb2a1 0200 0400 00000000 00000000 00000400 01000000
			     00f15365 01000000 02000000 02000000 03000000 0008 00 00 aabb`,
			want: []packet.Frame{frame(1_700_000_000_000_001_000, 2, 1, 0xaa, 0xbb)},
		},
		{
			name: "version 2.3, lengths exchanged",
			in: `d4c3b2a1 0200 0300 00000000 00000000 00000400 01000000
			     00f15365 00000000 3c000000 02000000 aabb`,
			want: []packet.Frame{frame(1_700_000_000_000_000_000, 60, 1, 0xaa, 0xbb)},
		},
		{
			name: "more captured than on the wire, more than the snaplen, and nothing",
			in: `d4c3b2a1 0200 0400 00000000 00000000 01000000 01000000
			     00000000 00000000 02000000 01000000 aabb
			     00000000 00000000 00000000 00000000`,
			want: []packet.Frame{frame(0, 1, 1, 0xaa, 0xbb), frame(0, 0, 1)},
		},
		{
			name: "absurd length",
			in:   header + record + `00000000 00000000 ffffffff 3c000000`,
			want: []packet.Frame{frame(1_700_000_001_000_000_000, 60, 1, 1, 2, 3, 4)},
			err:  "x: offset 44: record announces 4294967295 bytes: more than 16777216",
		},
		{
			name: "cut in a record header",
			in:   header + record + `00000000`,
			want: []packet.Frame{frame(1_700_000_001_000_000_000, 60, 1, 1, 2, 3, 4)},
			err:  "x: offset 44: record header of 16 bytes, 4 bytes follow: the file is cut: unexpected EOF",
			cut:  true,
		},
		{
			name: "cut in a record",
			in:   header + record + `00000000 00000000 04000000 3c000000 01`,
			want: []packet.Frame{frame(1_700_000_001_000_000_000, 60, 1, 1, 2, 3, 4)},
			err:  "x: offset 44: record of 20 bytes, 17 bytes follow: the file is cut: unexpected EOF",
			cut:  true,
		},
		{
			name: "cut in the file header",
			in:   `d4c3b2a1 0200 0400`,
			err:  "x: offset 0: file header of 24 bytes, 8 follow: the file is cut: unexpected EOF",
			cut:  true,
		},
		{
			name: "version 1",
			in:   `d4c3b2a1 0100 0400 00000000 00000000 01000000 01000000`,
			err:  "x: offset 0: pcap version 1.4: only 2.x is read: not a pcap or pcapng file",
		},
	}
	for _, tt := range tests {
		in := unhex(t, tt.in)
		opens := map[string]func() (*File, error){
			"mapped":  func() (*File, error) { return openBytes(in) },
			"stream":  func() (*File, error) { return OpenReader(bytes.NewReader(in), "x") },
			"trickle": func() (*File, error) { return OpenReader(dripper{bytes.NewReader(in), 1}, "x") },
		}
		for way, open := range opens {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				var got []packet.Frame
				f, err := open()
				if err == nil {
					got, err = readAll(f, 64)
					if again, same := f.ReadBatch(make([]packet.Frame, 1)); again != 0 || err != nil && same != err {
						t.Errorf("after the end: %d frames, error %v", again, same)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
				if text := errorText(err); text != tt.err {
					t.Errorf("error %q, want %q", text, tt.err)
				}
				if errors.Is(err, io.ErrUnexpectedEOF) != tt.cut {
					t.Errorf("%v: io.ErrUnexpectedEOF is %t", err, !tt.cut)
				}
			})
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, content string
		is            error
		err           string // without the file's name
	}{
		{"empty", "", ErrEmpty, "file is empty"},
		{"garbage", "hello, world", ErrFormat, "begins with 68 65 6c 6c: not a pcap or pcapng file"},
		{"short", "h", ErrFormat, "begins with 68: not a pcap or pcapng file"},
		{"snoop", "snoop\x00\x00\x00\x00\x00\x00\x02", ErrFormat, "a snoop capture: not a pcap or pcapng file"},
		{"xz", "\xfd7zXZ\x00\x00", ErrFormat, "compressed with xz: not a pcap or pcapng file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if !errors.Is(err, tt.is) || errorText(err) != path+": "+tt.err {
				t.Errorf("error %q, want %q", err, tt.err)
			}
		})
	}
	if _, err := Open(dir); !errors.Is(err, ErrDirectory) || errorText(err) != dir+": is a folder" {
		t.Errorf("folder: %v", err)
	}
	missing := filepath.Join(dir, "missing.pcap")
	if _, err := Open(missing); !errors.Is(err, os.ErrNotExist) || errorText(err) != missing+": no such file or directory" {
		t.Errorf("missing: %v", err)
	}
}
