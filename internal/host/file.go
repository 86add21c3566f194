package host

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

// maxLine is the length of the longest line of a file of names, in bytes.
const maxLine = 1 << 20

// ReadFile adds what the file at path says, as Read does.
func (n *Names) ReadFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	return n.Read(f, path)
}

// Read adds what r says, line by line. A line is "address name" as in a hosts
// file, or CSV, "address,name" or "address,name,kind" with quotes where needed
// and commas or semicolons between; kind is vm, physical or empty. "#" begins a
// comment: anywhere in a hosts file, at the start of a line in CSV. A first line
// that begins with "address" or "ip" names columns.
//
// An address that comes again gets its last name. Errors begin with file, which
// is what r is called, and the line; what stood before that line is kept.
func (n *Names) Read(r io.Reader, file string) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	at, data := 1, 0
	for ; lines.Scan(); at++ {
		text := strings.TrimSpace(lines.Text())
		if at == 1 {
			text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
		}
		if text == "" || text[0] == '#' {
			continue
		}
		if data++; data == 1 && isHead(text) {
			continue
		}
		if err := n.line(text); err != nil {
			return fmt.Errorf("%s:%d: %w", file, at, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s:%d: the line is longer than %d bytes", file, at, maxLine)
	} else if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// isHead reports whether a line names the columns of a CSV.
func isHead(text string) bool {
	first, _, found := cutAny(text, ",;")
	first = strings.ToLower(strings.Trim(strings.TrimSpace(first), `"`))
	return found && (first == "address" || first == "addr" || first == "ip")
}

// cutAny cuts s at the first of chars.
func cutAny(s, chars string) (before, after string, found bool) {
	i := strings.IndexAny(s, chars)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func (n *Names) line(text string) error {
	fields, err := split(text)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(fields[0])
	if err != nil {
		return fmt.Errorf("%q is no address", fields[0])
	}
	if len(fields) < 2 || fields[1] == "" {
		return fmt.Errorf("no name behind address %s", addr)
	}
	kind := Unknown
	if len(fields) > 2 {
		switch strings.ToLower(fields[2]) {
		case "":
		case "vm", "virtual":
			kind = Virtual
		case "physical":
			kind = Physical
		default:
			return fmt.Errorf("kind %q: must be vm or physical", fields[2])
		}
	}
	n.Add(addr, strings.ToValidUTF8(fields[1], "\ufffd"), kind)
	return nil
}

// split returns address, name and, from CSV, the rest.
func split(text string) ([]string, error) {
	i := strings.IndexAny(text, ",; \t#")
	if i < 0 || text[i] != ',' && text[i] != ';' {
		text, _, _ = strings.Cut(text, "#")
		fields := strings.Fields(text)
		return fields[:min(len(fields), 2)], nil // behind the name are aliases
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.TrimLeadingSpace = rune(text[i]), true
	fields, err := r.Read()
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, fmt.Errorf("column %d: %w", e.Column, e.Err)
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields, err
}
