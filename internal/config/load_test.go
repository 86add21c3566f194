package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// testMachine has 16 GB and four processors.
var testMachine = Machine{Memory: 16 << 30, CPUs: 4, Name: "lab"}

// write makes a file in a folder of the test's own, and goes there.
func write(t *testing.T, name, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// load loads what the arguments, the variables and the default file say.
func load(t *testing.T, args []string, env map[string]string, file string) (*Loaded, error) {
	t.Helper()
	l := &Loader{Getenv: func(name string) string { return env[name] }, Machine: testMachine, Default: file}
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	fs.BoolP("quiet", "q", false, "")
	l.Flags(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if err := l.Args(fs.Args()); err != nil {
		return nil, err
	}
	return l.Load()
}

// show prints the settings that are not the default, one a line.
func show(l *Loaded) string {
	var b strings.Builder
	for _, v := range l.Values() {
		if v.Origin != "default" {
			fmt.Fprintf(&b, "%s: %s (%s)\n", v.Key, v.Text, v.Origin)
		}
	}
	for _, n := range l.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.String()
}

func TestDefaults(t *testing.T) {
	got, err := load(t, nil, map[string]string{"HOME": "/home/anna"}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Promiscuous: true, Direction: Both, Snap: 1600, Sampling: 1,
		Ring: Ring{1 << 20, 64}, Workers: 4, Memory: 512 << 20,
		Timeouts: Timeouts{30 * time.Second, 15 * time.Minute, 30 * time.Second, time.Minute},
		Instance: "lab", Identify: true, Learn: Names,
		DataDir: "/home/anna/.local/share", Store: folderStore("/home/anna/.local/share/portolan"),
		Retention: Retention{Raw: 30 * day, RollUp: year},
		Spill:     Spill{"/home/anna/.local/share/portolan-spill", 1 << 30},
		Listen:    "127.0.0.1:9119", Log: Log{slog.LevelInfo, "text"},
	}
	if d := cmp.Diff(want, got.Config, cmp.AllowUnexported(StoreURL{})); d != "" {
		t.Error(d)
	}
	if n := got.MaxFlows(); n != 512<<20/flowBytes {
		t.Errorf("MaxFlows: %d", n)
	}
	if text := show(got); text != "" {
		t.Errorf("not the default:\n%s", text)
	}
}

func TestComputedDefaults(t *testing.T) {
	for _, c := range []struct {
		name    string
		args    []string
		env     map[string]string
		machine Machine
		want    string
	}{
		{"small machine", nil, nil, Machine{Memory: 64 << 20, CPUs: 1}, "1 16MiB 1600 /var/lib/portolan"},
		{"unknown machine", nil, nil, Machine{}, "1 16MiB 1600 /var/lib/portolan"},
		{"large machine", nil, nil, Machine{Memory: 2 << 40, CPUs: 512}, "256 1GiB 1600 /var/lib/portolan"},
		{"data folder", nil, map[string]string{"XDG_DATA_HOME": "/x", "HOME": "/h"}, testMachine, "4 512MiB 1600 /x/portolan"},
		{"service", nil, map[string]string{"HOME": "/"}, testMachine, "4 512MiB 1600 /var/lib/portolan"},
		{"headers alone", []string{"--identify=false", "--learn=nothing"}, nil, testMachine, "4 512MiB 192 /var/lib/portolan"},
		{"auto", []string{"--workers=auto", "--memory", "auto", "--snap=auto"}, nil, testMachine, "4 512MiB 1600 /var/lib/portolan"},
		{"data-dir", []string{"-d", "/data"}, nil, testMachine, "4 512MiB 1600 /data/portolan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &Loader{Getenv: func(n string) string { return c.env[n] }, Machine: c.machine}
			fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
			l.Flags(fs)
			if err := fs.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			got, err := l.Load()
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprint(got.Workers, " ", got.Memory, " ", got.Snap, " ", got.Store); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  Size
	}{
		{"nothing is known", nil, 0},
		{"machine", map[string]string{"proc/meminfo": "MemTotal:        4028744 kB\nMemFree: 1 kB\n"}, 4028744 << 10},
		{"control group", map[string]string{"proc/meminfo": "MemTotal: 4028744 kB\n", "sys/fs/cgroup/memory.max": "1073741824\n"}, 1 << 30},
		{"no bound", map[string]string{"proc/meminfo": "MemTotal: 4028744 kB\n", "sys/fs/cgroup/memory.max": "max\n"}, 4028744 << 10},
		{"no bound, version 1", map[string]string{"proc/meminfo": "MemTotal: 4028744 kB\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 4028744 << 10},
		{"group alone", map[string]string{"sys/fs/cgroup/memory.max": "1048576\n"}, 1 << 20},
		{"nonsense", map[string]string{"proc/meminfo": "MemTotal: many kB\n"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				name = filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := memory(root); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// TestLayers: each layer goes over those below, and a list is replaced as a
// whole.
func TestLayers(t *testing.T) {
	file := write(t, "p.yaml", `interfaces: [eth0, eth1]
filter: not port 22
timeouts:
  idle: 10s   # quiet
  active: 5m
listen: off
local-networks:
  - 10.1.0.0/16 = Lab, second floor
  - fd00::/8
`)
	env := map[string]string{
		"PORTOLAN_FILTER": "not port 23", "PORTOLAN_TIMEOUTS_ACTIVE": "2m",
		"PORTOLAN_INTERFACES": "", "PORTOLAN_HOSTS": "/etc/hosts,names.csv",
		"PORTOLAN_STORE": "mariadb://anna:s3cret@db/flows",
	}
	got, err := load(t, []string{"--active-timeout", "3m", "-i", "eth2", "--interface=eth3,eth4", "--promiscuous=false"}, env, file)
	if err != nil {
		t.Fatal(err)
	}
	want := `interfaces: eth2, eth3, eth4 (flag --interface)
filter: not port 23 (environment PORTOLAN_FILTER)
promiscuous: false (flag --promiscuous)
timeouts.idle: 10s (file p.yaml:4)
timeouts.active: 3m (flag --active-timeout)
local-networks: 10.1.0.0/16=Lab, second floor, fd00::/8 (file p.yaml:7)
hosts: /etc/hosts, names.csv (environment PORTOLAN_HOSTS)
store: mariadb://anna:***@db/flows (environment PORTOLAN_STORE)
listen: off (file p.yaml:6)
`
	if d := cmp.Diff(want, show(got)); d != "" {
		t.Error(d)
	}
	networks := []Network{{netip.MustParsePrefix("10.1.0.0/16"), "Lab, second floor"}, {netip.MustParsePrefix("fd00::/8"), ""}}
	if d := cmp.Diff(networks, got.LocalNetworks, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if got.Store.Reveal() != "mariadb://anna:s3cret@db/flows" || got.File != file {
		t.Errorf("store %s, file %s", got.Store.Reveal(), got.File)
	}
	if o := got.Origin("timeouts.idle"); o != (Origin{File, file, 4}) {
		t.Errorf("origin: %v", o)
	}
}

// TestFileNames: the file comes from --config, the first argument, a variable,
// or the default.
func TestFileNames(t *testing.T) {
	write(t, "default.yaml", "instance: default\n")
	for name, text := range map[string]string{"flag.yaml": "instance: flag\n", "env.yaml": "instance: env\n", "arg.conf": "# ntopng\n-N=argument\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"PORTOLAN_CONFIG": "env.yaml"}
	for _, c := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want string // the instance, or the error
	}{
		{"default", nil, nil, "default.yaml", "default"},
		{"no default", nil, nil, "missing.yaml", "lab"},
		{"variable", nil, env, "default.yaml", "env"},
		{"flag", []string{"--config", "flag.yaml"}, env, "default.yaml", "flag"},
		{"argument", []string{"arg.conf"}, env, "default.yaml", "argument"},
		{"named, not there", []string{"--config", "missing.yaml"}, nil, "", "missing.yaml: no such file or directory"},
		{"variable, not there", nil, map[string]string{"PORTOLAN_CONFIG": "missing.yaml"}, "", "environment PORTOLAN_CONFIG: missing.yaml: no such file or directory"},
		{"folder", []string{"."}, nil, "", ".: is a directory"},
		{"two", []string{"arg.conf", "flag.yaml"}, nil, "", `one configuration file at the most is expected, found "arg.conf" and "flag.yaml"`},
		{"both", []string{"arg.conf", "--config=flag.yaml"}, nil, "", `two configuration files, "flag.yaml" and "arg.conf": one is expected`},
		{"level behind -v", []string{"-v", "6", "arg.conf"}, nil, "", "argument"},
		{"no name", []string{"--config="}, nil, "", `invalid argument "" for "--config" flag: no name`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, c.args, c.env, c.file)
			text := fmt.Sprint(err)
			if err == nil {
				text = got.Instance
			}
			if text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

// TestErrors: each mistake has its place and its advice.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want, hint string }{
		{"unknown key", "filtre: x", `p.yaml:1:1: unknown key "filtre"`, `did you mean "filter"?`},
		{"unknown key below", "timeouts:\n  idel: 1m", `p.yaml:2:3: unknown key "timeouts.idel"`, `did you mean "timeouts.idle"?`},
		{"key without its group", "tcp-idle: 1m", `p.yaml:1:1: unknown key "tcp-idle"`, `did you mean "timeouts.tcp-idle"?`},
		{"dotted key", "timeouts.idle: 1m", `p.yaml:1:1: unknown key "timeouts.idle"`, `write "timeouts:", and below it "idle:"`},
		{"nothing near", "zzzzzzzz: 1m", `p.yaml:1:1: unknown key "zzzzzzzz"`, ``},
		{"duration", "timeouts:\n  idle: 30", `p.yaml:2:9: timeouts.idle: "30" is no duration`, "write a duration such as 30s, 15m, 2h, 7d"},
		{"short", "timeouts: {idle: 1ms}", `p.yaml:1:18: timeouts.idle: 1ms is out of range: must be 1s to 7d`, ""},
		{"size", "memory: lots", `p.yaml:1:9: memory: "lots" is no size`, "write a size such as 64KiB, 512MiB, 4G"},
		{"power", "ring:\n  block-size: 100KiB", `p.yaml:2:15: ring.block-size: 100KiB is no power of two`, "write a size such as 64KiB, 512MiB, 4G"},
		{"number", "workers: two", `p.yaml:1:10: workers: "two" is no whole number`, "write a whole number"},
		{"many", "workers: 1000", `p.yaml:1:10: workers: 1000 is out of range: must be 1 to 256`, ""},
		{"bool", "identify: maybe", `p.yaml:1:11: identify: "maybe" is neither true nor false`, "write true or false"},
		{"choice", "direction: up", `p.yaml:1:12: direction: unknown: "up"`, "have: both, in, out"},
		{"level", "log:\n  level: loud", `p.yaml:2:10: log.level: unknown: "loud"`, "have: debug, info, warn, error"},
		{"list for one", "filter: [a, b]", `p.yaml:1:1: filter: one value is expected, found a list`, ""},
		{"keys for one", "filter:\n  a: b", `p.yaml:2:4: filter: a value is expected, found keys below`, ""},
		{"one for keys", "timeouts: 30s", `p.yaml:1:11: timeouts: keys and values are expected, found a single value`, "write: interfaces: [eth0]"},
		{"no value", "filter:", `p.yaml:1:9: filter: no value`, `leave the key out for its default, or write "" for nothing`},
		{"element of a list", "local-networks:\n- 10.0.0.0/8\n- 10.0.0.300/24", `p.yaml:3:3: local-networks: "10.0.0.300/24" is no network`, "write 192.168.1.0/24 or 192.168.1.0/24=Office"},
		{"alias", "filter: &a x\ninstance: *a", "p.yaml:1:9: filter: a value is expected, found an anchor or alias, which are not for this file\np.yaml:2:11: instance: a value is expected, found an anchor or alias, which are not for this file", ""},
		{"tag", "filter: !!str x", `p.yaml:1:9: filter: a value is expected, found a tag, which is not for this file`, ""},
		{"merge", "<<: {filter: x}", `p.yaml:1:1: "<<" cannot be a key here`, ""},
		{"text alone", "hello", `p.yaml:1:1: keys and values are expected, found a single value`, "write: interfaces: [eth0]"},
		{"list alone", "- hello", `p.yaml:1:1: keys and values are expected, found a list`, "write: interfaces: [eth0]"},
		{"twice", "filter: a\nfilter: b", `p.yaml:2:1: mapping key "filter" already defined at [1:1]`, "is it YAML? text with : # [ ] { } or @ stands in quotes"},
		{"tab", "ring:\n\tblocks: 5", `p.yaml:2:1: found character '	' that cannot start any token`, "is it YAML? text with : # [ ] { } or @ stands in quotes"},
		{"two documents", "filter: a\n---\nfilter: b", `p.yaml:3:7: a second document begins: one is allowed`, ""},
		{"deep", "filter: a\nhosts: " + strings.Repeat("[", 33), `p.yaml:2: more than 32 brackets are open`, ""},
		{"not text", "filter: a\ninstance: \xff", `p.yaml:2: is no text in UTF-8`, ""},
		{"large", strings.Repeat("# comment\n", 30000), `p.yaml: is larger than 256KiB`, ""},
		{"control character", "filter: \"a\\ab\"", `p.yaml:1:9: filter: holds the control character '\a'`, ""},
		{"view", "interfaces: [\"view:a\"]", `p.yaml:1:14: interfaces: "view:a" is no interface, but a view of several`, "name the interfaces themselves: a"},
		{"zmq", "interfaces: tcp://127.0.0.1:5556", `p.yaml:1:13: interfaces: "tcp://127.0.0.1:5556" is no interface, but an address that flows are received from`, "Portolan listens to interfaces itself; name one, such as eth0"},
		{"pcap", "interfaces: lab.pcap.gz", `p.yaml:1:13: interfaces: "lab.pcap.gz" is no interface, but a capture file`, "portolan read lab.pcap.gz"},
		{"driver", "interfaces: \"zc:eth1\"", `p.yaml:1:13: interfaces: "zc:eth1" is an interface of a driver that Portolan does not use`, "name the kernel's interface, such as eth0"},
		{"long name", "interfaces: abcdefghijklmnop", `p.yaml:1:13: interfaces: "abcdefghijklmnop" is longer than the 15 bytes of an interface's name`, ""},
		{"listen", "listen: 10.0.0.1", `p.yaml:1:9: listen: "10.0.0.1" is no address to listen on`, "write 127.0.0.1:9119, or off"},
		{"user", "user: a b", `p.yaml:1:7: user: "a b" is no user`, ""},
		{"age", "retention:\n  raw: 5m", `p.yaml:2:8: retention.raw: 5m is out of range: must be 1h to 100y`, ""},
		{"roll-ups go first", "retention:\n  raw: 2y", `p.yaml:2: retention.roll-up: 1y is less than retention.raw, 2y`, ""},
		{"roll-ups go, flows stay", "retention: {raw: forever}", `p.yaml:1: retention.roll-up: 1y is less than retention.raw, forever`, ""},
		{"snap and block", "snap: 65536\nring: {block-size: 128KiB}", `p.yaml:1: snap: 65536 is more than a quarter of ring.block-size, 128KiB`, ""},
		{"ring", "ring: {block-size: 16MiB, blocks: 1024}", `p.yaml:1: ring.blocks: 1024 blocks of 16MiB are more than 4GiB`, ""},
		{"one folder for two", "store: /a\nspill: {folder: /a/}", `p.yaml:2: spill.folder: is the folder of the store`, ""},
		{"all of them", "sampling: 0\nfoo: 1\nworkers: x\n", "p.yaml:2:1: unknown key \"foo\"\np.yaml:1:11: sampling: 0 is out of range: must be 1 to 65535\np.yaml:3:10: workers: \"x\" is no whole number", "write a whole number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Loader{Machine: testMachine}
			_, err := l.CheckFile(write(t, "p.yaml", c.in))
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(c.want, err.Error()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.hint, Hint(err)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestErrorsOfOtherLayers(t *testing.T) {
	_, err := load(t, []string{"--workers=none", "--store", "mysql://a:s3cret@b"}, map[string]string{"PORTOLAN_SNAP": "12"}, "")
	want := `environment PORTOLAN_SNAP: snap: 12 is out of range: must be 64 to 262144
flag --workers: workers: "none" is no whole number
flag --store: store: names no database`
	if d := cmp.Diff(want, fmt.Sprint(err)); d != "" {
		t.Error(d)
	}
}

// TestChecks: what others say of filter and store gets its place.
func TestChecks(t *testing.T) {
	l := Loader{
		Machine:     testMachine,
		CheckFilter: func(s string) error { return fmt.Errorf("filter %q: column 1: wrong", s) },
		CheckStore:  func(StoreURL) error { return hintf("ask again", "I do not like it") },
	}
	_, err := l.CheckFile(write(t, "p.yaml", "instance: x\nfilter: foo\nstore: /a\n"))
	want := "p.yaml:2: filter \"foo\": column 1: wrong\np.yaml:3: store: I do not like it"
	if d := cmp.Diff(want, fmt.Sprint(err)); d != "" {
		t.Error(d)
	}
	if Hint(err) != "ask again" {
		t.Errorf("hint: %q", Hint(err))
	}
}

// TestAcceptedYAML: forms of YAML that people use.
func TestAcceptedYAML(t *testing.T) {
	in := "\ufeff---\r\n# Ours\r\nfilter: >-\r\n  not port 22\r\n  and not arp\r\ninterfaces: eth0, eth1\r\nhosts: []\r\nuser: 1000\r\nidentify: yes\r\nring: {blocks: 8}\r\nlisten: :9000\r\ninstance: \"a: b\"\r\nretention:\r\n  raw: 2w\r\n  size: 1.5G\r\n"
	l := Loader{Machine: testMachine}
	got, err := l.CheckFile(write(t, "p.yaml", in))
	if err != nil {
		t.Fatal(err)
	}
	want := `interfaces: eth0, eth1 (file p.yaml:6)
filter: not port 22 and not arp (file p.yaml:3)
ring.blocks: 8 (file p.yaml:10)
instance: a: b (file p.yaml:12)
hosts:  (file p.yaml:7)
identify: true (file p.yaml:9)
retention.raw: 14d (file p.yaml:14)
retention.size: 1500M (file p.yaml:15)
listen: 127.0.0.1:9000 (file p.yaml:11)
user: 1000 (file p.yaml:8)
`
	if d := cmp.Diff(want, show(got)); d != "" {
		t.Error(d)
	}
}

// TestSettingsCoverConfig: every field of Config has one setting, and names are
// unique.
func TestSettingsCoverConfig(t *testing.T) {
	var c Config
	bound := map[uintptr]string{}
	names := map[string]bool{}
	for _, s := range c.settings() {
		p := reflect.ValueOf(s.value).Elem().FieldByName("p").Pointer()
		if bound[p] != "" {
			t.Errorf("%s and %s are one field", bound[p], s.key)
		}
		bound[p] = s.key
		for _, name := range []string{s.key, s.env(), "--" + s.flag, "-" + s.short} {
			if names[name] && name != "-" && name != "--"+s.key {
				t.Errorf("%s is there twice", name)
			}
			names[name] = true
		}
		if s.doc == "" || s.value.kind() == "" {
			t.Errorf("%s says nothing of itself", s.key)
		}
	}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for i := range v.NumField() {
			f, name := v.Field(i), path+v.Type().Field(i).Name
			switch f.Interface().(type) {
			case Ring, Timeouts, Retention, Spill, Log:
				walk(f, name+".")
			default:
				if bound[f.Addr().Pointer()] == "" {
					t.Errorf("Config.%s has no setting", name)
				}
			}
		}
	}
	walk(reflect.ValueOf(&c).Elem(), "")
}

// TestValuesReadBack: what is printed is read as the same value.
func TestValuesReadBack(t *testing.T) {
	l, err := load(t, nil, map[string]string{"HOME": "/h"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var again Config
	for i, s := range l.settings() {
		copied := again.settings()[i].value
		for _, text := range strings.Split(s.value.String(), ", ") {
			if _, isList := copied.(list); isList && text == "" {
				continue
			}
			if err := copied.set(text); err != nil {
				t.Errorf("%s: %v", s.key, err)
			}
		}
	}
	if d := cmp.Diff(l.Config, again, cmp.AllowUnexported(StoreURL{})); d != "" {
		t.Error(d)
	}
}

func TestValuesAsJSON(t *testing.T) {
	l, err := load(t, []string{"-i", "eth0"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"interfaces":    `{"key":"interfaces","value":["eth0"],"origin":"flag --interface"}`,
		"hosts":         `{"key":"hosts","value":[],"origin":"default"}`,
		"promiscuous":   `{"key":"promiscuous","value":true,"origin":"default"}`,
		"sampling":      `{"key":"sampling","value":1,"origin":"default"}`,
		"timeouts.idle": `{"key":"timeouts.idle","value":"30s","origin":"default"}`,
	}
	for _, v := range l.Values() {
		got, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if w := want[v.Key]; w != "" && w != string(got) {
			t.Errorf("got %s, want %s", got, w)
		}
		delete(want, v.Key)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// FuzzYAML: any file ends in a configuration or in errors with their place.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"interfaces: [eth0]\ntimeouts:\n  idle: 30s\n", "a: &x 1\nb: *x\n", "? a\n: b\n", "filter: |\n  x\n", "- - - a", "---\n---\n",
		"<<: *a", "store: mariadb://a:b@c/d?e=f", "a: {b: [c, {d: e}]}", "\"a\": 'b'\n", "!!map {}", "%YAML 1.2\n---\na: 1",
		"interfaces: [eth0", "memory: 1.5GiB # x\r\nlisten: :1\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			return
		}
		if _, err := checkText(data, maxFile, Origin{Layer: File, Name: "p.yaml"}); err != nil {
			return
		}
		b := newBuilder()
		found, err := parseYAML("p.yaml", data)
		b.layer(found, nil, err)
		checkBuilt(t, b)
	})
}

// checkBuilt: without an error all values read back; errors have their place.
func checkBuilt(t *testing.T, b *builder) {
	out, err := b.finish(&Loader{Machine: testMachine})
	if err == nil {
		for _, v := range out.Values() {
			if o := out.Origin(v.Key); o.Layer == File && (o.Line == 0 || o.Name == "") {
				t.Errorf("%s has no origin: %+v", v.Key, o)
			}
		}
		return
	}
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				walk(one)
			}
			return
		}
		if e, ok := err.(*Error); !ok || e.Origin.Layer != File || e.Origin.Name == "" {
			t.Errorf("no place: %T %v", err, err)
		}
	}
	walk(err)
}
