//go:build !unix

package spool

import "os"

// lock keeps nobody away: this system has no such call.
func lock(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
