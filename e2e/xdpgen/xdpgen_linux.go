package xdpgen

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/rlimit"
)

// liveFrames is BPF_F_TEST_XDP_LIVE_FRAMES.
const liveFrames = 1 << 1

// Limits of a Config.
const (
	MinLen = 42 // Ethernet, IPv4 and UDP headers
	MaxLen = 3000
)

// A Config says what to send.
type Config struct {
	Interface string // where the frames arrive
	Frames    uint32 // how many
	Len       int    // bytes of a frame, 0 = 60
	Flows     uint32 // how many conversations they are of, in turn; 0 = 1, 2^24 at the most
}

// A Result says what was done.
type Result struct {
	Sent uint64        // frames that arrived, as the program counted
	Took time.Duration // on one core
}

// Run sends and returns when all is sent. Frames are IPv4 and UDP, from
// 10.x.y.z port 1024+z to 10.255.0.1 port 443, where xyz is the number of the
// conversation; they are addressed to a station that nobody is.
func Run(cfg Config) (Result, error) {
	if cfg.Len == 0 {
		cfg.Len = 60
	}
	cfg.Flows = max(cfg.Flows, 1)
	if cfg.Len < MinLen || cfg.Len > MaxLen || cfg.Flows > 1<<24 {
		return Result{}, fmt.Errorf("%d bytes, %d conversations: want %d to %d, and %d at the most", cfg.Len, cfg.Flows, MinLen, MaxLen, 1<<24)
	}
	dev, err := net.InterfaceByName(cfg.Interface)
	if err != nil {
		return Result{}, err
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return Result{}, err
	}
	count, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		return Result{}, fmt.Errorf("map: %w", err)
	}
	defer count.Close()
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, Instructions: program(count, cfg.Flows), License: "Apache-2.0"})
	if err != nil {
		return Result{}, fmt.Errorf("program: %w", err)
	}
	defer prog.Close()

	context := make([]byte, 24) // struct xdp_md
	binary.NativeEndian.PutUint32(context[4:], uint32(cfg.Len))
	binary.NativeEndian.PutUint32(context[12:], uint32(dev.Index))
	from := time.Now()
	_, err = prog.Run(&ebpf.RunOptions{Data: frame(cfg.Len), Context: context, Repeat: cfg.Frames, Flags: liveFrames, BatchSize: 64})
	took := time.Since(from)
	var sent uint64
	return Result{sent, took}, errors.Join(err, count.Lookup(uint32(0), &sent))
}

// frame makes the frame that the program changes.
func frame(n int) []byte {
	b := make([]byte, n)
	copy(b, []byte{2, 0xfe, 0, 0, 0, 9, 2, 0xfe, 0, 0, 0, 1, 8, 0, 0x45})
	binary.BigEndian.PutUint16(b[16:], uint16(n-14))
	b[22], b[23] = 64, 17
	copy(b[26:], []byte{10, 0, 0, 0, 10, 255, 0, 1})
	binary.BigEndian.PutUint16(b[36:], 443)
	binary.BigEndian.PutUint16(b[38:], uint16(n-34))
	return b
}

// program counts, and writes the number of the conversation into a frame.
func program(count *ebpf.Map, flows uint32) asm.Instructions {
	const drop, pass = 1, 2
	return asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.LoadMapPtr(asm.R1, count.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "drop"),
		asm.LoadMem(asm.R2, asm.R6, 0, asm.Word), // data
		asm.LoadMem(asm.R3, asm.R6, 4, asm.Word), // data_end
		asm.Mov.Reg(asm.R4, asm.R2),
		asm.Add.Imm(asm.R4, MinLen),
		asm.JGT.Reg(asm.R4, asm.R3, "drop"),
		asm.LoadMem(asm.R5, asm.R0, 0, asm.DWord),
		asm.Mov.Reg(asm.R7, asm.R5),
		asm.Add.Imm(asm.R7, 1),
		asm.StoreMem(asm.R0, 0, asm.R7, asm.DWord), // one core runs this
		asm.Mod.Imm32(asm.R5, int32(flows)),
		asm.Mov.Reg(asm.R7, asm.R5),
		asm.And.Imm(asm.R7, 0xff),
		asm.Add.Imm(asm.R7, 1024),
		asm.HostTo(asm.BE, asm.R7, asm.Half),
		asm.StoreMem(asm.R2, 34, asm.R7, asm.Half), // source port
		asm.Or.Imm(asm.R5, 10<<24),
		asm.HostTo(asm.BE, asm.R5, asm.Word),
		asm.StoreMem(asm.R2, 26, asm.R5, asm.Word), // source address
		asm.Mov.Imm(asm.R0, pass),
		asm.Return(),
		asm.Mov.Imm(asm.R0, drop).WithSymbol("drop"),
		asm.Return(),
	}
}
