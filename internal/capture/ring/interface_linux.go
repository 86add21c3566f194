package ring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/portolan/portolan/internal/packet"
)

// Interfaces returns the interfaces of this host, by index.
func Interfaces() ([]Interface, error) {
	all, err := links(0)
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("interfaces: %w", err)}
	}
	addrs, err := addresses()
	if err != nil {
		return nil, &Error{Err: fmt.Errorf("addresses: %w", err)}
	}
	byIndex := map[int]string{}
	for i := range all {
		byIndex[all[i].index] = all[i].name
	}
	way, _ := defaultRoute() // 0 if there is none
	out := make([]Interface, 0, len(all))
	for i := range all {
		l := &all[i]
		out = append(out, Interface{
			Name: l.name, Index: l.index, Kind: kindOf(l), Type: l.kind, MAC: net.HardwareAddr(l.address),
			Addrs: addrs[l.index], MTU: l.mtu, Speed: speed(l.name),
			Up: l.flags&unix.IFF_UP != 0, Carrier: l.flags&unix.IFF_LOWER_UP != 0,
			Promiscuous: l.promiscs > 0, Master: byIndex[l.master], Default: l.index == way,
			Offloads: offloads(l.name),
		})
	}
	return out, nil
}

// kindOf sorts what the kernel says into what matters to a capture.
func kindOf(l *link) Kind {
	switch {
	case l.hardware == unix.ARPHRD_LOOPBACK:
		return Loopback
	case l.kind == "bridge" || l.kind == "openvswitch":
		return Bridge
	case l.kind == "bond" || l.kind == "team":
		return Bond
	case l.kind == "vlan":
		return VLAN
	case l.kind == "veth" || l.kind == "netkit":
		return Veth
	case l.kind == "" && (l.hardware == unix.ARPHRD_ETHER || l.hardware == unix.ARPHRD_IEEE80211 || l.hardware == unix.ARPHRD_IEEE80211_RADIOTAP):
		return Physical
	case l.hardware == unix.ARPHRD_NONE || l.hardware == unix.ARPHRD_PPP,
		l.kind == "tun" || l.kind == "vxlan" || l.kind == "geneve" || strings.HasPrefix(l.kind, "gre") ||
			l.hardware >= unix.ARPHRD_TUNNEL && l.hardware <= unix.ARPHRD_IPGRE:
		return Tunnel
	}
	return Virtual
}

// speed returns bits per second.
func speed(name string) uint64 {
	text, err := os.ReadFile("/sys/class/net/" + name + "/speed")
	if err != nil {
		return 0
	}
	megabits, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil || megabits == math.MaxUint32 { // -1: unknown
		return 0
	}
	return megabits * 1e6
}

// Commands of SIOCETHTOOL (linux/ethtool.h).
const (
	getTSO    = 0x1e
	getGSO    = 0x23
	getFlags  = 0x25
	getGRO    = 0x2b
	flagOfLRO = 1 << 15
)

func offloads(name string) Offloads {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return Offloads{}
	}
	defer unix.Close(fd)
	return Offloads{
		GRO: ethtool(fd, name, getGRO) != 0, LRO: ethtool(fd, name, getFlags)&flagOfLRO != 0,
		GSO: ethtool(fd, name, getGSO) != 0, TSO: ethtool(fd, name, getTSO) != 0,
	}
}

// ethtool asks for one value, 0 if it is not known.
func ethtool(fd int, name string, command uint32) uint32 {
	value := struct{ command, data uint32 }{command: command}
	request := struct {
		name  [unix.IFNAMSIZ]byte
		value unsafe.Pointer
		_     [16]byte
	}{value: unsafe.Pointer(&value)}
	if copy(request.name[:unix.IFNAMSIZ-1], name) < len(name) {
		return 0
	}
	if _, _, err := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); err != 0 {
		return 0
	}
	return value.data
}

