package memory

import "testing"

func TestFloor(t *testing.T) {
	for _, tt := range [][2]int64{{0, 0}, {9, 0}, {10, 10}, {-1, -10}, {-10, -10}, {-11, -20}} {
		if got := floor(tt[0], 10); got != tt[1] {
			t.Errorf("floor(%d, 10) = %d, want %d", tt[0], got, tt[1])
		}
	}
}
