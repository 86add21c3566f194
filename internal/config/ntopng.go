package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// An argument says whether an option of ntopng takes a value.
type argument uint8

const (
	none argument = iota
	optional
	required
)

// An option is one of ntopng's.
type option struct {
	long  string
	short string // one letter or digit, or empty
	arg   argument
	act   func(text string) (effect, error)
}

// An effect is what an option means here.
type effect struct {
	key, text string // a setting and its value; no key = none
	note      string // what a user should know, or empty
}

// options are those of ntopng 1.0 to 6.3, from its help texts and manual pages.
var options = []option{
	{"interface", "i", required, func(text string) (effect, error) {
		if of, is := strings.CutPrefix(text, "view:"); is {
			return effect{}, hintf("name the interfaces themselves: -i "+strings.Join(strings.Split(of, ","), " -i "), "%q is no interface, but a view of several", text)
		}
		return effect{key: "interfaces", text: text}, nil
	}},
	{"packet-filter", "B", required, sets("filter")},
	{"no-promisc", "u", none, fixed("promiscuous", "false")},
	{"capture-direction", "Q", required, oneOf("direction", map[string]string{"0": "both", "1": "in", "2": "out"})},
	{"ignore-vlans", "", none, fixed("ignore-vlans", "true")},
	{"ignore-macs", "", none, noted("conversations are told apart by addresses and ports alone, never by MAC")},
	{"local-networks", "m", required, sets("local-networks")},
	{"instance-name", "N", required, sets("instance")},
	{"data-dir", "d", required, sets("data-dir")},
	{"ndpi-protocols", "p", required, sets("protocols")},
	{"user", "U", required, sets("user")},
	{"dont-change-user", "s", none, fixed("user", "")},
	{"dump-flows", "F", required, dumpFlows},
	{"dns-mode", "n", required, dnsMode},
	{"http-port", "w", required, httpPort},
	{"max-num-flows", "X", required, maxNumFlows},
	{"verbose", "v", optional, verbose},

	// What Portolan does without.
	{"daemon", "e", none, noted("Portolan stays in the foreground; the service manager puts it into the background")},
	{"pid", "G", required, noted("no PID file is written; the service manager knows the process")},
	{"redis", "r", required, noted("Portolan needs no Redis")},
	{"max-num-hosts", "x", required, noted("hosts take no memory of their own; memory bounds the flow table")},
	{"https-port", "W", required, noted("the status page has no TLS; put a web server before it")},
	{"http-prefix", "Z", required, noted("the status page is at /")},
	{"disable-login", "l", required, noted("the status page asks for no login; it listens on loopback")},
	{"disable-autologout", "q", none, noted("the status page asks for no login")},
	{"users-file", "", required, noted("the status page asks for no login")},
	{"core-affinity", "g", required, noted("the kernel places the workers")},
	{"other-core-affinity", "y", required, noted("the kernel places the workers")},
	{"sticky-hosts", "S", required, noted("every host stays in the store until retention ends it")},
	{"dump-hosts", "D", required, noted("every host stays in the store until retention ends it")},
	{"disable-host-persistency", "P", none, noted("every host stays in the store until retention ends it")},
	{"disable-alerts", "H", none, noted("Portolan raises no alerts")},
	{"enable-taps", "T", none, noted("no TAP devices are made")},
	{"categorization-key", "c", required, noted("hosts are not categorized")},
	{"httpbl-key", "k", required, noted("hosts are not looked up in black lists")},
	{"enable-aggregations", "A", required, noted("aggregations are asked for with: portolan top --by")},
	{"install-dir", "t", required, noted("Portolan is one file, without folders of its own")},
	{"httpdocs-dir", "1", required, noted("Portolan is one file, without folders of its own")},
	{"scripts-dir", "2", required, noted("Portolan is one file, without folders of its own")},
	{"callbacks-dir", "3", required, noted("Portolan is one file, without folders of its own")},
	{"prefs-dir", "4", required, noted("Portolan keeps no preferences but its configuration")},
	{"pcap-dir", "5", required, noted("no packets are kept")},
	{"hw-timestamp-mode", "", required, noted("the time of a packet is the kernel's; a trailer does not count, since sizes are those of IP")},
	{"cluster-id", "", required, noted("workers share an interface by the kernel's fanout")},
	{"shutdown-when-done", "", none, noted("portolan read ends when a file ends")},
	{"original-speed", "", none, noted("portolan read takes the times of the file")},
	{"pcap-file-purge-flows", "", none, noted("portolan read ends conversations by the times of the file")},
	{"zmq-encryption", "", none, noted("nothing is received by ZMQ")},
	{"zmq-encryption-key", "", required, noted("nothing is sent by ZMQ")},
	{"zmq-encryption-key-priv", "", required, noted("nothing is received by ZMQ")},
	{"zmq-encrypt-pwd", "", required, noted("nothing is received by ZMQ")},
	{"zmq-publish-events", "", required, noted("there are no events to publish")},
	{"offline", "", none, noted("Portolan asks nobody on the Internet")},
	{"insecure", "", none, noted("Portolan asks nobody on the Internet")},
	{"appliance", "", none, noted("Portolan is no appliance")},
	{"community", "", none, noted("there is one edition")},
	{"vm", "", none, noted("there is no licence to check")},
	{"online-check", "", none, noted("there is no licence to check")},
	{"online-license-check", "", none, noted("there is no licence to check")},
	{"test-script", "", required, noted("no scripts are run")},
	{"test-script-pre", "", required, noted("no scripts are run")},

	// What would change the result in a way that Portolan cannot follow.
	{"export-flows", "I", required, refused("Portolan does not send flows by ZMQ", "leave it out, and let the other side read the same store")},
	{"simulate-vlans", "", none, refused("Portolan counts what is there, it does not invent VLANs", "leave it out")},
	{"simulate-ips", "", required, refused("Portolan counts what is there, it does not invent addresses", "leave it out")},
	{"help", "h", none, refused("prints a text and ends, in ntopng", "portolan run --help")},
	{"version", "V", none, refused("prints the version and ends, in ntopng", "portolan version")},
	{"version-json", "", none, refused("prints the version and ends, in ntopng", "portolan version --json")},
	{"print-ndpi-protocols", "", none, refused("prints a list and ends, in ntopng", "leave it out")},
	{"check-license", "", none, refused("checks a licence and ends, in ntopng", "leave it out: there is none")},
	{"check-maintenance", "", none, refused("checks a licence and ends, in ntopng", "leave it out: there is none")},
}

