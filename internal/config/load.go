package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// DefaultFile is read if it is there and no other is named.
	DefaultFile = "/etc/portolan/portolan.yaml"
	// maxFile is the size of the largest configuration file, in bytes.
	maxFile = 256 << 10
	// fileVariable names the configuration file.
	fileVariable = "PORTOLAN_CONFIG"
)

// A Loader puts the layers of the configuration together. It serves one command
// line.
type Loader struct {
	// Getenv looks variables up; nil = there are none.
	Getenv func(string) string
	// Machine is what computed defaults depend on.
	Machine Machine
	// Default is the file that is read if it is there and no other is named;
	// empty = none.
	Default string
	// CheckFilter and CheckStore look into what only others understand; nil =
	// nobody does. An error of CheckStore must not repeat the password.
	CheckFilter func(expression string) error
	CheckStore  func(StoreURL) error

	file  string // of --config or the first argument
	flags []use  // in the order of the command line
	bare  bool   // -v stood without a value
}

// NewLoader returns a Loader for this machine.
func NewLoader(getenv func(string) string) *Loader {
	return &Loader{Getenv: getenv, Machine: ThisMachine(), Default: DefaultFile}
}

// Loaded is a configuration with its history.
type Loaded struct {
	Config
	// File is the configuration file that was read, or empty.
	File string
	// Notes say which settings could not be taken as they are.
	Notes []Note

	origins map[string]Origin // by key; what is missing is the default
}

// A Value is one setting as people see it. It holds no secrets.
type Value struct {
	Key    string `json:"key"`
	Value  any    `json:"value"` // a bool, a number, a string, or a list of strings
	Text   string `json:"-"`
	Origin string `json:"origin"`
}

// Values returns all settings in the order of the reference.
func (l *Loaded) Values() []Value {
	settings := l.settings()
	values := make([]Value, len(settings))
	for i, s := range settings {
		values[i] = Value{s.key, s.value.plain(), s.value.String(), l.origins[s.key].String()}
	}
	return values
}

// Origin returns where the value of a key came from; of an unknown key it is
// the default.
func (l *Loaded) Origin(key string) Origin { return l.origins[key] }

// Load reads all layers. The error joins all that is wrong; each of its parts
// is an *Error.
func (l *Loader) Load() (*Loaded, error) {
	b := newBuilder()
	name, must, origin := l.fileName()
	if name != "" {
		err := b.addFile(name)
		if must || !errors.Is(err, fs.ErrNotExist) {
			b.fail(named(err, name, origin))
		}
	}
	b.layer(environment(l.getenv))
	b.layer(l.flagLayer())
	return b.finish(l)
}

// CheckFile reads the file called name over the defaults alone.
func (l *Loader) CheckFile(name string) (*Loaded, error) {
	b := newBuilder()
	b.fail(b.addFile(name))
	return b.finish(l)
}

func (l *Loader) getenv(name string) string {
	if l.Getenv == nil {
		return ""
	}
	return l.Getenv(name)
}

// fileName returns the configuration file, and whether it must be there; origin
// is what named it.
func (l *Loader) fileName() (name string, must bool, origin Origin) {
	if l.file != "" {
		return l.file, true, Origin{}
	}
	if name := l.getenv(fileVariable); name != "" {
		return name, true, Origin{Layer: Environment, Name: fileVariable}
	}
	return l.Default, false, Origin{}
}

// named says which variable named a file that cannot be read.
func named(err error, name string, origin Origin) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Origin.Line == 0 && origin.Layer == Environment {
		return wrong(origin, 0, "", fmt.Errorf("%s: %w", name, e.Err))
	}
	return err
}

// environment returns what the variables of settings say. An empty variable
// says nothing.
func environment(getenv func(string) string) ([]assignment, []Note, error) {
	var found []assignment
	for _, s := range new(Config).settings() {
		if text := getenv(s.env()); text != "" {
			found = append(found, assign(s.key, text, Origin{Layer: Environment, Name: s.env()}))
		}
	}
	return found, nil, nil
}

// assign is an assignment of one text; that of a list has commas.
func assign(key, text string, origin Origin) assignment {
	return assignment{key: key, origin: origin, elements: []element{{text, origin, 0}}}
}

// A builder puts layers upon each other.
type builder struct {
	out      Loaded
	settings map[string]setting
	errs     []error
}

func newBuilder() *builder {
	b := &builder{out: Loaded{Config: defaults(), origins: map[string]Origin{}}, settings: map[string]setting{}}
	for _, s := range b.out.settings() {
		b.settings[s.key] = s
	}
	return b
}

func (b *builder) fail(err error) {
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

// addFile adds the layer of a file.
func (b *builder) addFile(name string) error {
	data, err := readFile(name, maxFile)
	if err != nil {
		return err
	}
	b.out.File = name
	if isNtopng(data) {
		b.layer(parseNtopng(name, data))
		return nil
	}
	found, err := parseYAML(name, data)
	b.layer(found, nil, err)
	return nil
}

// readFile reads a text of at most most bytes.
func readFile(name string, most int64) ([]byte, error) {
	origin := Origin{Layer: File, Name: name}
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(f, most+1)); err == nil {
			return checkText(data, most, origin)
		}
	}
	return nil, wrong(origin, 0, "", cause(err))
}

// cause is what is wrong with a file, without its name.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// checkText returns data without a byte order mark, and with ends of lines as
// we have them.
func checkText(data []byte, most int64, origin Origin) ([]byte, error) {
	if int64(len(data)) > most {
		return nil, wrong(origin, 0, "", fmt.Errorf("is larger than %s", Size(most)))
	}
	for i, line := range slices.Collect(strings.Lines(string(data))) {
		if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
			origin.Line = i + 1
			return nil, wrong(origin, 0, "", errors.New("is no text in UTF-8"))
		}
	}
	// The YAML parser counts the ends of lines of DOS wrong.
	return []byte(strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")), nil
}

