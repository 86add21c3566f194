//go:build ndpi && cgo

package ndpi

// #cgo pkg-config: libndpi
// #cgo noescape shim_packet
// #cgo nocallback shim_packet
// #cgo noescape shim_verdict
// #cgo nocallback shim_verdict
// #cgo noescape shim_guess
// #cgo nocallback shim_guess
// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/meter"
)

// Available says whether this program was built with nDPI.
const Available = true

// Version returns the library's version: "4.2.0".
func Version() string { return C.GoString(C.shim_version()) }

// opening is held while a module is made or ended: the library's own globals
// are set then.
var opening sync.Mutex

// An Identifier is one detection module of libndpi. It belongs to one
// goroutine, as the table does that it serves; several may work at once.
//
// Every packet is one call into C. That call takes 2 to 3 % of what the library
// takes for the packet, so collecting packets would gain nothing.
type Identifier struct {
	engine  *C.struct_engine // nil after Close
	numbers numbers
	slots   []place // by slot
	stats   Stats
}

// A place is where a conversation is known in the engine.
type place struct {
	flow        uint32 // 0 = not at all
	serverFirst bool   // the first payload was a reply
}

// New makes a detection module, which takes about 15 ms and 11 MB. The caller
// ends it with Close.
func New(cfg Config) (*Identifier, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	var protocols *C.char
	if cfg.Protocols != "" {
		if err := readable(cfg.Protocols); err != nil {
			return nil, err
		}
		protocols = C.CString(cfg.Protocols)
		defer C.free(unsafe.Pointer(protocols))
	}
	opening.Lock()
	defer opening.Unlock()
	var i Identifier
	switch C.shim_open(&i.engine, protocols, C.uint32_t(cfg.MaxFlows)) {
	case C.OPEN_OK:
	case C.OPEN_OTHER_LIBRARY:
		return nil, fmt.Errorf("ndpi: built for another nDPI than %s, which is installed", Version())
	case C.OPEN_BAD_PROTOCOLS:
		return nil, fmt.Errorf("ndpi: %s: nDPI %s does not accept the file", cfg.Protocols, Version())
	case C.OPEN_NOT_FINAL:
		return nil, fmt.Errorf("ndpi: nDPI %s does not start with this configuration", Version())
	default:
		return nil, errors.New("ndpi: out of memory")
	}
	i.numbers = newNumbers(i.libraryNames())
	return &i, nil
}

// readable says why a file cannot be read, which the library does not.
func readable(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("ndpi: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("ndpi: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("ndpi: %s: is no regular file", name)
	}
	return nil
}

func (i *Identifier) libraryNames() []string {
	names := make([]string, C.shim_protocols(i.engine))
	for id := range names {
		if name := C.shim_name(i.engine, C.uint32_t(id)); name != nil {
			names[id] = text([]byte(C.GoString(name)))
		}
	}
	return names
}

// Close returns the module's memory. The Identifier knows nothing afterwards.
func (i *Identifier) Close() {
	opening.Lock()
	defer opening.Unlock()
	C.shim_close(i.engine)
	i.engine, i.slots, i.stats.Open = nil, nil, 0
}

// Stats returns the counts so far.
func (i *Identifier) Stats() Stats { return i.stats }

// Names returns the names of those applications that l7 has none for: from the
// protocols file, and from an nDPI later than 4.2. Their numbers are 32,768 and
// above, and depend on the name alone. The caller must not change it.
func (i *Identifier) Names() map[uint16]string { return i.numbers.names }

// Packet shows the library the next payload of the conversation in slot, and
// reports whether it has seen enough.
func (i *Identifier) Packet(slot uint32, p meter.Payload) bool {
	if i.engine == nil || len(p.IP) == 0 {
		return i.engine == nil
	}
	for int(slot) >= len(i.slots) {
		i.slots = append(i.slots, place{})
	}
	at := &i.slots[slot]
	r := uint64(C.shim_packet(i.engine, C.uint32_t(at.flow), (*C.uint8_t)(unsafe.SliceData(p.IP)),
		C.uint32_t(min(len(p.IP), maxPacket)), C.uint64_t(max(p.Time, 0)/1e6)))
	if r == 0 {
		i.stats.Refused++
		return true
	}
	if at.flow == 0 {
		*at = place{uint32(r >> 1), p.Reply}
		i.stats.Open++
	}
	i.stats.Packets++
	return r&1 != 0
}

// maxPacket is the longest packet that the library can be told of.
const maxPacket = 1<<16 - 1

// Verdict returns what the library makes of the conversation in slot. What it
// cannot tell from the payload it guesses from ports and addresses.
func (i *Identifier) Verdict(slot uint32) meter.Verdict {
	if int(slot) >= len(i.slots) || i.slots[slot].flow == 0 {
		return meter.Verdict{}
	}
	var serverFirst C.int
	if i.slots[slot].serverFirst {
		serverFirst = 1
	}
	v := C.shim_verdict(i.engine, C.uint32_t(i.slots[slot].flow), serverFirst)
	i.slots[slot] = place{}
	i.stats.Open--
	out := meter.Verdict{App: i.numbers.app(uint16(v.master), uint16(v.app))}
	if out.App == (flow.App{}) {
		i.stats.Unknown++
		return out
	}
	i.stats.Named++
	if v.guessed != 0 {
		i.stats.Guessed++
		out.App.Guess = true
		return out
	}
	out.Info = field(v.info[:], v.info_length)
	d := flow.Details{
		TLSVersion: uint16(v.tls_version),
		JA4:        field(v.ja4[:], v.ja4_length),
		Software:   field(v.software[:], v.software_length),
	}
	if d != (flow.Details{}) {
		out.Details = &d
	}
	return out
}

// Guess returns what the library guesses of a conversation that was never shown
// to Packet, from its ports and addresses: "TLS to a network of Apple's". It
// takes about as long as a packet.
func (i *Identifier) Guess(k flow.Key) flow.App {
	if i.engine == nil {
		return flow.App{}
	}
	var buf [maxOpener]byte
	ip := appendOpener(buf[:0], &k)
	v := C.shim_guess(i.engine, (*C.uint8_t)(unsafe.SliceData(ip)), C.uint32_t(len(ip)))
	a := i.numbers.app(uint16(v.master), uint16(v.app))
	a.Guess = a != flow.App{} && (v.guessed != 0 || k.Proto.HasPorts())
	return a
}

// field returns the text in a field of C's.
func field(b []C.char, n C.uint8_t) string {
	if n == 0 {
		return ""
	}
	return text(unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), int(n)))
}

var _ meter.Identifier = (*Identifier)(nil)