func sets(key string) func(string) (effect, error) {
	return func(text string) (effect, error) { return effect{key: key, text: text}, nil }
}

func fixed(key, value string) func(string) (effect, error) {
	return func(string) (effect, error) { return effect{key: key, text: value}, nil }
}

func noted(note string) func(string) (effect, error) {
	return func(string) (effect, error) { return effect{note: note}, nil }
}

func refused(why, hint string) func(string) (effect, error) {
	return func(string) (effect, error) { return effect{}, hintError{errors.New(why), hint} }
}

func oneOf(key string, values map[string]string) func(string) (effect, error) {
	return func(text string) (effect, error) {
		if v, ok := values[text]; ok {
			return effect{key: key, text: v}, nil
		}
		return effect{}, fmt.Errorf("unknown: %q", text)
	}
}

// dnsMode: Portolan asks no DNS server; it reads answers that pass by.
func dnsMode(text string) (effect, error) {
	switch text {
	case "0", "1":
		return effect{"learn", "names", "Portolan does not ask DNS servers; names come from the DNS answers that it sees, and from hosts files"}, nil
	case "2":
		return effect{key: "learn", text: "names"}, nil
	case "3", "4":
		return effect{"learn", "nothing", "no names at all are taken from payloads, nor are DNS servers asked"}, nil
	}
	return effect{}, hintf("have: 0, 1, 2, 3, 4", "unknown: %q", text)
}

// httpPort reads [address:]port[,port]. A port alone is one of every address
// for ntopng, which asks for a password; our page does not.
func httpPort(text string) (effect, error) {
	text, _, _ = strings.Cut(text, ",")
	listen, err := parseListen(text)
	if err != nil {
		return effect{}, err
	}
	e := effect{key: "listen", text: printListen(listen)}
	if listen != "" && !strings.Contains(text, ":") {
		e.note = "listens on " + listen + " alone, since the status page asks for no password; listen: 0.0.0.0:" + text + " opens it to all"
	}
	return e, nil
}

// maxNumFlows becomes memory. ntopng takes 1024 at the least.
func maxNumFlows(text string) (effect, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return effect{}, fmt.Errorf("%q is no number of flows", text)
	}
	size := Size(max(n, 1024)) * flowBytes
	size = min((size+1<<20-1)&^(1<<20-1), 22<<30)
	return effect{"memory", size.String(), "bounds the flow table of a worker to " + size.String() + "; when it is full, quiet conversations are stored early and none is ignored"}, nil
}

// verbose: ntopng before 3.0 takes no level and means the highest.
func verbose(text string) (effect, error) {
	level, err := strconv.ParseUint(cmp.Or(text, "6"), 10, 8)
	if err != nil {
		return effect{}, hintf("have: 0 to 6", "unknown: %q", text)
	}
	levels := []string{"error", "warn", "info", "info"}
	if level < uint64(len(levels)) {
		return effect{key: "log.level", text: levels[level]}, nil
	}
	return effect{key: "log.level", text: "debug"}, nil
}

