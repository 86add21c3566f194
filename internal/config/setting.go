package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A setting ties a field of Config to its names.
type setting struct {
	key      string // dots between the levels of the YAML file
	flag     string
	short    string // one letter, or empty
	doc      string
	computed string // what the default is when it is not a constant
	value    value
}

// env is the name of a setting's variable.
func (s *setting) env() string {
	return "PORTOLAN_" + strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(s.key))
}

// A value is a field of Config as text. Errors of set do not repeat what may be
// secret.
type value interface {
	set(text string) error // of a list: appends one element
	String() string
	plain() any   // for JSON
	kind() string // what a person may write, for the reference
}

// A list is a value of several elements.
type list interface {
	value
	clear()
}

// settings returns all settings, tied to c, in the order of the reference.
func (c *Config) settings() []setting {
	duration := scalarOf("duration: 30s, 15m, 2h", printDuration, within(parseDuration, time.Second, week))
	age := scalarOf("duration: 12h, 30d, 1y; forever", printAge, parseAge)
	folder := scalarOf("folder", asIs, parseText)
	return []setting{
		{key: "interfaces", flag: "interface", short: "i", doc: "network interfaces to listen on; any = all of them",
			value: &listOf[string]{&c.Interfaces, "names", parseInterface, asIs}},
		{key: "filter", flag: "filter", doc: "pcap-filter expression; packets that do not match are not looked at",
			value: scalarOf("pcap-filter expression", asIs, parseText)(&c.Filter)},
		{key: "promiscuous", flag: "promiscuous", doc: "see packets that are for other machines",
			value: boolean(&c.Promiscuous)},
		{key: "direction", flag: "direction", doc: "which packets of an interface count",
			value: choice(&c.Direction, Both, Incoming, Outgoing)},
		{key: "ignore-vlans", flag: "ignore-vlans", doc: "conversations of several VLANs are one",
			value: boolean(&c.IgnoreVLANs)},
		{key: "snap", flag: "snap", doc: "bytes of a packet that are looked at",
			computed: "1600; 192 if nothing looks into payloads",
			value:    scalarOf("number of bytes, 64 to 262144; auto", strconv.Itoa, orAuto(within(parseInt, 64, 256<<10)))(&c.Snap)},
		{key: "sampling", flag: "sampling", doc: "look at one of so many packets, and multiply the counts; 1 = all",
			value: scalarOf("number, 1 to 65535", printUint, within(parseUint, 1, 65535))(&c.Sampling)},
		{key: "ring.block-size", flag: "ring-block-size", doc: "size of a block of the ring that a worker shares with the kernel",
			value: scalarOf("size, a power of two, 64KiB to 16MiB", Size.String, within(parsePower, 64<<10, 16<<20))(&c.Ring.BlockSize)},
		{key: "ring.blocks", flag: "ring-blocks", doc: "blocks of the ring of a worker",
			value: scalarOf("number, 4 to 1024", strconv.Itoa, within(parseInt, 4, 1024))(&c.Ring.Blocks)},
		{key: "workers", flag: "workers", doc: "threads that share an interface",
			computed: "one a processor",
			value:    scalarOf("number, 1 to 256; auto", strconv.Itoa, orAuto(within(parseInt, 1, 256)))(&c.Workers)},
		{key: "memory", flag: "memory", doc: "bound of the flow table of one worker",
			computed: "an eighth of the machine's memory, shared by the workers; 16MiB to 4GiB",
			value:    scalarOf("size, 1MiB to 22GiB; auto", Size.String, orAuto(within(parseSize, 1<<20, 22<<30)))(&c.Memory)},
		{key: "timeouts.idle", flag: "idle-timeout", doc: "a conversation that is not TCP ends when it was quiet so long",
			value: duration(&c.Timeouts.Idle)},
		{key: "timeouts.tcp-idle", flag: "tcp-idle-timeout", doc: "a TCP connection that was not closed ends when it was quiet so long",
			value: duration(&c.Timeouts.TCPIdle)},
		{key: "timeouts.tcp-opening", flag: "tcp-opening-timeout", doc: "a TCP connection whose handshake stands still ends after so long",
			value: duration(&c.Timeouts.TCPOpening)},
		{key: "timeouts.active", flag: "active-timeout", doc: "a long conversation is stored in slices of this length",
			value: duration(&c.Timeouts.Active)},
		{key: "instance", flag: "instance-name", short: "N", doc: "what this Portolan is called where several write into one store",
			computed: "the machine's host name",
			value:    scalarOf("name, at most 255 bytes", asIs, parseInstance)(&c.Instance)},
		{key: "local-networks", flag: "local-networks", short: "m", doc: "networks that are ours, and what to call them",
			value: &listOf[Network]{&c.LocalNetworks, "networks: 192.168.1.0/24, 10.0.0.0/8=Lab", parseNetwork, Network.String}},
		{key: "hosts", flag: "hosts", doc: "files with names of addresses: hosts format, or CSV address,name[,kind]",
			value: &listOf[string]{&c.Hosts, "files", parseText, asIs}},
		{key: "identify", flag: "identify", doc: "tell applications by what conversations say",
			value: boolean(&c.Identify)},
		{key: "protocols", flag: "ndpi-protocols", short: "p", doc: "file with custom protocols, in nDPI's form",
			value: scalarOf("file", asIs, parseText)(&c.Protocols)},
		{key: "learn", flag: "learn", doc: "what may be kept of payloads: names of hosts and services, or nothing at all",
			value: choice(&c.Learn, Names, Nothing)},
		{key: "data-dir", flag: "data-dir", short: "d", doc: "folder for what Portolan keeps, unless store and spill.folder say otherwise",
			computed: "$XDG_DATA_HOME, else ~/.local/share, else /var/lib",
			value:    folder(&c.DataDir)},
		{key: "store", flag: "store", doc: "where flows are kept: a folder or parquet:///folder, mariadb://user:password@host/database, clickhouse://user:password@host/database",
			computed: "portolan in data-dir",
			value:    scalarOf("folder or URL", StoreURL.String, parseStore)(&c.Store)},
		{key: "retention.raw", flag: "retention-raw", doc: "age at which flows leave the store; a database forgets none unless this is set",
			value: age(&c.Retention.Raw)},
		{key: "retention.roll-up", flag: "retention-roll-up", doc: "age at which hourly and daily sums leave the store; a database forgets none unless this is set",
			value: age(&c.Retention.RollUp)},
		{key: "retention.size", flag: "retention-size", doc: "size of the store above which the oldest flows leave it",
			value: scalarOf("size, 64MiB or more; none", printBudget, orNone(within(parseSize, 64<<20, 1<<60)))(&c.Retention.Size)},
		{key: "spill.folder", flag: "spill-folder", doc: "folder where flows wait while a database does not answer",
			computed: "spill in a store that is a folder; for a database a folder of its own in portolan-spill in data-dir",
			value:    folder(&c.Spill.Folder)},
		{key: "spill.budget", flag: "spill-budget", doc: "size of that folder above which flows are dropped, and counted",
			value: scalarOf("size, 1MiB or more; none = flows do not wait", printBudget, orNone(within(parseSize, 1<<20, 1<<60)))(&c.Spill.Budget)},
		{key: "listen", flag: "listen", doc: "address of the status page and the metrics; it asks for no password",
			value: scalarOf("host:port, :port or port for loopback; off", printListen, parseListen)(&c.Listen)},
		{key: "user", flag: "user", short: "U", doc: "user to become once the interfaces are open; empty = stay who you are",
			value: scalarOf("name or number", asIs, parseUser)(&c.User)},
		{key: "log.level", flag: "log-level", doc: "least important message that is logged",
			value: scalarOf("debug, info, warn, error", printLevel, parseLevel)(&c.Log.Level)},
		{key: "log.format", flag: "log-format", doc: "form of log lines",
			value: choice(&c.Log.Format, "text", "json")},
	}
}

