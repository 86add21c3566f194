package ring

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

// Places in the head of a block and of a frame, in bytes (struct
// tpacket_block_desc and tpacket3_hdr of linux/if_packet.h).
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16

	frameNext   = 0
	frameSec    = 4
	frameNsec   = 8
	frameKept   = 12
	frameLen    = 16
	frameStatus = 20
	frameMAC    = 24
	frameTag    = 32
	frameHeader = 48
)

const tagLen = 4 // of a VLAN tag, in bytes

// A block is a part of the ring that the kernel has filled.
type block struct {
	mem  []byte
	off  int // of the next frame's head
	left int // frames not handed out
}

func (b *block) status() *uint32 { return (*uint32)(unsafe.Pointer(&b.mem[blockStatus])) }

// open looks at mem. It reports false while that is the kernel's.
func (b *block) open(mem []byte) bool {
	b.mem = mem
	if atomic.LoadUint32(b.status())&unix.TP_STATUS_USER == 0 {
		return false
	}
	b.left = int(binary.NativeEndian.Uint32(mem[blockCount:]))
	b.off = int(binary.NativeEndian.Uint32(mem[blockFirst:]))
	return true
}

// release gives the block to the kernel.
func (b *block) release() { atomic.StoreUint32(b.status(), unix.TP_STATUS_KERNEL) }

// take fills dst and returns how many frames it wrote.
func (b *block) take(dst []packet.Frame, link packet.LinkType, iface uint32) int {
	n := min(len(dst), b.left)
	for i := range dst[:n] {
		h := (*[frameHeader]byte)(b.mem[b.off:])
		data := b.off + int(binary.NativeEndian.Uint16(h[frameMAC:]))
		end := data + int(binary.NativeEndian.Uint32(h[frameKept:]))
		f := packet.Frame{
			Data:  b.mem[data:end:end],
			Time:  int64(binary.NativeEndian.Uint32(h[frameSec:]))*1e9 + int64(binary.NativeEndian.Uint32(h[frameNsec:])),
			Wire:  binary.NativeEndian.Uint32(h[frameLen:]),
			Iface: iface,
			Link:  link,
		}
		// The kernel takes the outermost tag off and does not count it.
		if binary.NativeEndian.Uint32(h[frameStatus:])&unix.TP_STATUS_VLAN_VALID != 0 {
			f.VLAN = uint16(binary.NativeEndian.Uint32(h[frameTag:])) & 0xfff
			f.Wire += tagLen
		}
		dst[i] = f
		b.off += int(binary.NativeEndian.Uint32(h[frameNext:]))
	}
	b.left -= n
	return n
}
