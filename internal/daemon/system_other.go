//go:build !unix

package daemon

import (
	"fmt"
	"os"
)

func becomeUser(name string, _ ...string) error {
	if name == "" {
		return nil
	}
	return fmt.Errorf("user %s: this system cannot change the user of a process", name)
}

func onHangup() (<-chan os.Signal, func()) { return nil, func() {} }