// defaults are the values of settings that nobody set. What is zero here and
// has a computed default gets it in complete.
func defaults() Config {
	return Config{
		Promiscuous: true,
		Direction:   Both,
		Sampling:    1,
		Ring:        Ring{BlockSize: 1 << 20, Blocks: 64},
		Timeouts: Timeouts{
			Idle: 30 * time.Second, TCPIdle: 15 * time.Minute, TCPOpening: 30 * time.Second, Active: time.Minute,
		},
		Identify:  true,
		Learn:     Names,
		Retention: Retention{Raw: 30 * day, RollUp: year},
		Spill:     Spill{Budget: 1 << 30},
		Listen:    "127.0.0.1:9119",
		Log:       Log{Format: "text"},
	}
}

// A scalar is a value of one T.
type scalar[T any] struct {
	p     *T
	what  string
	parse func(string) (T, error)
	print func(T) string
}

// scalarOf returns what makes scalars of one kind.
func scalarOf[T any](what string, print func(T) string, parse func(string) (T, error)) func(*T) value {
	return func(p *T) value { return &scalar[T]{p, what, parse, print} }
}

func (s *scalar[T]) set(text string) error {
	v, err := s.parse(text)
	if err == nil {
		*s.p = v
	}
	return err
}

func (s *scalar[T]) String() string { return s.print(*s.p) }
func (s *scalar[T]) kind() string   { return s.what }

