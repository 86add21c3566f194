package chart

import (
	"math"
	"unicode"
)

// A Font is a size and a weight of the one family that charts use: a
// sans-serif such as Inter, Helvetica or DejaVu Sans.
type Font struct {
	Size float64 // pixels
	Bold bool
}

// The fonts of a chart.
var (
	TitleFont     = Font{20, true}    // the page's title
	CaptionFont   = Font{12, false}   // the lines below it
	ContainerFont = Font{12.5, true}  // the title of a network
	HostFont      = Font{11.5, true}  // first line of a host
	SubFont       = Font{10, false}   // second line of a host or a network
	ChipFont      = Font{9, true}     // port chips
	LabelFont     = Font{9.5, false}  // labels of links
	LegendFont    = Font{10.5, false} // entries of the legend
)

// Width returns the width of s in pixels. It is an upper bound for the usual
// sans-serif fonts: advances are those of DejaVu Sans, the widest of them.
func (f Font) Width(s string) float64 {
	table, rest := &regularAdvance, 720
	if f.Bold {
		table, rest = &boldAdvance, 800
	}
	sum := 0
	for _, r := range s {
		switch {
		case r >= 0x20 && r < 0x7f:
			sum += int(table[r-0x20])
		case r < 0x20 || unicode.Is(unicode.Mn, r):
		case r >= 0x1100:
			sum += 1100 // East Asian, symbols
		case r == 0xb7:
			sum += 380
		default:
			sum += rest
		}
	}
	return math.Ceil(float64(sum)*f.Size/100) / 10
}

// Fit returns s if it is at most width pixels wide, or else its beginning with
// an ellipsis.
func (f Font) Fit(s string, width float64) string {
	if f.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if cut := string(runes[:n]) + "…"; f.Width(cut) <= width {
			return cut
		}
	}
	return "…"
}

// Advances of the printable ASCII characters in 1/1000 em, read from the hmtx
// table of DejaVu Sans 2.37, Book and Bold.
var regularAdvance = [95]uint16{
	317, 400, 459, 837, 636, 950, 779, 274, 390, 390, 500, 837, 317, 360, 317, 336,
	636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 336, 336, 837, 837, 837, 530,
	1000, 684, 686, 698, 770, 631, 575, 774, 751, 294, 294, 655, 557, 862, 748, 787,
	603, 787, 694, 634, 610, 731, 684, 988, 685, 610, 685, 390, 336, 390, 837, 500,
	500, 612, 634, 549, 634, 615, 352, 634, 633, 277, 277, 579, 277, 974, 633, 611,
	634, 634, 411, 520, 392, 633, 591, 817, 591, 591, 524, 636, 336, 636, 837,
}

var boldAdvance = [95]uint16{
	348, 456, 520, 837, 695, 1001, 872, 306, 457, 457, 522, 837, 379, 415, 379, 365,
	695, 695, 695, 695, 695, 695, 695, 695, 695, 695, 399, 399, 837, 837, 837, 580,
	1000, 773, 762, 733, 830, 683, 683, 820, 836, 372, 372, 774, 637, 995, 836, 850,
	732, 850, 770, 720, 682, 812, 773, 1103, 770, 724, 725, 457, 365, 457, 837, 500,
	500, 674, 715, 592, 715, 678, 435, 715, 711, 342, 342, 665, 342, 1041, 711, 687,
	715, 715, 493, 595, 478, 711, 651, 923, 645, 651, 582, 711, 365, 711, 837,
}
