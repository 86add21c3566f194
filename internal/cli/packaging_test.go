package cli

import (
	"bytes"
	"testing"
)

// TestExampleConfig checks the file that is shipped as an example.
func TestExampleConfig(t *testing.T) {
	var out, errs bytes.Buffer
	env := Env{Out: &out, Err: &errs, Getenv: func(string) string { return "" }}
	if status := Run(t.Context(), []string{"config", "check", "../../packaging/portolan.yaml"}, env); status != StatusDone || errs.Len() > 0 {
		t.Errorf("status %d: %s", status, errs.String())
	}
}
