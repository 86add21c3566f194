package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A use is one flag of the command line, as it was written.
type use struct {
	key    string  // of the setting, or
	option *option // of ntopng
	name   string  // with its dashes
	text   string
}

// Flags adds the flags of "portolan run" to fs: one a setting, --config, and
// those of ntopng, which --help does not list. The flags store what they are
// given in l; Load looks into it, so that errors cannot show passwords.
//
// Flags of fs that have one of our shorthands must be added before; ours is then
// left out.
func (l *Loader) Flags(fs *pflag.FlagSet) {
	fs.Var(&fileFlag{l}, "config", "configuration file, YAML or ntopng's (default: $"+fileVariable+", else "+DefaultFile+" if it is there)")
	c := defaults()
	for _, s := range c.settings() {
		f := fs.VarPF(&flagValue{l: l, key: s.key, name: "--" + s.flag, what: flagType(s.value), text: s.value.String()}, s.flag, free(fs, s.short), s.doc)
		if s.computed != "" {
			f.DefValue = ""
			f.Usage += " (default: " + s.computed + ")"
		}
		if f.Value.Type() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	for i := range options {
		l.optionFlag(fs, &options[i])
	}
}

// free is short if fs has no such shorthand yet.
func free(fs *pflag.FlagSet, short string) string {
	if short == "" || fs.ShorthandLookup(short) != nil {
		return ""
	}
	return short
}

// optionFlag adds an option of ntopng that is not one of our flags as well.
func (l *Loader) optionFlag(fs *pflag.FlagSet, o *option) {
	if fs.Lookup(o.long) != nil || o.long == "help" {
		return
	}
	short := free(fs, o.short)
	if o.short == "q" || o.short == "h" {
		short = "" // quiet and help are ours, on every command
	}
	f := fs.VarPF(&flagValue{l: l, option: o, name: "--" + o.long, what: "text"}, o.long, short, "as ntopng has it")
	f.Hidden = true
	if o.arg != required {
		f.NoOptDefVal = noValue
	}
}

// noValue stands for the value of an option that was given without one.
const noValue = "\x00"

// flagType is the word that --help shows for a value.
func flagType(v value) string {
	if _, is := v.(*scalar[bool]); is {
		return "bool"
	}
	word, _, _ := strings.Cut(v.kind(), ",")
	word, _, _ = strings.Cut(word, ":")
	switch v.(type) {
	case *scalar[Direction], *scalar[Learn]:
		return "word"
	}
	if strings.Contains(v.kind(), "debug") || strings.Contains(v.kind(), "json") {
		return "word"
	}
	if word == "pcap-filter expression" {
		return "filter"
	}
	word, _, _ = strings.Cut(word, " ")
	return word
}

// A flagValue is a flag for pflag.
type flagValue struct {
	l      *Loader
	key    string
	option *option
	name   string
	what   string
	text   string // the default, for --help
}

func (f *flagValue) String() string { return f.text }
func (f *flagValue) Type() string   { return f.what }

func (f *flagValue) Set(text string) error {
	f.l.flags = append(f.l.flags, use{f.key, f.option, f.name, text})
	if f.option != nil && f.option.long == "verbose" {
		f.l.bare = text == noValue
	}
	return nil
}

// A fileFlag is the flag --config.
type fileFlag struct{ l *Loader }

func (f *fileFlag) String() string { return "" }
func (f *fileFlag) Type() string   { return "file" }

func (f *fileFlag) Set(text string) error {
	if text == "" {
		return errors.New("no name")
	}
	f.l.file = text
	return nil
}

// Args takes what stands on the command line beside flags: at most one
// configuration file, as ntopng has it. A digit behind -v is its level.
func (l *Loader) Args(args []string) error {
	isLevel := func(s string) bool { return len(s) == 1 && s >= "0" && s <= "9" }
	if at := slices.IndexFunc(args, isLevel); l.bare && at >= 0 {
		for i := range l.flags {
			if o := l.flags[i].option; o != nil && o.long == "verbose" {
				l.flags[i].text = args[at]
			}
		}
		args = slices.Delete(slices.Clone(args), at, at+1)
	}
	switch {
	case len(args) == 0:
		return nil
	case len(args) > 1:
		return wrong(Origin{Layer: Flag}, 0, "", hintf("--help lists what there is", "one configuration file at the most is expected, found %q and %q", args[0], args[1]))
	case l.file != "":
		return wrong(Origin{Layer: Flag}, 0, "", fmt.Errorf("two configuration files, %q and %q: one is expected", l.file, args[0]))
	}
	l.file = args[0]
	return nil
}

// flagLayer returns what the flags of the command line say.
func (l *Loader) flagLayer() (found []assignment, notes []Note, err error) {
	var errs []error
	for _, u := range l.flags {
		origin := Origin{Layer: Flag, Name: u.name}
		if u.key == "local-networks" {
			u.option = findOption(u.key) // which takes files as well
		}
		if u.option == nil {
			found = append(found, assign(u.key, u.text, origin))
			continue
		}
		text := u.text
		if text == noValue {
			text = ""
		}
		as, ns, err := u.option.take(text, origin, u.name)
		found, notes = append(found, as...), append(notes, ns...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	return found, notes, errors.Join(errs...)
}
