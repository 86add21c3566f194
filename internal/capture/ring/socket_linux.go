package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/capture/bpf"
	"github.com/portolan/portolan/internal/packet"
)

// frameSize divides blocks for the kernel's arithmetic; frames take what they
// need.
const frameSize = 2048

// A socket is a packet socket. Its methods are called in the order in which
// they stand here: so it captures nothing from other interfaces, nothing
// before the filter, and nothing twice.
type socket struct {
	fd     int
	cfg    Config
	index  int // of the interface, which keeps it when it is renamed
	link   packet.LinkType
	filter []unix.SockFilter
	deaf   bool // to what this host sends
}

// newSocket makes a socket that is bound to nothing and refuses everything.
func newSocket(cfg Config) (*socket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return nil, &Error{cfg.Interface, err, permissionHint()}
	}
	s := &socket{fd: fd, cfg: cfg}
	if err != nil {
		return nil, s.fail("socket", err)
	}
	if err := s.configure(); err != nil {
		unix.Close(s.fd)
		return nil, err
	}
	return s, nil
}

func permissionHint() string {
	self, err := os.Executable()
	if err != nil {
		self = "portolan"
	}
	return fmt.Sprintf("sudo setcap cap_net_raw+ep %s, or run it as root", self)
}

func (s *socket) configure() error {
	hardware, err := s.identify()
	if err != nil {
		return err
	}
	var cooked bool
	if s.link, cooked = linkOf(hardware); cooked {
		// The link header of these is none, or is not to be relied on.
		unix.Close(s.fd)
		if s.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return s.fail("socket", err)
		}
	}
	loopback := hardware == unix.ARPHRD_LOOPBACK
	program, err := bpf.Compile(s.cfg.Filter, s.link, s.cfg.SnapLen)
	if err != nil {
		return &Error{Interface: s.cfg.Interface, Err: err}
	}
	code, err := program.Kernel(s.cfg.Direction == Out && !loopback)
	if err != nil {
		return &Error{Interface: s.cfg.Interface, Err: err}
	}
	for _, c := range code {
		s.filter = append(s.filter, unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K})
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return s.fail("packet version 3", err)
	}
	if s.deaf = loopback || s.cfg.Direction == In; s.deaf {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return s.fail("ignore outgoing frames (needs Linux 4.20)", err)
		}
	}
	return s.refuse()
}

// identify finds the interface and its type (an ARPHRD_ value).
func (s *socket) identify() (hardware uint16, err error) {
	req, err := unix.NewIfreq(s.cfg.Interface)
	if err != nil {
		return 0, s.noInterface()
	}
	if err := unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, req); err != nil {
		return 0, s.noInterface()
	}
	s.index = int(req.Uint32())
	if err := unix.IoctlIfreq(s.fd, unix.SIOCGIFHWADDR, req); err != nil {
		return 0, s.fail("type", err)
	}
	return req.Uint16(), nil
}

func (s *socket) noInterface() error {
	msg := "no such interface"
	if have := names(); len(have) > 0 {
		msg += " (have: " + strings.Join(have, ", ") + ")"
	}
	return &Error{Interface: s.cfg.Interface, Err: errors.New(msg)}
}

// linkOf returns how frames of a type of interface begin. Of those that are
// cooked the kernel is asked for the packet behind the link header.
func linkOf(hardware uint16) (link packet.LinkType, cooked bool) {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return packet.LinkEthernet, false
	case unix.ARPHRD_IEEE80211:
		return packet.Link80211, false
	case unix.ARPHRD_IEEE80211_PRISM:
		return packet.LinkPrism, false
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		return packet.LinkRadiotap, false
	}
	return packet.LinkRaw, true
}

// ring has the kernel make the ring, and maps it.
func (s *socket) ring() ([]byte, error) {
	size := s.cfg.BlockSize * s.cfg.Blocks
	req := unix.TpacketReq3{
		Block_size: uint32(s.cfg.BlockSize), Block_nr: uint32(s.cfg.Blocks),
		Frame_size: frameSize, Frame_nr: uint32(size / frameSize),
		Retire_blk_tov: uint32(s.cfg.Timeout.Milliseconds()),
	}
	err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req)
	if errors.Is(err, unix.ENOMEM) {
		return nil, &Error{s.cfg.Interface, fmt.Errorf("ring of %d bytes: %w", size, err), "ask for a smaller ring"}
	}
	if err != nil {
		return nil, s.fail("ring", err)
	}
	mem, err := unix.Mmap(s.fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, s.fail("map the ring", err)
	}
	return mem, nil
}

