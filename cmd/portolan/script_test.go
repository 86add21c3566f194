package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"portolan": main})
}

// TestScripts runs the commands as a user types them. $LAB is the folder of
// the shipped lab captures, $SEED that of the seed's.
func TestScripts(t *testing.T) {
	lab, err := filepath.Abs("../../testdata/lab")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("LAB", lab)
			env.Setenv("SEED", filepath.Join(filepath.Dir(lab), "seed"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("UNSHARE", unshare())
			env.Setenv("PORTOLAN_STORE", filepath.Join(env.WorkDir, "store"))
			return nil
		},
		// [mounts]: $UNSHARE runs a command that may mount file systems, which
		// nobody else sees.
		Condition: func(name string) (bool, error) {
			if name != "mounts" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			words := append(strings.Fields(unshare()), "mount", "-t", "tmpfs", "none", "/mnt")
			out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
			if err != nil && os.Getenv("CI") != "" {
				return false, fmt.Errorf("cannot mount, as CI must: %w: %s", err, out)
			}
			return err == nil, nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// unshare is a command that makes a mount namespace. Who is not root needs a
// user namespace for that, which not every system allows.
func unshare() string {
	if os.Geteuid() == 0 {
		return "unshare -m"
	}
	return "unshare -rm"
}
