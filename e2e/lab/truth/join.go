package main

import (
	"errors"
	"fmt"
	"slices"
)

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
