package config

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// A Size is a number of bytes. It prints as short as it can be without rounding.
type Size uint64

// sizeUnits are powers of 1000 and of 1024, as in the filter language. A B may
// follow each.
var sizeUnits = map[string]int64{
	"":  1,
	"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40,
}

func (s Size) String() string {
	best := ""
	for unit, factor := range sizeUnits {
		if s == 0 || factor == 1 || s%Size(factor) != 0 {
			continue
		}
		text := strconv.FormatUint(uint64(s)/uint64(factor), 10) + strings.Replace(unit, "I", "iB", 1)
		// Of two that are as long, the one that comes first in the alphabet.
		if best == "" || len(text) < len(best) || len(text) == len(best) && text < best {
			best = text
		}
	}
	if digits := strconv.FormatUint(uint64(s), 10); best == "" || len(digits) < len(best) {
		return digits
	}
	return best
}

// parseSize reads a number with a unit: 4G, 64MiB, 1.5GiB, 100. "none" is 0.
// ParseSize reads a size: 500M, 2GiB; "none" is 0.
func ParseSize(text string) (Size, error) { return parseSize(text) }

func parseSize(text string) (Size, error) {
	if strings.EqualFold(text, "none") {
		return 0, nil
	}
	digits := strings.TrimRight(text, "TGMKIBtgmkib ")
	unit := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(text[len(digits):])), "B")
	factor, known := sizeUnits[unit]
	n, ok := new(big.Rat).SetString(digits)
	if !known || !ok || !isNumber(digits) {
		return 0, fmt.Errorf("%q is no size", text)
	}
	n.Mul(n, new(big.Rat).SetInt64(factor))
	if !n.IsInt() || !n.Num().IsInt64() {
		return 0, fmt.Errorf("%q is no size", text)
	}
	return Size(n.Num().Int64()), nil
}

// isNumber reports whether s is short, of digits, with at most one point.
func isNumber(s string) bool {
	if len(s) == 0 || len(s) > 20 || s[0] == '.' || strings.Count(s, ".") > 1 {
		return false
	}
	return strings.Trim(s, "0123456789.") == ""
}

// Units of durations that time.ParseDuration does not know.
const (
	day  = 24 * time.Hour
	week = 7 * day
	year = 365 * day
)

// parseDuration reads 30s, 1h30m, 7d, 2w, 1y; a year is 365 days.
func parseDuration(text string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": day, "w": week, "y": year} {
		digits, found := strings.CutSuffix(text, unit)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/length) {
			return 0, fmt.Errorf("%q is no duration", text)
		}
		return time.Duration(n) * length, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration", text)
	}
	return d, nil
}

// printDuration prints d so that parseDuration reads it.
func printDuration(d time.Duration) string {
	switch {
	case d >= year && d%year == 0:
		return strconv.FormatInt(int64(d/year), 10) + "y"
	case d > day && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
