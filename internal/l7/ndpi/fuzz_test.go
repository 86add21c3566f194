//go:build ndpi && cgo

package ndpi

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unicode/utf8"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
)

// split makes packets of bytes: a length of two bytes before each. The upper
// bits of the length say whether it is a reply, and which conversation's.
func split(data []byte) []meter.Payload {
	var all []meter.Payload
	for len(data) > 2 {
		n := binary.BigEndian.Uint16(data)
		data = data[2:]
		size := min(int(n&0x7ff), len(data))
		all = append(all, meter.Payload{
			IP: data[:size:size], Time: int64(len(all)) * 1e6, Reply: n&0x8000 != 0, Proto: flow.Proto(n >> 11 & 3),
		})
		data = data[size:]
	}
	return all
}

func join(c *talk) []byte {
	var data []byte
	for _, p := range c.payloads() {
		n := uint16(len(p.IP))
		if p.Reply {
			n |= 0x8000
		}
		data = append(binary.BigEndian.AppendUint16(data, n), p.IP...)
	}
	return data
}

func FuzzPackets(f *testing.F) {
	for _, c := range []talk{dnsTalk, httpTalk, sshTalk, muteTalk, darkTalk} {
		f.Add(join(&c))
	}
	i := open(f, Config{MaxFlows: 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		packets := split(data)
		for _, p := range packets {
			i.Packet(uint32(p.Proto), p)
		}
		for slot := range uint32(4) {
			v := i.Verdict(slot)
			said := []string{v.Info}
			if v.Details != nil {
				said = append(said, v.Details.JA4, v.Details.Software)
			}
			for _, s := range said {
				// A byte that is no UTF-8 becomes one of '?': nothing grows.
				if len(s) > 255 || !utf8.ValidString(s) {
					t.Errorf("%q", s)
				}
			}
			if v.App.App != 0 && v.App.Master == 0 {
				t.Errorf("%+v", v.App)
			}
		}
		if open := i.Stats().Open; open != 0 {
			t.Errorf("%d conversations wait for ever", open)
		}
		if !bytes.Equal(before, data) {
			t.Error("the input was changed")
		}
	})
}