func (s *scalar[T]) plain() any {
	switch v := any(*s.p).(type) {
	case bool, int, uint32:
		return v
	}
	return s.String()
}

// A listOf is a value of several Ts.
type listOf[T any] struct {
	p     *[]T
	what  string
	parse func(string) (T, error)
	print func(T) string
}

func (l *listOf[T]) set(text string) error {
	v, err := l.parse(text)
	if err == nil {
		*l.p = append(*l.p, v)
	}
	return err
}

func (l *listOf[T]) clear()       { *l.p = nil }
func (l *listOf[T]) kind() string { return l.what }

func (l *listOf[T]) texts() []string {
	texts := make([]string, len(*l.p))
	for i, v := range *l.p {
		texts[i] = l.print(v)
	}
	return texts
}

func (l *listOf[T]) String() string { return strings.Join(l.texts(), ", ") }
func (l *listOf[T]) plain() any     { return l.texts() }

func boolean(p *bool) value {
	return scalarOf("true or false", strconv.FormatBool, func(text string) (bool, error) {
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
		return false, hintf("write true or false", "%q is neither true nor false", text)
	})(p)
}

func choice[T ~string](p *T, all ...T) value {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = string(one)
	}
	have := strings.Join(names, ", ")
	return scalarOf(have, func(v T) string { return string(v) }, func(text string) (T, error) {
		if slices.Contains(all, T(text)) {
			return T(text), nil
		}
		return "", hintf("have: "+have, "unknown: %q", text)
	})(p)
}

// within bounds what parse returns.
func within[T cmp.Ordered](parse func(string) (T, error), least, most T) func(string) (T, error) {
	return func(text string) (T, error) {
		v, err := parse(text)
		if err != nil {
			return v, hintError{err, hintFor(v)}
		}
		if v < least || v > most {
			return v, fmt.Errorf("%s is out of range: must be %s to %s", text, printAny(least), printAny(most))
		}
		return v, nil
	}
}

// hintFor says how values of v's type are written.
func hintFor(v any) string {
	switch v.(type) {
	case time.Duration:
		return "write a duration such as 30s, 15m, 2h, 7d"
	case Size:
		return "write a size such as 64KiB, 512MiB, 4G"
	}
	return "write a whole number"
}

func printAny(v any) string {
	if d, ok := v.(time.Duration); ok {
		return printDuration(d)
	}
	return fmt.Sprint(v)
}

// orAuto makes "auto" the zero T, which complete replaces.
func orAuto[T any](parse func(string) (T, error)) func(string) (T, error) { return or("auto", parse) }

// orNone makes "none" the zero T.
func orNone[T any](parse func(string) (T, error)) func(string) (T, error) { return or("none", parse) }

func or[T any](word string, parse func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		if text == word {
			var zero T
			return zero, nil
		}
		return parse(text)
	}
}

func asIs(s string) string { return s }

func printUint(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func parseText(text string) (string, error) {
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }); i >= 0 {
		return "", fmt.Errorf("holds the control character %q", text[i])
	}
	return strings.TrimSpace(text), nil
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", text)
	}
	return n, nil
}

func parseUint(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", text)
	}
	return uint32(n), nil
}

func parsePower(text string) (Size, error) {
	s, err := parseSize(text)
	if err == nil && s&(s-1) != 0 {
		err = fmt.Errorf("%s is no power of two", text)
	}
	return s, err
}

// parseAge reads a duration of an hour or more; "forever" is 0.
// ParseAge reads an age of an hour or more: 12h, 30d, 1y; "forever" is 0.
func ParseAge(text string) (time.Duration, error) { return parseAge(text) }

