//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// becomeUser gives up the rights of root for those of name, "" = nobody else.
// The folders become name's.
func becomeUser(name string, folders ...string) error {
	if name == "" || os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return fmt.Errorf("user %s: there is no such user", name)
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if err := errors.Join(err, gidErr); err != nil {
		return fmt.Errorf("user %s: %w", name, err)
	}
	for _, folder := range folders {
		if err := give(folder, uid, gid); err != nil {
			return fmt.Errorf("user %s: %w", name, err)
		}
	}
	for _, step := range []func() error{
		func() error { return syscall.Setgroups([]int{gid}) },
		func() error { return syscall.Setgid(gid) },
		func() error { return syscall.Setuid(uid) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("user %s: %w", name, err)
		}
	}
	return nil
}

// give makes folder and all that is in it uid's.
func give(folder string, uid, gid int) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
}

// onHangup returns a channel that tells of SIGHUP.
func onHangup() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
