// Command truth joins what is known about the lab's traffic from the outside:
// how much was sent from whom to whom, which program listens where, and who
// asked where nobody listens. It knows nothing of flows.
//
// Usage:
//
//	truth -lab FOLDER                  counts of nftables, in counts.json
//	truth -lab FOLDER -frames FILE     counts of the frames that tshark listed (see make.sh)
//
// It is an error if who is the client of a conversation does not follow from
// that, or if both ends could be.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
)

// IP protocols (IANA).
const (
	icmp   = 1
	igmp   = 2
	tcp    = 6
	udp    = 17
	icmpv6 = 58
)

var protoNames = map[uint8]string{icmp: "icmp", igmp: "igmp", tcp: "tcp", udp: "udp", icmpv6: "icmp6"}

// A way is what went from one endpoint to another: one direction.
type way struct {
	src, dst netip.AddrPort
	proto    uint8
	kind     int  // ICMP type, -1 = none
	later    bool // fragments other than the first: without ports and type
	vlan     uint16
}

// A count counts IP packets and their bytes, headers included.
type count struct{ packets, bytes uint64 }

// A conversation is both directions, client to server.
type conversation struct {
	client, server netip.AddrPort
	proto          uint8
	vlan           uint16
}

// A total is what is known of a conversation.
type total struct {
	toServer, toClient count
	program, app       string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("truth: ")
	lab := flag.String("lab", "/tmp/ptl-lab", "`folder` of the lab")
	frames := flag.String("frames", "", "count the frames of this tshark `list`, not nftables' counters")
	flag.Parse()
	if err := run(os.Stdout, *lab, *frames); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer, lab, frames string) error {
	known, err := readServices(lab)
	if err != nil {
		return err
	}
	var ways map[way]count
	if frames == "" {
		ways, err = readCounters(filepath.Join(lab, "counts.json"))
	} else {
		ways, err = readFrames(frames)
	}
	if err != nil {
		return err
	}
	totals, err := known.join(ways)
	if err != nil {
		return err
	}
	return write(w, totals)
}

// write prints the truth, sorted by server.
func write(w io.Writer, totals map[conversation]*total) error {
	var all []conversation
	for c := range totals {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b conversation) int {
		return cmp.Or(a.server.Compare(b.server), cmp.Compare(a.proto, b.proto), a.client.Compare(b.client), cmp.Compare(a.vlan, b.vlan))
	})
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "client\tclient_port\tserver\tserver_port\tproto\tpackets_to_server\tbytes_to_server\tpackets_to_client\tbytes_to_client\tvlan\tapp\tprogram")
	for _, c := range all {
		t := totals[c]
		fmt.Fprintf(out, "%v\t%d\t%v\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", c.client.Addr(), c.client.Port(), c.server.Addr(), c.server.Port(),
			protoNames[c.proto], t.toServer.packets, t.toServer.bytes, t.toClient.packets, t.toClient.bytes, c.vlan, t.app, t.program)
	}
	return out.Flush()
}
