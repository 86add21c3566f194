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
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// A service is one that listens, or one that was asked for.
type service struct{ program, app string }

// A question is a conversation whose server does not listen.
type question struct {
	client netip.Addr
	server netip.AddrPort
	proto  uint8
}

// services are all that listen and all that was asked for in vain.
type services struct {
	listen map[endpoint]string // program
	asked  map[question]string // application that the asker spoke, "-" = none
}

type endpoint struct {
	netip.AddrPort
	proto uint8
}

// readServices reads which program listens where (listen.tsv, of ss), which
// addresses hosts have (addr.tsv) and what was asked in vain (asked.tsv).
func readServices(lab string) (*services, error) {
	s := &services{listen: map[endpoint]string{}, asked: map[question]string{}}
	addrs := map[string][]netip.Addr{}
	err := table(filepath.Join(lab, "addr.tsv"), 2, func(f []string) error {
		a, err := netip.ParseAddr(f[1])
		addrs[f[0]] = append(addrs[f[0]], a)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = table(filepath.Join(lab, "listen.tsv"), 4, func(f []string) error {
		proto, err := parseProto(f[1])
		if err != nil {
			return err
		}
		i := strings.LastIndexByte(f[2], ':')
		if i < 0 {
			return fmt.Errorf("no port in %q", f[2])
		}
		port, err := strconv.ParseUint(f[2][i+1:], 10, 16)
		if err != nil {
			return err
		}
		for _, a := range addrs[f[0]] {
			switch at := strings.Trim(f[2][:i], "[]"); {
			case at == "*", at == "0.0.0.0" && a.Is4(), at == "::" && a.Is6(), at == a.String():
				s.listen[endpoint{netip.AddrPortFrom(a, uint16(port)), proto}] = f[3]
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = table(filepath.Join(lab, "asked.tsv"), 5, func(f []string) error {
		client, err := netip.ParseAddr(f[0])
		if err != nil {
			return err
		}
		server, err := parseEndpoint(f[1], f[2])
		if err != nil {
			return err
		}
		proto, err := parseProto(f[3])
		s.asked[question{client, server, proto}] = f[4]
		return err
	})
	return s, err
}

func parseProto(s string) (uint8, error) {
	for n, name := range protoNames {
		if name == s {
			return n, nil
		}
	}
	return 0, fmt.Errorf("unknown protocol %q", s)
}

func parseEndpoint(addr, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	p, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a, uint16(p)), err
}

// table calls f with the fields of every line of a file.
func table(name string, fields int, f func([]string) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		row := strings.Split(lines.Text(), "\t")
		if len(row) != fields {
			return fmt.Errorf("%s line %d: %d fields: must be %d", name, n, len(row), fields)
		}
		if err := f(row); err != nil {
			return fmt.Errorf("%s line %d: %w", name, n, err)
		}
	}
	return lines.Err()
}

// readCounters reads the sets that net.sh made, as "nft -j -n list table"
// prints them.
func readCounters(name string) (map[way]count, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var listing struct {
		Objects []struct {
			Set *struct {
				Name string
				Elem []struct {
					Elem struct {
						Val     struct{ Concat []any }
						Counter struct{ Packets, Bytes uint64 }
					}
				}
			}
		} `json:"nftables"`
	}
	if err := json.Unmarshal(data, &listing); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ways := map[way]count{}
	for _, o := range listing.Objects {
		if o.Set == nil || o.Set.Name == "first4" {
			continue
		}
		for _, e := range o.Set.Elem {
			w, err := parseElement(o.Set.Name, e.Elem.Val.Concat)
			if err != nil {
				return nil, fmt.Errorf("%s: set %s: %w", name, o.Set.Name, err)
			}
			ways[w] = count{e.Elem.Counter.Packets, e.Elem.Counter.Bytes}
		}
	}
	return ways, nil
}

// parseElement parses a key of one of the sets: addresses with ports and
// protocol, or addresses with protocol or ICMP type.
func parseElement(set string, key []any) (w way, err error) {
	s := make([]string, len(key))
	for i, k := range key {
		s[i] = fmt.Sprint(k)
	}
	w.kind = -1
	switch {
	case len(s) == 5:
		var e1, e2 error
		w.src, e1 = parseEndpoint(s[0], s[1])
		w.dst, e2 = parseEndpoint(s[2], s[3])
		err = errors.Join(e1, e2)
	case len(s) == 3:
		var e1, e2 error
		w.src, e1 = parseEndpoint(s[0], "0")
		w.dst, e2 = parseEndpoint(s[1], "0")
		err = errors.Join(e1, e2)
	default:
		return w, fmt.Errorf("a key of %d values", len(s))
	}
	if err != nil {
		return w, err
	}
	last, err := strconv.ParseUint(s[len(s)-1], 10, 8)
	switch set {
	case "icmp4":
		w.proto, w.kind = icmp, int(last)
	case "icmp6":
		w.proto, w.kind = icmpv6, int(last)
	default:
		w.proto, w.later = uint8(last), strings.HasPrefix(set, "later")
	}
	return w, err
}

// readFrames counts frames by the fields of them that tshark printed: see
// make.sh for their order. Frames that are not IP have no addresses.
func readFrames(name string) (map[way]count, error) {
	ways := map[way]count{}
	err := table(name, 19, func(f []string) error {
		is4, is6 := f[1] != "", f[6] != ""
		if !is4 && !is6 {
			return nil
		}
		w := way{kind: -1}
		var bytes, offset string
		vlan, proto, src, dst := f[0], "", "", ""
		switch {
		case is4:
			src, dst, proto, bytes, offset = f[1], f[2], f[3], f[4], f[5]
		default:
			src, dst, proto, bytes, offset = f[6], f[7], f[8], f[9], f[11]
			if f[10] != "" { // the fragment header's next header
				proto = f[10]
			}
			if f[18] != "" { // behind hop-by-hop options
				proto = "58"
			}
		}
		n, err := strconv.ParseUint(proto, 10, 8)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(bytes, 10, 32)
		if err != nil {
			return err
		}
		if is6 {
			size += 40 // the payload length does not count the header (RFC 8200 section 3)
		}
		if vlan != "" {
			v, err := strconv.ParseUint(vlan, 0, 12)
			if err != nil {
				return err
			}
			w.vlan = uint16(v)
		}
		w.proto = uint8(n)
		w.later = offset != "" && offset != "0"
		sport, dport, kind := "0", "0", ""
		switch {
		case w.later:
		case w.proto == tcp:
			sport, dport = f[12], f[13]
		case w.proto == udp:
			sport, dport = f[14], f[15]
		case w.proto == icmp:
			kind = f[16]
		case w.proto == icmpv6:
			kind = f[17]
		}
		if kind != "" {
			if w.kind, err = strconv.Atoi(kind); err != nil {
				return err
			}
		}
		if w.src, err = parseEndpoint(src, sport); err != nil {
			return err
		}
		if w.dst, err = parseEndpoint(dst, dport); err != nil {
			return err
		}
		c := ways[w]
		ways[w] = count{c.packets + 1, c.bytes + size}
		return nil
	})
	return ways, err
}

// join makes conversations of ways.
func (s *services) join(ways map[way]count) (map[conversation]*total, error) {
	totals := map[conversation]*total{}
	var errs []error
	where := func(w way) (c conversation, toServer bool, err error) {
		c, toServer, known, err := s.orient(w)
		if err != nil {
			return c, toServer, err
		}
		if totals[c] == nil {
			totals[c] = &total{program: known.program, app: known.app}
		}
		return c, toServer, nil
	}
	add := func(c conversation, toServer bool, n count) {
		at := &totals[c].toClient
		if toServer {
			at = &totals[c].toServer
		}
		at.packets += n.packets
		at.bytes += n.bytes
	}
	for w, n := range ways {
		if w.later || w.complains() {
			continue
		}
		c, toServer, err := where(w)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		add(c, toServer, n)
	}
	// What has no ports of its own goes to the one conversation it belongs to.
	for w, n := range ways {
		var c conversation
		var toServer bool
		var err error
		switch {
		case w.later:
			var first way
			if first, err = firstOf(w, ways); err == nil {
				c, toServer, err = where(first)
			}
		case w.complains():
			c, err = complained(w, totals)
		default:
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		add(c, toServer, n)
	}
	for c := range totals {
		if totals[conversation{c.server, c.client, c.proto, c.vlan}] != nil && c.proto != icmp && c.proto != icmpv6 {
			errs = append(errs, fmt.Errorf("%v and %v are both clients", c.client, c.server))
		}
	}
	return totals, errors.Join(errs...)
}

// complains reports whether w carries ICMP errors (RFC 792, RFC 4443).
func (w way) complains() bool {
	switch w.proto {
	case icmp:
		return slices.Contains([]int{3, 4, 5, 11, 12}, w.kind)
	case icmpv6:
		return w.kind >= 1 && w.kind <= 4
	}
	return false
}

// orient tells whose conversation a way belongs to.
func (s *services) orient(w way) (c conversation, toServer bool, known service, err error) {
	c = conversation{w.src, w.dst, w.proto, w.vlan}
	back := conversation{w.dst, w.src, w.proto, w.vlan}
	switch w.proto {
	case tcp, udp:
		there, ok := s.find(c)
		here, also := s.find(back)
		switch {
		case ok && also:
			return c, true, known, fmt.Errorf("%s: both %v and %v listen", protoNames[w.proto], w.src, w.dst)
		case ok:
			return c, true, there, nil
		case also:
			return back, false, here, nil
		}
		return c, true, known, fmt.Errorf("%s: neither %v nor %v listens", protoNames[w.proto], w.src, w.dst)
	case icmp:
		if slices.Contains([]int{0, 14}, w.kind) { // echo and timestamp replies
			return back, false, service{"kernel", "ICMP"}, nil
		}
		return c, true, service{"kernel", "ICMP"}, nil
	case icmpv6:
		// Echo replies and advertisements answer; who speaks to a group asks.
		if slices.Contains([]int{129, 134, 136}, w.kind) && !w.dst.Addr().IsMulticast() {
			return back, false, service{"kernel", "ICMPV6"}, nil
		}
		return c, true, service{"kernel", "ICMPV6"}, nil
	case igmp:
		return c, true, service{"kernel", "IGMP"}, nil
	}
	return c, true, known, fmt.Errorf("protocol %d between %v and %v", w.proto, w.src, w.dst)
}

// find returns the service that a conversation would use.
func (s *services) find(c conversation) (service, bool) {
	if program, ok := s.listen[endpoint{c.server, c.proto}]; ok {
		return service{program, appOf(program, c.server.Port())}, true
	}
	app, ok := s.asked[question{c.client.Addr(), c.server, c.proto}]
	return service{"-", app}, ok
}

// appOf returns the application that a program speaks on a port, by nDPI's
// name.
func appOf(program string, port uint16) string {
	if program == "nginx" && port == 443 {
		return "TLS"
	}
	return map[string]string{
		"nginx": "HTTP", "labd": "HTTP", "mariadbd": "MySQL", "redis-server": "Redis", "dnsmasq": "DNS",
		"chronyd": "NTP", "sshd": "SSH", "smtpd": "SMTP", "rsync": "RSYNC",
	}[program]
}

// firstOf returns the way whose packets began what the later fragments w
// continue. The lab sends so few fragments that there is only one that can be:
// of ICMP, the echo; of UDP, that from or to port 53.
func firstOf(w way, ways map[way]count) (way, error) {
	var found []way
	for f := range ways {
		if f.later || f.proto != w.proto || f.vlan != w.vlan || f.src.Addr() != w.src.Addr() || f.dst.Addr() != w.dst.Addr() {
			continue
		}
		if n := ways[f]; n.bytes/n.packets > 1200 {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return w, fmt.Errorf("fragments from %v to %v belong to %d conversations: %v", w.src.Addr(), w.dst.Addr(), len(found), found)
	}
	return found[0], nil
}

// complained returns the conversation that ICMP errors of w are about: that of
// UDP which their receiver began and got no other answer to.
func complained(w way, totals map[conversation]*total) (conversation, error) {
	var found []conversation
	for c, t := range totals {
		if c.proto == udp && c.vlan == w.vlan && c.client.Addr() == w.dst.Addr() && c.server.Addr() == w.src.Addr() && t.toClient.packets == 0 {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return conversation{}, fmt.Errorf("errors from %v to %v are about %d conversations", w.src.Addr(), w.dst.Addr(), len(found))
	}
	return found[0], nil
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