func parseAge(text string) (time.Duration, error) {
	if text == "forever" {
		return 0, nil
	}
	return within(parseDuration, time.Hour, 100*year)(text)
}

func printAge(d time.Duration) string {
	if d == 0 {
		return "forever"
	}
	return printDuration(d)
}

func printBudget(s Size) string {
	if s == 0 {
		return "none"
	}
	return s.String()
}

// parseInterface refuses what ntopng takes for an interface and is none.
func parseInterface(text string) (string, error) {
	switch kind, rest, _ := strings.Cut(text, ":"); {
	case text == "":
		return "", fmt.Errorf("an interface has no name")
	case strings.Contains(text, "://"):
		return "", hintf("Portolan listens to interfaces itself; name one, such as eth0", "%q is no interface, but an address that flows are received from", text)
	case kind == "view":
		return "", hintf("name the interfaces themselves: "+rest, "%q is no interface, but a view of several", text)
	case kind == "zc" || kind == "pf_ring" || kind == "dag":
		return "", hintf("name the kernel's interface, such as eth0", "%q is an interface of a driver that Portolan does not use", text)
	case isCapture(text):
		return "", hintf("portolan read "+text, "%q is no interface, but a capture file", text)
	case len(text) > 15:
		return "", fmt.Errorf("%q is longer than the 15 bytes of an interface's name", text)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '/' || r == '#' }):
		return "", hintf("a comment stands on a line of its own", "%q is no name of an interface", text)
	}
	return text, nil
}

func isCapture(text string) bool {
	if text == "-" || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "./") {
		return true
	}
	for _, end := range []string{".gz", ".zst"} {
		text = strings.TrimSuffix(text, end)
	}
	return strings.HasSuffix(text, ".pcap") || strings.HasSuffix(text, ".pcapng") || strings.HasSuffix(text, ".cap")
}

func parseInstance(text string) (string, error) {
	text, err := parseText(text)
	if err == nil && len(text) > 255 {
		err = fmt.Errorf("%d bytes are too long for a name: 255 are allowed", len(text))
	}
	return text, err
}

func parseStore(text string) (StoreURL, error) {
	if text == "" {
		return StoreURL{}, nil // the default
	}
	return ParseStore(text)
}

// parseNetwork reads prefix[=title]. The prefix is CIDR, or an address with a
// netmask, or an address alone.
func parseNetwork(text string) (Network, error) {
	prefix, title, _ := strings.Cut(text, "=")
	prefix, title = strings.TrimSpace(prefix), strings.TrimSpace(title)
	n, err := parsePrefix(prefix)
	if err != nil {
		return Network{}, hintf("write 192.168.1.0/24 or 192.168.1.0/24=Office", "%q is no network", prefix)
	}
	return Network{n.Masked(), title}, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	host, bits, found := strings.Cut(text, "/")
	if !found || !strings.Contains(bits, ".") {
		if !found {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return netip.Prefix{}, err
			}
			return addr.Prefix(addr.BitLen())
		}
		return netip.ParsePrefix(text)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}, err
	}
	mask, err := netip.ParseAddr(bits)
	if err != nil || !mask.Is4() || !addr.Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is no netmask", bits)
	}
	m := mask.As4()
	ones, size := net.IPMask(m[:]).Size()
	if size == 0 {
		return netip.Prefix{}, fmt.Errorf("%q is no netmask", bits)
	}
	return addr.Prefix(ones)
}

// parseListen reads host:port. A port alone is one of the loopback.
func parseListen(text string) (string, error) {
	if text == "off" || text == "0" || text == ":0" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil && !strings.ContainsAny(text, ":[]") {
		port, err = text, nil
	}
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || number == 0 || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == '/' }) {
		return "", hintf("write 127.0.0.1:9119, or off", "%q is no address to listen on", text)
	}
	return net.JoinHostPort(cmp.Or(host, "127.0.0.1"), strconv.FormatUint(number, 10)), nil
}

func printListen(s string) string { return cmp.Or(s, "off") }

func parseUser(text string) (string, error) {
	if len(text) > 64 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == ':' || r == '/' }) {
		return "", fmt.Errorf("%q is no user", text)
	}
	return text, nil
}

func parseLevel(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, hintf("have: debug, info, warn, error", "unknown: %q", text)
}

func printLevel(l slog.Level) string { return strings.ToLower(l.String()) }
