package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated parts of docs/configuration.md anew")

const referenceFile = "../../docs/configuration.md"

// TestReference holds docs/configuration.md to the settings and the options.
func TestReference(t *testing.T) {
	data, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, want := range map[string]string{"settings": settingsReference(), "ntopng": optionsReference()} {
		begin, end := "<!-- "+name+": generated, see internal/config/reference_test.go -->\n", "<!-- end of "+name+" -->"
		before, rest, found := strings.Cut(text, begin)
		got, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("%s has no part %s", referenceFile, name)
		}
		if *update {
			text = before + begin + want + end + after
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s is not up to date; go test ./internal/config -update\n%s", referenceFile, d)
		}
	}
	if *update {
		if err := os.WriteFile(referenceFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// settingsReference is a table of all settings.
func settingsReference() string {
	var b strings.Builder
	b.WriteString("| key, variable, flag | what | value | default |\n|---|---|---|---|\n")
	c := defaults()
	for _, s := range c.settings() {
		flags := "`--" + s.flag + "`"
		if s.short != "" {
			flags = "`-" + s.short + "`, " + flags
		}
		def := s.value.String()
		switch {
		case s.computed != "":
			def = s.computed
		case def != "":
			def = "`" + def + "`"
		default:
			def = "nothing"
		}
		fmt.Fprintf(&b, "| **`%s`**<br>`%s`<br>%s | %s | %s | %s |\n", s.key, s.env(), flags, s.doc, s.value.kind(), def)
	}
	return b.String()
}

// optionsReference is a table of ntopng's options.
func optionsReference() string {
	var b strings.Builder
	b.WriteString("| option of ntopng | here |\n|---|---|\n")
	for _, o := range options {
		name := "`--" + o.long + "`"
		if o.short != "" {
			name = "`-" + o.short + "`, " + name
		}
		fmt.Fprintf(&b, "| %s | %s |\n", name, optionMeaning(&o))
	}
	return b.String()
}

// optionMeaning tries an option with values that ntopng takes.
func optionMeaning(o *option) string {
	samples := map[string][]string{
		"dump-flows": {"mysql;h;d;u;p"}, "dns-mode": {"0", "2", "3"}, "http-port": {":3000"},
		"capture-direction": {"1"}, "max-num-flows": {"131072"}, "verbose": {"2"},
	}[o.long]
	if samples == nil {
		samples = []string{"x"}
	}
	var meanings []string
	for _, text := range samples {
		e, err := o.act(text)
		shown := "`" + e.key + "`"
		switch {
		case err != nil:
			return "refused: " + err.Error()
		case e.key == "":
			return "no effect: " + e.note
		case o.arg == none:
			shown = "`" + e.key + ": " + emptyAsQuotes(e.text) + "`"
		case len(samples) > 1:
			shown = "`" + text + "`: `" + e.key + ": " + e.text + "`"
		}
		meanings = append(meanings, shown)
	}
	return strings.Join(meanings, ", ")
}

func emptyAsQuotes(s string) string {
	if s == "" {
		return `""`
	}
	return s
}
