package export

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/portolan/portolan/internal/topology"
)

// lucidHead is the header of Lucidchart's process diagram import.
var lucidHead = []string{
	"Id", "Name", "Shape Library", "Page ID", "Contained By", "Group",
	"Line Source", "Line Destination", "Source Arrow", "Destination Arrow", "Text Area 1",
}

// Lucid writes Lucidchart's CSV for process diagrams: a page, a shape for each
// host, a line for each pair of hosts. Identifiers count from 1 in the order of
// rows, as Lucid's help asks. Virtual machines are circles, all else are boxes.
//
// Lucid lays the shapes out itself: the format has no places and no colours.
func Lucid(w io.Writer, g *topology.Graph, o Options) error {
	rows := [][]string{lucidHead, {"1", "Page", "", "", "", "", "", "", "", "", inert(pageTitle(o.Title))}}
	add := func(cells ...string) {
		rows = append(rows, append([]string{strconv.Itoa(len(rows))}, cells...))
	}
	ids := make([]string, len(g.Hosts))
	for i := range g.Hosts {
		ids[i] = strconv.Itoa(len(rows))
		name := "Process"
		if g.Hosts[i].Kind == topology.Virtual {
			name = "Connector" // a circle
		}
		add(name, "Flowchart Shapes", "1", "", "", "", "", "", "", inert(title(&g.Hosts[i])))
	}
	for _, l := range lines(g, o.LinePerPort) {
		add("Line", "", "1", "", "", ids[l.client], ids[l.server], "None", "Arrow", inert(l.label()))
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return out.WriteAll(rows)
}

func pageTitle(s string) string {
	if s = oneLine(s); s == "" {
		return "Network flows"
	}
	return s
}

// CheckLucid reports everything that makes a CSV no process diagram: missing
// columns; no page before everything else; identifiers that are no numbers or
// come twice; a page, a shape or the end of a line that is not there; arrows
// that do not point to the destination. Blank rows, columns without a name and
// gaps between identifiers are accepted, as Lucid does.
func CheckLucid(r io.Reader) error {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	rows, err := in.ReadAll()
	if err != nil {
		return fmt.Errorf("lucid csv: %w", err)
	}
	if len(rows) == 0 {
		return errors.New("lucid csv: no rows")
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		if _, again := at[name]; !again {
			at[name] = i
		}
	}
	for _, name := range lucidHead {
		if _, ok := at[name]; !ok {
			return fmt.Errorf("lucid csv: no column %q", name)
		}
	}
	c := lucidCheck{at: at, kinds: map[string]string{}}
	for i, cells := range rows[1:] {
		if strings.Join(cells, "") != "" {
			c.rows = append(c.rows, lucidRow{i + 2, cells})
		}
	}
	c.identifiers()
	for _, row := range c.rows {
		c.references(row)
	}
	return errors.Join(c.errs...)
}

// A lucidRow is a row that is not blank.
type lucidRow struct {
	number int // 1 = the header
	cells  []string
}

// A lucidCheck gathers what is wrong.
type lucidCheck struct {
	at    map[string]int    // columns by name
	kinds map[string]string // Name by Id
	rows  []lucidRow
	errs  []error
}

func (c *lucidCheck) get(row lucidRow, column string) string {
	if i := c.at[column]; i < len(row.cells) {
		return row.cells[i]
	}
	return ""
}

func (c *lucidCheck) wrong(row lucidRow, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("row %d: "+format, append([]any{row.number}, args...)...))
}

// identifiers checks the Id of every row, and that a page comes first.
func (c *lucidCheck) identifiers() {
	page := false
	for _, row := range c.rows {
		id, name := c.get(row, "Id"), c.get(row, "Name")
		if _, err := strconv.ParseUint(id, 10, 32); err != nil {
			c.wrong(row, "Id %q is no number", id)
		}
		if _, twice := c.kinds[id]; twice {
			c.wrong(row, "Id %s comes twice", id)
		}
		c.kinds[id] = name
		if page = page || name == "Page"; !page && name != "Document" {
			c.wrong(row, "%s stands before the first page", name)
		}
	}
	if !page {
		c.errs = append(c.errs, errors.New("lucid csv: no page"))
	}
}

// references checks what a row says of other rows.
func (c *lucidCheck) references(row lucidRow) {
	name := c.get(row, "Name")
	switch name {
	case "Page", "Document":
		return
	case "":
		c.wrong(row, "no Name")
	}
	if page := c.get(row, "Page ID"); c.kinds[page] != "Page" {
		c.wrong(row, "Page ID %q is no page", page)
	}
	if name != "Line" {
		if c.get(row, "Shape Library") == "" {
			c.wrong(row, "shape %q without a Shape Library", name)
		}
		return
	}
	for _, end := range []string{"Line Source", "Line Destination"} {
		switch kind, ok := c.kinds[c.get(row, end)]; {
		case !ok, kind == "Line", kind == "Page", kind == "Document":
			c.wrong(row, "%s %q is no shape", end, c.get(row, end))
		}
	}
	if from, to := c.get(row, "Source Arrow"), c.get(row, "Destination Arrow"); from != "None" || to != "Arrow" {
		c.wrong(row, "arrows are %q to %q, want None to Arrow", from, to)
	}
}
