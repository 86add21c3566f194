package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
			env.Setenv("PORTOLAN_STORE", filepath.Join(env.WorkDir, "store"))
			return nil
		},
		// [mounts]: the test may mount file systems in a namespace of its own.
		Condition: func(name string) (bool, error) {
			if name != "mounts" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt").Run()
			if err != nil && os.Getenv("CI") != "" {
				t.Fatalf("cannot mount, as CI must: %v", err)
			}
			return err == nil, nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
