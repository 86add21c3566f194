// Package lab reads the truth about captures of the lab: a small company's
// network in network namespaces. net.sh brings it up, make.sh captures it.
package lab

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// A Conversation is one line of a truth file. Counts are those of IP packets
// and their bytes, headers included. ICMP has ports 0.
type Conversation struct {
	flow.Key
	ToServer, ToClient flow.Counters
	App                string // as nDPI names it; "-" = nobody came to speak
	Program            string // that listens; "-" = none does
}

var protos = map[string]flow.Proto{
	"icmp": flow.ICMP, "igmp": flow.IGMP, "tcp": flow.TCP, "udp": flow.UDP, "icmp6": flow.ICMPv6,
}

// header is the first line of a truth file.
const header = "client\tclient_port\tserver\tserver_port\tproto\tpackets_to_server\tbytes_to_server\tpackets_to_client\tbytes_to_client\tvlan\tapp\tprogram"

// ReadTruth reads a truth file, whose keys are all different. Errors name the
// line.
func ReadTruth(name string) ([]Conversation, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Conversation
	seen := map[flow.Key]int{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			if lines.Text() != header {
				return nil, fmt.Errorf("%s: the first line is %q: must be %q", name, lines.Text(), header)
			}
			continue
		}
		c, err := parse(strings.Split(lines.Text(), "\t"))
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", name, n, err)
		}
		if before := seen[c.Key]; before > 0 {
			return nil, fmt.Errorf("%s line %d: the same conversation as in line %d", name, n, before)
		}
		seen[c.Key] = n
		all = append(all, c)
	}
	return all, lines.Err()
}

func parse(field []string) (c Conversation, err error) {
	if want := strings.Count(header, "\t") + 1; len(field) != want {
		return c, fmt.Errorf("%d fields: must be %d", len(field), want)
	}
	number := func(i, bits int) uint64 {
		n, e := strconv.ParseUint(field[i], 10, bits)
		if e != nil && err == nil {
			err = e
		}
		return n
	}
	addr := func(i int) netip.Addr {
		a, e := netip.ParseAddr(field[i])
		if e != nil && err == nil {
			err = e
		}
		return a
	}
	client, server := addr(0), addr(2)
	if err != nil {
		return c, err
	}
	proto, ok := protos[field[4]]
	if !ok {
		return c, fmt.Errorf("unknown protocol %q", field[4])
	}
	c.Key = flow.NewKey(proto, netip.AddrPortFrom(client, uint16(number(1, 16))), netip.AddrPortFrom(server, uint16(number(3, 16))))
	c.ToServer = flow.Counters{Packets: number(5, 64), Bytes: number(6, 64)}
	c.ToClient = flow.Counters{Packets: number(7, 64), Bytes: number(8, 64)}
	c.VLAN = uint16(number(9, 12))
	c.App, c.Program = field[10], field[11]
	return c, err
}
