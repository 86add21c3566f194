//go:build conformance && ndpi

package ndpi

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// ends names a conversation whoever is the client.
type ends struct {
	lower, higher netip.AddrPort
	proto         flow.Proto
}

func (e ends) String() string { return fmt.Sprintf("%v %v %v", e.proto, e.lower, e.higher) }

// makeEnds leaves out the ports of SCTP, which ndpiReader does not read.
func makeEnds(a, b netip.AddrPort, proto flow.Proto) ends {
	if proto == flow.SCTP {
		a, b = netip.AddrPortFrom(a.Addr(), 0), netip.AddrPortFrom(b.Addr(), 0)
	}
	if b.Compare(a) < 0 {
		a, b = b, a
	}
	return ends{a, b, proto}
}

// A theirs is a flow of ndpiReader's.
type theirs struct {
	ends  ends
	start int64 // ns since 1970
	app   flow.App
	name  string
	info  string
}

// readerLimit is how long ndpiReader may take for a file.
const readerLimit = 60 * time.Second

// ndpiReader returns the flows that ndpiReader names in a file. It writes into
// dir.
func ndpiReader(ctx context.Context, path, dir string, options ...string) ([]theirs, error) {
	ctx, cancel := context.WithTimeout(ctx, readerLimit)
	defer cancel()
	out := filepath.Join(dir, "flows.csv")
	if err := os.Remove(out); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "ndpiReader", append(options, "-q", "-i", path, "-C", out)...)
	cmd.Stderr = &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("ndpiReader %s: %w: %s", path, err, strings.TrimSpace(complaint.String()))
	}
	h, err := os.Open(out)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return parseFlows(h)
}

// parseFlows reads ndpiReader's CSV.
func parseFlows(r io.Reader) ([]theirs, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord, c.LazyQuotes = -1, true
	rows, err := c.ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[strings.TrimPrefix(name, "#")] = i
	}
	var all []theirs
	for n, row := range rows[1:] {
		get := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return row[i]
			}
			return ""
		}
		f, err := parseFlow(get)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", n+2, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// parseAddr reads an address as ndpiReader writes it: it turns every ":0:" into
// "::", so that there may be two of them.
func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil && strings.Count(s, "::") == 2 {
		return netip.ParseAddr(strings.Replace(s, "::", ":0:", 1))
	}
	return a, err
}

func parseFlow(get func(string) string) (theirs, error) {
	var errs []error
	number := func(name string, bits int) uint64 {
		n, err := strconv.ParseUint(get(name), 10, bits)
		errs = append(errs, err)
		return n
	}
	end := func(side string) netip.AddrPort {
		a, err := parseAddr(get(side + "_ip"))
		errs = append(errs, err)
		return netip.AddrPortFrom(a, uint16(number(side+"_port", 16)))
	}
	f := theirs{name: get("ndpi_proto"), info: get("server_name_sni")}
	f.ends = makeEnds(end("src"), end("dst"), flow.Proto(number("protocol", 8)))
	sec, ms, _ := strings.Cut(get("first_seen"), ".")
	s, err := strconv.ParseInt(sec, 10, 64)
	errs = append(errs, err)
	m, err := strconv.ParseInt(ms, 10, 64)
	errs = append(errs, err)
	f.start = s*1e9 + m*1e6
	master, app, two := strings.Cut(get("ndpi_proto_num"), ".")
	x, err := strconv.ParseUint(master, 10, 16)
	errs = append(errs, err)
	f.app.Master = uint16(x)
	if two {
		x, err = strconv.ParseUint(app, 10, 16)
		errs = append(errs, err)
		f.app.App = uint16(x)
	}
	if f.app.App == f.app.Master {
		f.app.App = 0
	}
	return f, errors.Join(errs...)
}
