// Package term prints for people at a terminal: tables, sizes, progress.
package term

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
)

// A Table is printed with its columns in line. Cells are made safe for a
// terminal: control characters are replaced.
type Table struct {
	Head  []string
	Right []bool // columns that are set flush right
	Rows  [][]string
}

// WriteTo prints t to w.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	width := make([]int, len(t.Head))
	for i, h := range t.Head {
		width[i] = utf8.RuneCountInString(h)
	}
	for _, row := range t.Rows {
		for i := range row {
			row[i] = Safe(row[i])
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			switch {
			case i < len(t.Right) && t.Right[i]:
				b.WriteString(pad + c)
			case i == len(cells)-1:
				b.WriteString(c)
			default:
				b.WriteString(c + pad)
			}
			if i < len(cells)-1 {
				b.WriteString("  ")
			}
		}
		b.WriteByte('\n')
	}
	line(t.Head)
	for _, row := range t.Rows {
		line(row)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// Safe replaces control characters, which a terminal would obey.
func Safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError {
			return '�'
		}
		return r
	}, s)
}

// Bytes prints a number of bytes with a decimal unit: "1.2 GB".
func Bytes(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for f >= 999.95 && unit < len("kMGTPE")-1 {
		f, unit = f/1000, unit+1
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTPE"[unit])
}

// Count prints n with thin groups of three: "12,345".
func Count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Time prints nanoseconds since 1970 as seconds in UTC.
func Time(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05")
}

// A Progress shows how far a long job is. A nil Progress shows nothing.
type Progress struct {
	bar  *progressbar.ProgressBar
	done int64
}

// NewProgress starts a bar of size bytes on w; size <= 0 is "unknown". Only
// for terminals: the caller knows.
func NewProgress(w io.Writer, what string, size int64) *Progress {
	if size <= 0 {
		size = -1
	}
	return &Progress{bar: progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(Safe(what)),
		progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())}
}

// Set says how many bytes are done.
func (p *Progress) Set(done int64) {
	if p == nil || done-p.done < 1<<20 {
		return
	}
	p.done = done
	p.bar.Set64(done) //nolint:errcheck // a bar that cannot be drawn is no reason to stop
}

// Close takes the bar away.
func (p *Progress) Close() {
	if p != nil {
		p.bar.Finish() //nolint:errcheck // as in Set
	}
}
