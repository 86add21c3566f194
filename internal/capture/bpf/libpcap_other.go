//go:build !cgo || !(linux || darwin)

package bpf

import (
	"fmt"

	"github.com/portolan/portolan/internal/packet"
)

func compile(string, packet.LinkType, uint32) ([]Instruction, error) {
	return nil, fmt.Errorf("%w: this program was built without cgo", ErrNoLibrary)
}
