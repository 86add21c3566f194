//go:build !unix

package parquet

import (
	"fmt"
	"os"
)

// lock makes this process the folder's writer until it removes the file. After
// a crash the file remains, and has to be removed by hand.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if os.IsExist(err) {
		return nil, fmt.Errorf("%w: %s exists: remove it if no other portolan runs", ErrLocked, path)
	}
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	return f, err
}
