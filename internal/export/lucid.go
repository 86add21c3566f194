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

// Lucid writes Lucidchart's CSV for process diagrams: a page, a shape a host,
// a line a pair of hosts. Identifiers count from 1, as Lucid's help asks.
// Lucid lays the shapes out itself; the format has no places and no colours.
func Lucid(w io.Writer, g *topology.Graph, o Options) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	id := 0
	row := func(name, library, page, from, to, arrow, text string) {
		id++
		source := ""
		if arrow != "" {
			source = "None"
		}
		out.Write([]string{strconv.Itoa(id), name, library, page, "", "", from, to, source, arrow, inert(text)}) //nolint:errcheck // Flush's error says it
	}
	if err := out.Write(lucidHead); err != nil {
		return err
	}
	row("Page", "", "", "", "", "", o.Title)
	for i := range g.Hosts {
		name := "Process"
		if g.Hosts[i].Kind == topology.Virtual {
			name = "Connector" // a circle
		}
		row(name, "Flowchart Shapes", "1", "", "", "", title(&g.Hosts[i]))
	}
	for _, l := range lines(g, o.LinePerPort) {
		row("Line", "", "1", strconv.Itoa(int(l.client)+2), strconv.Itoa(int(l.server)+2), "Arrow", l.label())
	}
	out.Flush()
	return out.Error()
}

// inert makes text harmless in a spreadsheet, which takes cells that begin
// with these signs for formulas, and keeps it on one line.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// CheckLucid reports everything that makes a CSV no process diagram: missing
// columns, identifiers that are no numbers or come twice, a page, shape or end
// of a line that is not there, arrows that do not point to the destination.
// Blank rows and gaps between identifiers are accepted, as Lucid does.
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
		if _, again := at[name]; name != "" && !again {
			at[name] = i
		}
	}
	for _, name := range lucidHead {
		if _, ok := at[name]; !ok {
			return fmt.Errorf("lucid csv: no column %q", name)
		}
	}
	kinds := map[string]string{}
	var errs []error
	each := func(do func(line int, get func(string) string)) {
		for i, row := range rows[1:] {
			get := func(name string) string {
				if at[name] < len(row) {
					return row[at[name]]
				}
				return ""
			}
			if strings.Join(row, "") != "" {
				do(i+2, get)
			}
		}
	}
	each(func(line int, get func(string) string) {
		id := get("Id")
		if _, err := strconv.ParseUint(id, 10, 32); err != nil {
			errs = append(errs, fmt.Errorf("row %d: Id %q is no number", line, id))
		}
		if _, twice := kinds[id]; twice {
			errs = append(errs, fmt.Errorf("row %d: Id %s comes twice", line, id))
		}
		kinds[id] = get("Name")
	})
	each(func(line int, get func(string) string) {
		name := get("Name")
		if name == "Page" {
			return
		}
		if kinds[get("Page ID")] != "Page" {
			errs = append(errs, fmt.Errorf("row %d: Page ID %q is no page", line, get("Page ID")))
		}
		if name != "Line" {
			if get("Shape Library") == "" {
				errs = append(errs, fmt.Errorf("row %d: shape %q without a Shape Library", line, name))
			}
			return
		}
		for _, end := range []string{"Line Source", "Line Destination"} {
			if kind, ok := kinds[get(end)]; !ok || kind == "Line" || kind == "Page" {
				errs = append(errs, fmt.Errorf("row %d: %s %q is no shape", line, end, get(end)))
			}
		}
		if get("Source Arrow") != "None" || get("Destination Arrow") != "Arrow" {
			errs = append(errs, fmt.Errorf("row %d: arrows are %q to %q", line, get("Source Arrow"), get("Destination Arrow")))
		}
	})
	return errors.Join(errs...)
}