// layer applies the assignments of one layer. The first of a list replaces what
// lower layers say, those after it in the same layer add to it.
func (b *builder) layer(found []assignment, notes []Note, err error) {
	b.fail(err)
	b.out.Notes = append(b.out.Notes, notes...)
	touched := map[string]bool{}
	for _, a := range found {
		s := b.settings[a.key]
		ok := true
		if v, isList := s.value.(list); isList {
			if !touched[a.key] {
				v.clear()
			}
			touched[a.key] = true
			ok = b.elements(v, a)
		} else {
			ok = b.single(s.value, a)
		}
		if ok {
			b.out.origins[a.key] = a.origin
		}
	}
}

// elements appends to a list.
func (b *builder) elements(v list, a assignment) bool {
	ok := true
	for _, e := range a.elements {
		texts := []string{e.text}
		if !a.isList {
			texts = strings.Split(e.text, ",")
		}
		for _, text := range texts {
			if text = strings.TrimSpace(text); text == "" && !a.isList {
				continue
			}
			if err := v.set(text); err != nil {
				b.fail(wrong(e.origin, e.column, a.key, err))
				ok = false
			}
		}
	}
	return ok
}

func (b *builder) single(v value, a assignment) bool {
	if a.isList {
		b.fail(wrong(a.origin, a.column, a.key, errors.New("one value is expected, found a list")))
		return false
	}
	e := a.elements[0]
	if err := v.set(strings.TrimSpace(e.text)); err != nil {
		b.fail(wrong(e.origin, e.column, a.key, err))
		return false
	}
	return true
}

// finish computes what is left to be computed, and checks the whole.
func (b *builder) finish(l *Loader) (*Loaded, error) {
	b.complete(l)
	b.check()
	if l.CheckFilter != nil && b.out.Filter != "" {
		b.judge("filter", l.CheckFilter(b.out.Filter))
	}
	if l.CheckStore != nil {
		b.judge("store", l.CheckStore(b.out.Store))
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	return &b.out, nil
}

// judge adds what somebody else says about a key, who may name it already.
func (b *builder) judge(key string, err error) {
	if err == nil {
		return
	}
	origin := b.out.origins[key]
	if strings.HasPrefix(err.Error(), key) {
		key = ""
	}
	b.fail(wrong(origin, 0, key, err))
}

// complete gives settings with a computed default their value.
func (b *builder) complete(l *Loader) {
	c, m := &b.out.Config, l.Machine
	if c.Workers == 0 {
		c.Workers = min(max(m.CPUs, 1), 256)
	}
	if c.Memory == 0 {
		c.Memory = min(max(m.Memory/8/Size(c.Workers), 16<<20), 4<<30) &^ (1<<20 - 1)
	}
	if c.Snap == 0 {
		c.Snap = 1600
		if !c.Identify && c.Learn == Nothing {
			c.Snap = 192
		}
	}
	c.Instance = cmp.Or(c.Instance, m.Name)
	if c.DataDir == "" {
		c.DataDir = dataDir(l.getenv)
	}
	if c.Store.Kind() == "" {
		c.Store = folderStore(filepath.Join(c.DataDir, "portolan"))
		b.inherit("store", "data-dir")
	}
	if c.Spill.Folder == "" {
		c.Spill.Folder = filepath.Join(c.DataDir, "portolan-spill")
		b.inherit("spill.folder", "data-dir")
	}
}

// inherit says that the value of a key comes from that of another.
func (b *builder) inherit(key, from string) {
	if o, set := b.out.origins[from]; set {
		b.out.origins[key] = o
	}
}

// dataDir is the user's data folder; that of the system for a user without
// home.
func dataDir(getenv func(string) string) string {
	if dir := getenv("XDG_DATA_HOME"); dir != "" {
		return dir
	}
	if home := getenv("HOME"); home != "" && home != "/" {
		return filepath.Join(home, ".local", "share")
	}
	return "/var/lib"
}

// check reports settings that do not go together.
func (b *builder) check() {
	c := &b.out.Config
	if c.Retention.RollUp != 0 && (c.Retention.Raw == 0 || c.Retention.RollUp < c.Retention.Raw) {
		b.fail(b.against("retention.roll-up", "retention.raw", fmt.Errorf("%s is less than retention.raw, %s", printAge(c.Retention.RollUp), printAge(c.Retention.Raw))))
	}
	if Size(c.Snap) > c.Ring.BlockSize/4 {
		b.fail(b.against("snap", "ring.block-size", fmt.Errorf("%d is more than a quarter of ring.block-size, %s", c.Snap, c.Ring.BlockSize)))
	}
	if bytes := c.Ring.BlockSize * Size(c.Ring.Blocks); bytes > 4<<30 {
		b.fail(b.against("ring.blocks", "ring.block-size", fmt.Errorf("%d blocks of %s are more than 4GiB", c.Ring.Blocks, c.Ring.BlockSize)))
	}
	if c.Store.Folder() != "" && filepath.Clean(c.Store.Folder()) == filepath.Clean(c.Spill.Folder) {
		b.fail(b.against("spill.folder", "store", errors.New("is the folder of the store")))
	}
}

// against is an error of a key whose value does not go with that of another:
// the one that somebody set is to blame.
func (b *builder) against(key, other string, err error) error {
	o, set := b.out.origins[key]
	if !set {
		o = b.out.origins[other]
	}
	return wrong(o, 0, key, err)
}
