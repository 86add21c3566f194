package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sort"
	"syscall"

	"golang.org/x/sys/unix"
)

// request asks the kernel's routing about what, for the dump of all if dump.
// body is the request's fixed part.
func request(what uint16, dump bool, body []byte) ([]syscall.NetlinkMessage, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("netlink", err)
	}
	defer unix.Close(fd)
	flags := uint16(unix.NLM_F_REQUEST)
	if dump {
		flags |= unix.NLM_F_DUMP
	}
	const header = unix.SizeofNlMsghdr
	msg := make([]byte, header, header+len(body))
	binary.NativeEndian.PutUint32(msg[0:], uint32(header+len(body)))
	binary.NativeEndian.PutUint16(msg[4:], what)
	binary.NativeEndian.PutUint16(msg[6:], flags)
	if err := unix.Sendto(fd, append(msg, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("netlink", err)
	}
	var out []syscall.NetlinkMessage
	buf := make([]byte, 128<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("netlink", err)
		}
		// The messages point into what they are parsed from.
		msgs, err := syscall.ParseNetlinkMessage(append([]byte(nil), buf[:n]...))
		if err != nil {
			return nil, fmt.Errorf("netlink: %w", err)
		}
		for _, m := range msgs {
			switch m.Header.Type {
			case unix.NLMSG_DONE:
				return out, nil
			case unix.NLMSG_ERROR:
				if len(m.Data) >= 4 {
					if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
						return nil, os.NewSyscallError("netlink", unix.Errno(-code))
					}
				}
				return out, nil
			}
			out = append(out, m)
		}
		if !dump || len(msgs) == 0 {
			return out, nil
		}
	}
}

// A link is what the kernel says of an interface.
type link struct {
	index     int
	name      string
	hardware  uint16 // ARPHRD_ value
	flags     uint32
	mtu       int
	master    int // index of its bridge or bond, 0 = none
	promiscs  uint32
	kind      string // of a virtual interface: veth, bridge
	address   []byte
	cardDrops uint64
}

// links asks for the interface of that index, for all if it is 0.
func links(index int) ([]link, error) {
	body := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(body[4:], uint32(index))
	msgs, err := request(unix.RTM_GETLINK, index == 0, body)
	if err != nil {
		return nil, err
	}
	var out []link
	for i := range msgs {
		if l, ok := parseLink(&msgs[i]); ok {
			out = append(out, l)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].index < out[j].index })
	return out, nil
}

// Places in struct rtnl_link_stats64, in words of 8 bytes. Drivers count a
// lack of room in one of these, some of them in both. rx_dropped is left out:
// it also counts frames that a capture has seen and that no protocol of the
// host wants, as those of a VLAN that is not set up.
const (
	statFIFO   = 14
	statMissed = 15
)

func parseLink(m *syscall.NetlinkMessage) (link, bool) {
	if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
		return link{}, false
	}
	l := link{
		hardware: binary.NativeEndian.Uint16(m.Data[2:]),
		index:    int(int32(binary.NativeEndian.Uint32(m.Data[4:]))),
		flags:    binary.NativeEndian.Uint32(m.Data[8:]),
	}
	attrs, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return link{}, false
	}
	for _, a := range attrs {
		v := a.Value
		switch a.Attr.Type {
		case unix.IFLA_IFNAME:
			l.name = text(v)
		case unix.IFLA_MTU:
			l.mtu = int(number(v))
		case unix.IFLA_MASTER:
			l.master = int(number(v))
		case unix.IFLA_PROMISCUITY:
			l.promiscs = number(v)
		case unix.IFLA_ADDRESS:
			l.address = v
		case unix.IFLA_LINKINFO:
			l.kind = text(nested(v, unix.IFLA_INFO_KIND))
		case unix.IFLA_STATS64:
			if len(v) >= (statMissed+1)*8 {
				l.cardDrops = max(binary.NativeEndian.Uint64(v[statFIFO*8:]), binary.NativeEndian.Uint64(v[statMissed*8:]))
			}
		}
	}
	return l, l.name != ""
}

// nested returns the attribute of a kind among those in b.
func nested(b []byte, kind uint16) []byte {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return nil
		}
		if binary.NativeEndian.Uint16(b[2:]) == kind {
			return b[unix.SizeofRtAttr:n]
		}
		b = b[min(len(b), (n+3)&^3):]
	}
	return nil
}

// text returns a string that ends with a zero.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

func number(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}

// cardDrops returns what card and driver of an interface dropped since it is
// there, 0 if that is not known.
func cardDrops(index int) uint64 {
	l, err := links(index)
	if err != nil || len(l) != 1 {
		return 0
	}
	return l[0].cardDrops
}

// names returns the interfaces there are.
func names() []string {
	l, err := links(0)
	if err != nil {
		return nil
	}
	var out []string
	for i := range l {
		out = append(out, l[i].name)
	}
	sort.Strings(out)
	return out
}