// take applies the option. name is how the user called it.
func (o *option) take(text string, origin Origin, name string) ([]assignment, []Note, error) {
	if text == "" && o.arg == required {
		return nil, nil, wrong(origin, 0, name, hintf("write "+name+"=VALUE", "no value"))
	}
	e, err := o.act(text)
	if err != nil {
		if origin.Layer == Flag {
			name = "" // the origin says it
		}
		return nil, nil, wrong(origin, 0, name, err)
	}
	var notes []Note
	if e.note != "" {
		notes = []Note{{origin, name, e.note}}
	}
	switch {
	case e.key == "":
		return nil, notes, nil
	case e.key == "local-networks" && strings.HasPrefix(e.text, "/"):
		found, err := networkFile(e.text, origin)
		return found, notes, err
	}
	return []assignment{assign(e.key, e.text, origin)}, notes, nil
}

// networkFile reads a file of networks, one or more a line, with commas between.
func networkFile(name string, origin Origin) ([]assignment, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is no file")
	}
	if err != nil {
		return nil, wrong(origin, 0, "local-networks", fmt.Errorf("%s: %w", name, cause(err)))
	}
	data, err := readFile(name, maxFile)
	if err != nil {
		return nil, err
	}
	a := assignment{key: "local-networks", origin: origin}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			a.elements = append(a.elements, element{strings.TrimSpace(line), Origin{File, name, number}, 0})
		}
	}
	return []assignment{a}, nil
}

// findOption returns the option that is called name, one letter or a word; nil
// if there is none.
func findOption(name string) *option {
	i := slices.IndexFunc(options, func(o option) bool { return o.long == name || o.short == name && name != "" })
	if i < 0 {
		return nil
	}
	return &options[i]
}

// parseNtopng reads a file of ntopng's options that is called name: one a line,
// "-i=eth0", "-i eth0", "--interface=eth0" or "--interface eth0"; "#" begins a
// comment at the start of a line.
func parseNtopng(name string, data []byte) ([]assignment, []Note, error) {
	var found []assignment
	var notes []Note
	var errs []error
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		origin := Origin{File, name, number}
		o, shown, text, err := parseOption(line)
		if err != nil {
			errs = append(errs, wrong(origin, 0, "", err))
			continue
		}
		as, ns, err := o.take(text, origin, shown)
		found, notes = append(found, as...), append(notes, ns...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	return found, notes, errors.Join(errs...)
}

// parseOption reads one line. shown is the option as it was written. Errors do
// not repeat values, which may be secret.
func parseOption(line string) (o *option, shown, text string, err error) {
	end := strings.IndexAny(line, "= \t")
	if end < 0 {
		end = len(line)
	}
	shown, text = line[:end], strings.TrimSpace(line[end:])
	text = unquote(strings.TrimSpace(strings.TrimPrefix(text, "=")))
	word, isLong := strings.CutPrefix(shown, "--")
	switch {
	case isLong && len(word) > 1:
		o = findOption(word)
	case !isLong && len(shown) == 2 && shown[0] == '-':
		o = findOption(shown[1:])
	case !strings.HasPrefix(shown, "-"):
		return nil, "", "", hintf("options of ntopng begin with - or --", "no option")
	}
	if o == nil {
		return nil, "", "", unknownOption(shown)
	}
	return o, shown, text, nil
}

// unknownOption is the error of an option that ntopng does not know, either.
func unknownOption(shown string) error {
	if i := strings.IndexByte(shown, ';'); i >= 0 {
		shown = shown[:i] // a target of -F may stand there, with its password
	}
	word := strings.TrimLeft(shown, "-")
	if len(shown) > 2 && shown[1] != '-' && findOption(word) == nil && findOption(shown[1:2]) != nil {
		return hintf("write "+shown[:2]+"=VALUE", "unknown option %q", shown)
	}
	var names []string
	for _, o := range options {
		names = append(names, o.long)
	}
	if near := nearest(word, names); near != "" && len(word) > 1 {
		return hintf("did you mean --"+near+"?", "unknown option %q", shown)
	}
	return fmt.Errorf("unknown option %q", shown)
}

// unquote removes a pair of quotes around text.
func unquote(text string) string {
	if n := len(text); n >= 2 && text[0] == text[n-1] && (text[0] == '"' || text[0] == '\'') {
		return text[1 : n-1]
	}
	return text
}

// joinPort is host:port, with the brackets that IPv6 needs.
func joinPort(host, port string) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