// addresses returns the addresses of each interface, by its index.
func addresses() (map[int][]netip.Prefix, error) {
	msgs, err := request(unix.RTM_GETADDR, true, make([]byte, unix.SizeofIfAddrmsg))
	if err != nil {
		return nil, err
	}
	out := map[int][]netip.Prefix{}
	for i := range msgs {
		m := &msgs[i]
		if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
			continue
		}
		attrs, err := syscall.ParseNetlinkRouteAttr(m)
		if err != nil {
			continue
		}
		var local, address netip.Addr
		for _, a := range attrs {
			switch a.Attr.Type {
			case unix.IFA_LOCAL:
				local, _ = netip.AddrFromSlice(a.Value)
			case unix.IFA_ADDRESS:
				address, _ = netip.AddrFromSlice(a.Value)
			}
		}
		if !local.IsValid() { // of IPv4 on a point-to-point link the address is the peer's
			local = address
		}
		if local.IsValid() {
			index := int(binary.NativeEndian.Uint32(m.Data[4:]))
			out[index] = append(out[index], netip.PrefixFrom(local, int(m.Data[1])))
		}
	}
	return out, nil
}

// DefaultInterface returns the interface of the default route, that of IPv4
// before that of IPv6.
func DefaultInterface() (string, error) {
	index, err := defaultRoute()
	if err != nil {
		return "", &Error{Err: err, Hint: "name one of: " + strings.Join(names(), ", ")}
	}
	l, err := links(index)
	if err != nil || len(l) != 1 {
		return "", &Error{Err: fmt.Errorf("interface %d of the default route: %w", index, errors.Join(err, ErrGone))}
	}
	return l[0].name, nil
}

// defaultRoute returns the index of the interface that the default route leads
// through.
func defaultRoute() (int, error) {
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		body := make([]byte, unix.SizeofRtMsg)
		body[0] = family
		msgs, err := request(unix.RTM_GETROUTE, true, body)
		if err != nil {
			return 0, fmt.Errorf("routes: %w", err)
		}
		best, metric := 0, uint64(math.MaxUint64)
		for i := range msgs {
			if index, m, ok := parseDefault(&msgs[i]); ok && uint64(m) < metric {
				best, metric = index, uint64(m)
			}
		}
		if best != 0 {
			return best, nil
		}
	}
	return 0, errors.New("there is no default route")
}

// parseDefault reports whether a route is a default one of the main table.
func parseDefault(m *syscall.NetlinkMessage) (index int, metric uint32, ok bool) {
	if m.Header.Type != unix.RTM_NEWROUTE || len(m.Data) < unix.SizeofRtMsg ||
		m.Data[1] != 0 || m.Data[4] != unix.RT_TABLE_MAIN || m.Data[7] != unix.RTN_UNICAST {
		return 0, 0, false
	}
	attrs, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return 0, 0, false
	}
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.RTA_OIF:
			index = int(number(a.Value))
		case unix.RTA_PRIORITY:
			metric = number(a.Value)
		case unix.RTA_MULTIPATH: // several ways: the first
			if index == 0 && len(a.Value) >= unix.SizeofRtNexthop {
				index = int(number(a.Value[4:]))
			}
		}
	}
	return index, metric, index != 0
}

// look fills a Sight until ctx ends.
func look(ctx context.Context, name string) (Sight, error) {
	var s Sight
	r, err := Open(Config{Interface: name, Promiscuous: true, SnapLen: 64, BlockSize: 256 << 10, Blocks: 8})
	if err != nil {
		return s, err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	defer context.AfterFunc(ctx, func() {
		r.Stop() //nolint:errcheck // the reader ends all the same: it looks at ctx
	})()
	var own net.HardwareAddr
	if l, err := links(r.socket.index); err == nil && len(l) == 1 {
		own = l[0].address
	}
	pairs := map[stations]heard{}
	for batch := make([]packet.Frame, 64); ; {
		n, err := r.ReadBatch(batch)
		for _, f := range batch[:n] {
			if f.Link != packet.LinkEthernet {
				s.Frames++
				s.Own++ // there are no stations
				continue
			}
			s.add(f.Data, own, pairs)
		}
		if errors.Is(err, io.EOF) || n == 0 && ctx.Err() != nil {
			return s, nil
		}
		if err != nil {
			return s, err
		}
	}
}