// bind begins to listen to the interface.
func (s *socket) bind() error {
	var protocol [2]byte // in the network's order
	binary.BigEndian.PutUint16(protocol[:], unix.ETH_P_ALL)
	addr := unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(protocol[:]), Ifindex: s.index}
	if err := unix.Bind(s.fd, &addr); err != nil {
		return s.fail("bind", err)
	}
	if !s.cfg.Promiscuous {
		return nil
	}
	// The kernel takes it back when the socket is closed.
	mreq := unix.PacketMreq{Ifindex: int32(s.index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
		return s.fail("promiscuous mode", err)
	}
	return nil
}

// join makes the socket one of a group that shares the frames. The first, for
// which group is negative, finds a number for it.
func (s *socket) join(group *int) error {
	mode, first := unix.PACKET_FANOUT_HASH, *group < 0
	if s.deaf { // in a group the socket's own setting counts for nothing
		mode |= unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING
	}
	if first {
		mode = (mode | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	} else {
		mode = mode<<16 | *group
	}
	err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, mode)
	if errors.Is(err, unix.EINVAL) {
		return &Error{s.cfg.Interface, fmt.Errorf("share with other workers: %w", err),
			"this kernel is too old for several workers, or wants the interface up; one worker does"}
	}
	if err != nil {
		return s.fail("share with other workers", err)
	}
	if first {
		got, err := unix.GetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		if err != nil {
			return s.fail("share with other workers", err)
		}
		*group = got & 0xffff
	}
	return nil
}

// begin attaches the filter: from now on frames are captured.
func (s *socket) begin() error {
	err := s.attach(s.filter)
	if errors.Is(err, unix.ENOMEM) {
		return &Error{s.cfg.Interface, fmt.Errorf("filter of %d steps: %w", len(s.filter), err),
			"sudo sysctl net.core.optmem_max=1048576, or write a shorter filter"}
	}
	if err != nil {
		return s.fail("filter", err)
	}
	return nil
}

// refuse captures no more.
func (s *socket) refuse() error {
	if err := s.attach([]unix.SockFilter{{Code: unix.BPF_RET}}); err != nil {
		return s.fail("filter", err)
	}
	return nil
}

func (s *socket) attach(filter []unix.SockFilter) error {
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// poll waits for frames, for wake if it is not negative, or until wait is
// over. It returns what is wrong with the socket.
func (s *socket) poll(wake int, wait time.Duration) error {
	fds := [2]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	ms := int((wait + time.Millisecond - 1) / time.Millisecond)
	if _, err := unix.Poll(fds[:], ms); err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	if fds[0].Revents&unix.POLLERR == 0 {
		return nil
	}
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR) // and forgets it
	if err != nil || n == 0 {
		return err
	}
	return unix.Errno(n)
}

// interfaceState says whether the interface is there, and up.
func (s *socket) interfaceState() (exists, up bool) {
	addr, err := unix.Getsockname(s.fd)
	if err != nil {
		return false, false
	}
	if ll, ok := addr.(*unix.SockaddrLinklayer); !ok || ll.Ifindex != s.index {
		return false, false // the kernel unbinds from what is gone
	}
	req, err := unix.NewIfreq("?") // overwritten
	if err != nil {
		return true, false
	}
	req.SetUint32(uint32(s.index))
	if unix.IoctlIfreq(s.fd, unix.SIOCGIFNAME, req) != nil || unix.IoctlIfreq(s.fd, unix.SIOCGIFFLAGS, req) != nil {
		return true, false
	}
	return true, req.Uint16()&unix.IFF_UP != 0
}

func (s *socket) fail(what string, err error) error {
	return &Error{Interface: s.cfg.Interface, Err: fmt.Errorf("%s: %w", what, err)}
}
