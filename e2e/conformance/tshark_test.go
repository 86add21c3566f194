//go:build conformance

package conformance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// A layer is an IP packet as tshark sees it, and what it carries.
type layer struct {
	src, dst     netip.Addr
	bytes        uint32 // of the IP packet by its own length, header included
	proto        string // tshark's name of what comes next, after extension headers
	sport, dport uint16
}

// A witness is what tshark says of a frame: its IP packets from the outermost
// inwards, without those that an ICMP error quotes.
type witness struct {
	layers []layer
	vlan   uint16 // outermost
	broken bool   // tshark calls the frame malformed, or its fields do not fit its protocols
	text   string // the protocols
}

// witnessFields are the columns asked of tshark. Every one lists all its
// occurrences in the frame, from the outside inwards.
var witnessFields = []string{
	"frame.protocols", "vlan.id", "ip.src", "ip.dst", "ip.len", "ipv6.src", "ipv6.dst", "ipv6.plen",
	"tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport",
	"dccp.srcport", "dccp.dstport",
}

// tsharkLimit is how long tshark may take for a file.
const tsharkLimit = 60 * time.Second

// tshark asks tshark about all frames of a file. What spans frames is turned
// off, as our decoder sees one frame at a time.
func tshark(ctx context.Context, path string) ([]witness, error) {
	ctx, cancel := context.WithTimeout(ctx, tsharkLimit)
	defer cancel()
	args := []string{"-n", "-r", path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
		"-d", "udp.port==8472,vxlan", // Linux's port, which tshark does not know
	}
	for _, off := range []string{"ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams", "tcp.analyze_sequence_numbers"} {
		args = append(args, "-o", off+":FALSE")
	}
	for _, field := range witnessFields {
		args = append(args, "-e", field)
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "tshark", args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil && out.Len() == 0 {
		return nil, fmt.Errorf("tshark: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	var all []witness
	for line := range strings.Lines(out.String()) {
		all = append(all, parseWitness(strings.TrimSuffix(line, "\n")))
	}
	return all, ctx.Err()
}

// A column gives the occurrences of a field one after the other.
type column []string

func (c *column) next() (string, error) {
	if len(*c) == 0 || (*c)[0] == "" {
		return "", errors.New("no further occurrence")
	}
	v := (*c)[0]
	*c = (*c)[1:]
	return v, nil
}

func (c *column) number() (uint32, error) {
	v, err := c.next()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(v, 0, 32)
	return uint32(n), err
}

func (c *column) addr() (netip.Addr, error) {
	v, err := c.next()
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.ParseAddr(v)
}

// parseWitness reads a line of tshark's output.
func parseWitness(line string) witness {
	columns := map[string]*column{}
	values := strings.Split(line, "\t")
	for i, field := range witnessFields {
		c := column{}
		if i < len(values) {
			c = strings.Split(values[i], ",")
		}
		columns[field] = &c
	}
	w := witness{text: values[0]}
	vlan, _ := columns["vlan.id"].number()
	w.vlan = uint16(vlan)
	var last *layer
	for _, proto := range strings.Split(values[0], ":") {
		switch proto {
		case "ip", "ipv6":
			if last != nil {
				last.proto = cmp.Or(last.proto, proto)
			}
			l, err := nextLayer(columns, proto)
			if err != nil {
				w.broken = true
				return w
			}
			w.layers = append(w.layers, l)
			last = &w.layers[len(w.layers)-1]
		case "tcp", "udp", "sctp", "dccp", "udplite":
			if last == nil || last.proto != "" {
				continue
			}
			last.proto = proto
			field := strings.TrimSuffix(proto, "lite")
			s, err1 := columns[field+".srcport"].number()
			d, err2 := columns[field+".dstport"].number()
			if err1 != nil || err2 != nil {
				w.broken = true
				return w
			}
			last.sport, last.dport = uint16(s), uint16(d)
		case "icmp", "icmpv6":
			if last != nil {
				last.proto = cmp.Or(last.proto, proto)
			}
			return w // what follows is quoted
		case "_ws.malformed":
			w.broken = true
		default:
			if last != nil && !strings.HasPrefix(proto, "ipv6.") && proto != "ah" {
				last.proto = cmp.Or(last.proto, proto)
			}
		}
	}
	return w
}

func nextLayer(columns map[string]*column, proto string) (layer, error) {
	src, err1 := columns[proto+".src"].addr()
	dst, err2 := columns[proto+".dst"].addr()
	if proto == "ip" {
		n, err := columns["ip.len"].number()
		return layer{src: src, dst: dst, bytes: n}, errors.Join(err1, err2, err)
	}
	n, err := columns["ipv6.plen"].number()
	return layer{src: src, dst: dst, bytes: n + 40}, errors.Join(err1, err2, err)
}

// protoNames are the protocols whose conversations are compared by number.
var protoNames = map[string]flow.Proto{
	"tcp": flow.TCP, "udp": flow.UDP, "sctp": flow.SCTP, "dccp": flow.DCCP, "udplite": flow.UDPLite,
	"icmp": flow.ICMP, "icmpv6": flow.ICMPv6,
}
