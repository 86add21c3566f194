//go:build cgo && (linux || darwin)

package bpf

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

// What is used of pcap.h. These have not changed since libpcap 0.8 of 2003;
// the library is found when it is needed, so that one binary serves machines
// with and without it, and building needs no header.
struct instruction { unsigned short code; unsigned char jt, jf; unsigned int k; };
struct program { unsigned int len; struct instruction *code; };

static void *(*open_dead)(int, int);
static void (*close_dead)(void *);
static int (*compile)(void *, struct program *, const char *, int, unsigned int);
static void (*freecode)(struct program *);
static char *(*geterr)(void *);

static const char *load(void) {
	static const char *names[] = {"libpcap.so.1", "libpcap.so.0.8", "libpcap.so", "libpcap.A.dylib", NULL};
	void *lib = NULL;
	for (int i = 0; names[i] && !lib; i++)
		lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return "no libpcap.so";
	open_dead = dlsym(lib, "pcap_open_dead");
	close_dead = dlsym(lib, "pcap_close");
	compile = dlsym(lib, "pcap_compile");
	freecode = dlsym(lib, "pcap_freecode");
	geterr = dlsym(lib, "pcap_geterr");
	if (!open_dead || !close_dead || !compile || !freecode || !geterr)
		return "libpcap lacks a function";
	return NULL;
}

static void *call_open(int dlt, int snap) { return open_dead(dlt, snap); }
static void call_close(void *p) { close_dead(p); }
static int call_compile(void *p, struct program *out, const char *expr) {
	return compile(p, out, expr, 1, 0xffffffff); // optimised; the netmask is unknown
}
static void call_free(struct program *p) { freecode(p); }
static const char *call_geterr(void *p) { return geterr(p); }
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/portolan/portolan/internal/packet"
)

var library = sync.OnceValue(func() error {
	if msg := C.load(); msg != nil {
		return fmt.Errorf("%w: %s", ErrNoLibrary, C.GoString(msg))
	}
	return nil
})

// compiling is held while libpcap compiles: before 1.8 it could do so in one
// thread only.
var compiling sync.Mutex

// compile has libpcap compile expr. What libpcap has against it is a message.
func compile(expr string, link packet.LinkType, snap uint32) ([]Instruction, error) {
	if err := library(); err != nil {
		return nil, err
	}
	compiling.Lock()
	defer compiling.Unlock()
	handle := C.call_open(C.int(dlt(link)), C.int(snap))
	if handle == nil {
		return nil, fmt.Errorf("libpcap: out of memory")
	}
	defer C.call_close(handle)
	text := C.CString(expr)
	defer C.free(unsafe.Pointer(text))
	var p C.struct_program
	if C.call_compile(handle, &p, text) != 0 {
		return nil, message(C.GoString(C.call_geterr(handle)))
	}
	defer C.call_free(&p)
	code := make([]Instruction, p.len)
	for i, c := range unsafe.Slice(p.code, p.len) {
		code[i] = Instruction{uint16(c.code), uint8(c.jt), uint8(c.jf), uint32(c.k)}
	}
	return code, nil
}

// dlt returns libpcap's own number of a link type. Most are the same; those
// that are not are older than the registry, and differ between systems.
func dlt(link packet.LinkType) int {
	switch link {
	case packet.LinkATM:
		return 11
	case packet.LinkRaw:
		return 12
	}
	return int(link)
}
