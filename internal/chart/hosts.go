package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/topology"
)

const (
	minHostW    = 8 // cells
	hostH       = 3
	hostChipsH  = 4
	maxChips    = 4
	hostPad     = 9   // pixels between border and text
	maxTextW    = 260 // pixels; longer names end in an ellipsis
	chipH       = 13
	chipGap     = 3
	netHeadH    = 2 // cells of a network's title
	netPad      = 1
	internetNet = "Internet"
)

// addHosts makes a box of every host, and a container of every network.
// Hosts of the Internet stand in two containers: who asks, and who answers.
func (p *plan) addHosts(g *topology.Graph) {
	asks, answers := make([]uint64, len(g.Hosts)), make([]uint64, len(g.Hosts))
	for _, l := range p.links {
		asks[l.client] += l.bytes + 1
		answers[l.server] += l.bytes + 1
	}
	ids := names{}
	netAt := map[string]int{}
	for i := range g.Hosts {
		src := &g.Hosts[i]
		key, title := src.Network, clean(src.Network)
		outside := src.Kind == topology.Internet || src.Network == internetNet
		if outside {
			if title == "" {
				title = internetNet
			}
			key = "\x00asks " + key
			if answers[i] > asks[i] {
				key = "\x00answers " + key
			}
		}
		n, ok := netAt[key]
		if !ok {
			n = len(p.nets)
			netAt[key] = n
			p.nets = append(p.nets, &net{id: ids.pick("net-" + slug(strings.TrimPrefix(key, "\x00"))), title: title, outside: outside})
		}
		h := &host{src: src, net: n, id: ids.pick("host-" + slug(hostKey(src)))}
		h.title, h.sub = hostLines(src)
		h.chips = chips(h.id, src)
		h.measure()
		p.nets[n].hosts = append(p.nets[n].hosts, i)
		p.hosts = append(p.hosts, h)
	}
	for _, l := range p.links {
		a, b := p.hosts[l.client].net, p.hosts[l.server].net
		if a != b {
			p.nets[a].asks++
			p.nets[b].answers++
		}
	}
	for _, n := range p.nets {
		machines := 0
		for _, h := range n.hosts {
			machines += max(1, g.Hosts[h].Count)
		}
		n.sub = plural(machines, "host")
		n.title = ContainerFont.Fit(n.title, 2*maxTextW)
		n.titleW = int(math.Ceil((ContainerFont.Width(n.title)+SubFont.Width(n.sub)+12+2*hostPad)/Pitch)) + 1
	}
}

func hostKey(h *topology.Host) string {
	if h.Key != "" {
		return h.Key
	}
	if len(h.Addrs) > 0 {
		return h.Addrs[0].String()
	}
	return "h" + strconv.Itoa(int(h.ID))
}

// hostLines returns the two lines in a host's box.
func hostLines(h *topology.Host) (title, sub string) {
	title = clean(h.Name)
	addr := ""
	if len(h.Addrs) == 1 {
		addr = h.Addrs[0].String()
	}
	if title == "" {
		title, addr = clean(hostKey(h)), ""
		if len(h.Addrs) == 1 {
			title = h.Addrs[0].String()
		}
	}
	sub = addr
	if h.Count > 1 {
		sub = plural(h.Count, "host")
	}
	return HostFont.Fit(title, maxTextW), SubFont.Fit(sub, maxTextW)
}

// chips returns the ports that a host serves, most bytes first, without places.
func chips(box string, h *topology.Host) []Port {
	services := slices.Clone(h.Services)
	slices.SortStableFunc(services, func(a, b topology.Service) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Proto, b.Proto), cmp.Compare(a.Port, b.Port))
	})
	var out []Port
	seen := map[string]bool{}
	for _, s := range services {
		text := chipText(s)
		if seen[text] {
			continue // the same port over TCP and UDP is one chip
		}
		seen[text] = true
		out = append(out, Port{ID: box + "-port-" + slug(text), Text: text, Family: FamilyOf(s.Proto, s.Port, s.App)})
	}
	if len(out) > maxChips {
		rest := len(out) - maxChips + 1
		out = append(out[:maxChips-1], Port{ID: box + "-port-more", Text: "+" + strconv.Itoa(rest), Family: Neutral})
	}
	return out
}

func chipText(s topology.Service) string {
	if s.Proto.HasPorts() {
		return strconv.Itoa(int(s.Port))
	}
	return s.Proto.String()
}

// measure sets the size of a host's box from its text.
func (h *host) measure() {
	w := HostFont.Width(h.title)
	w = max(w, SubFont.Width(h.sub))
	chipsW := -float64(chipGap)
	for i := range h.chips {
		h.chips[i].Rect = Rect{W: math.Ceil(ChipFont.Width(h.chips[i].Text)) + 8, H: chipH}
		chipsW += h.chips[i].Rect.W + chipGap
	}
	w = max(w, chipsW) + 2*hostPad
	if h.shape() == Circle {
		w += 4
	}
	h.w = max(minHostW, int(math.Ceil(w/Pitch)))
	h.h = h.minH()
}

// minH returns the rows that a host's text takes.
func (h *host) minH() int {
	if len(h.chips) > 0 && h.sub != "" {
		return hostChipsH
	}
	return hostH
}

func (h *host) shape() Shape {
	switch {
	case h.src.Kind == topology.Virtual:
		return Circle
	case h.src.Kind == topology.Physical:
		return Square
	case h.src.Kind == topology.Internet:
		return Cloud
	case h.src.Kind == topology.Stack || h.src.Count > 1:
		return StackBox
	}
	return RoundedBox
}

// family returns the family that a host serves most.
func (h *host) family() Family {
	if len(h.chips) == 0 {
		return Neutral
	}
	return h.chips[0].Family
}

// names hands out identifiers that are unique on a page.
type names map[string]bool

func (n names) pick(want string) string {
	id := want
	for i := 2; n[id]; i++ {
		id = want + "-" + strconv.Itoa(i)
	}
	n[id] = true
	return id
}

// slug turns any text into [a-z0-9-]+.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			if t := b.String(); t != "" && t[len(t)-1] != '-' {
				b.WriteByte('-')
			}
		}
		if b.Len() >= 60 {
			break
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return "x"
}

// clean returns s as one line of printable text: what cannot be shown, or not
// be written to XML, becomes a space.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e ||
			r >= 0x2066 && r <= 0x2069 || r == 0xfffe || r == 0xffff || r == 0xfffd {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%s %ss", count(n), word)
}
