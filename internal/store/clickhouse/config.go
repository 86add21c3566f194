package clickhouse

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// A Config says which ClickHouse holds the store.
type Config struct {
	Addrs          []string // host:port of the native protocol; the next is tried when one does not answer
	User, Password string   // "" = the user "default", without password
	Database       string

	// Cluster is the name of a cluster in the server's remote_servers; "" = the
	// server alone. Rows are spread over its shards by client and server.
	Cluster string

	Secure     bool // TLS
	SkipVerify bool // any certificate will do
	Compress   string
	// Dial is how long connecting may take.
	Dial time.Duration
	// Retry is how long a write goes on trying while the server is away.
	Retry time.Duration

	Create   bool // create the database if it is missing
	ReadOnly bool // create and change nothing
	Sync     bool // each write waits until the server has it on disk

	// TTL and RollupTTL let the server itself drop days that are older: raw
	// records, and roll-ups. 0 = it keeps them. They are whole days.
	TTL, RollupTTL time.Duration

	readonly int // the server's setting of that name, for tests: what a user's profile may say
}

// Defaults of a Config.
const (
	defaultPort       = "9000"
	defaultSecurePort = "9440"
	defaultDatabase   = "portolan"
	defaultDial       = 10 * time.Second
	defaultRetry      = 30 * time.Second
)

// identifier is what a name that stands in SQL may look like.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// clusterName is the same for clusters, which XML elements name.
var clusterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

var compressions = []string{"lz4", "zstd", "none"}

// Parse reads clickhouse://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?OPTION=VALUE.
// Errors do not show the password.
func Parse(dsn string) (Config, error) {
	c := Config{Database: defaultDatabase, Compress: "lz4", Dial: defaultDial, Retry: defaultRetry, Sync: true}
	scheme, rest, ok := strings.Cut(dsn, "://")
	if !ok || scheme != "clickhouse" {
		return c, hinted(errors.New("clickhouse address: it does not begin with clickhouse://"), dsnHint)
	}
	// url.Parse knows one host only.
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	at := strings.LastIndexByte(authority, '@') + 1
	hosts := authority[at:]
	u, err := url.Parse(scheme + "://" + authority[:at] + "host" + path)
	if err != nil {
		return c, hinted(errors.New("clickhouse address: it is no URL; letters such as @, / and % in a password are written %40, %2F and %25"), dsnHint)
	}
	c.User = u.User.Username()
	c.Password, _ = u.User.Password()
	if name := strings.TrimPrefix(u.Path, "/"); name != "" {
		c.Database = name
	}
	if !identifier.MatchString(c.Database) {
		return c, fmt.Errorf("clickhouse address: database %q: letters, digits and _ only, at most 64", c.Database)
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return c, fmt.Errorf("clickhouse address: options: %w", err)
	}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		set, ok := options[name]
		if !ok {
			wrong = append(wrong, fmt.Errorf("clickhouse address: unknown option %q (have: %s)", name, strings.Join(slices.Sorted(maps.Keys(options)), ", ")))
			continue
		}
		if err := set(&c, values.Get(name)); err != nil {
			wrong = append(wrong, fmt.Errorf("clickhouse address: option %s: %w", name, err))
		}
	}
	port := defaultPort
	if c.Secure {
		port = defaultSecurePort
	}
	for host := range strings.SplitSeq(hosts, ",") {
		addr, err := address(host, port)
		if err != nil {
			wrong = append(wrong, hinted(fmt.Errorf("clickhouse address: host %q: %w", host, err), dsnHint))
			continue
		}
		c.Addrs = append(c.Addrs, addr)
	}
	if c.RollupTTL > 0 && (c.TTL == 0 || c.RollupTTL < c.TTL) {
		wrong = append(wrong, errors.New("clickhouse address: rollup_ttl is shorter than ttl: sums must stay as long as the records"))
	}
	return c, errors.Join(wrong...)
}

const dsnHint = "an address looks like clickhouse://user:password@host:9000/database?cluster=name"

// address returns host:port.
func address(host, port string) (string, error) {
	name, given, err := net.SplitHostPort(host)
	if err != nil {
		name, given = strings.Trim(host, "[]"), port
	}
	if n, err := strconv.ParseUint(given, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("port %q is not a number from 1 to 65535", given)
	}
	if name == "" {
		return "", errors.New("it has no name")
	}
	return net.JoinHostPort(name, given), nil
}

// options are the names behind "?" in an address.
var options = map[string]func(c *Config, value string) error{
	"cluster": func(c *Config, v string) error {
		if !clusterName.MatchString(v) {
			return fmt.Errorf("%q: letters, digits, _, . and - only, at most 64", v)
		}
		c.Cluster = v
		return nil
	},
	"secure":      func(c *Config, v string) error { return parseBool(&c.Secure, v) },
	"skip_verify": func(c *Config, v string) error { return parseBool(&c.SkipVerify, v) },
	"create":      func(c *Config, v string) error { return parseBool(&c.Create, v) },
	"read_only":   func(c *Config, v string) error { return parseBool(&c.ReadOnly, v) },
	"sync":        func(c *Config, v string) error { return parseBool(&c.Sync, v) },
	"compress": func(c *Config, v string) error {
		if !slices.Contains(compressions, v) {
			return fmt.Errorf("%q: must be one of %s", v, strings.Join(compressions, ", "))
		}
		c.Compress = v
		return nil
	},
	"dial_timeout": func(c *Config, v string) error { return parseDuration(&c.Dial, v, time.Millisecond) },
	"retry":        func(c *Config, v string) error { return parseDuration(&c.Retry, v, 0) },
	"ttl":          func(c *Config, v string) error { return parseDays(&c.TTL, v) },
	"rollup_ttl":   func(c *Config, v string) error { return parseDays(&c.RollupTTL, v) },
}

func parseBool(to *bool, v string) error {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return fmt.Errorf("%q: must be true or false", v)
	}
	*to = b
	return nil
}

func parseDuration(to *time.Duration, v string, least time.Duration) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < least {
		return fmt.Errorf("%q: must be a time such as 30s, %s or more", v, least)
	}
	*to = d
	return nil
}

// mostDays keeps a TTL within what ClickHouse's times can hold.
const mostDays = 36500

// parseDays reads "30d" or "720h".
func parseDays(to *time.Duration, v string) error {
	var d time.Duration
	if number, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n > mostDays {
			return fmt.Errorf("%q: must be days such as 30d, at most %dd", v, mostDays)
		}
		d = time.Duration(n) * 24 * time.Hour
	} else if err := parseDuration(&d, v, 0); err != nil {
		return fmt.Errorf("%q: must be days such as 30d", v)
	}
	if d%(24*time.Hour) != 0 || d > mostDays*24*time.Hour {
		return fmt.Errorf("%q: must be whole days, at most %dd", v, mostDays)
	}
	*to = d
	return nil
}

// connections is how many connections one store opens at the most. Each answer
// that is being read holds one.
const connections = 64

// readTimeout is how long the server may say nothing. It reports progress
// several times a second.
const readTimeout = 2 * time.Minute

// driverOptions returns c as the driver wants it, for the given hosts.
func (c *Config) driverOptions(addrs []string) *driver.Options {
	o := &driver.Options{
		Addr:         addrs,
		Auth:         driver.Auth{Database: c.Database, Username: c.User, Password: c.Password},
		DialTimeout:  c.Dial,
		ReadTimeout:  readTimeout,
		MaxOpenConns: connections,
		MaxIdleConns: 4,
		Compression:  &driver.Compression{Method: driver.CompressionLZ4},
	}
	o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{"portolan", ""})
	switch c.Compress {
	case "zstd":
		o.Compression = &driver.Compression{Method: driver.CompressionZSTD, Level: 1}
	case "none":
		o.Compression = nil
	}
	if c.readonly != 0 {
		o.Settings = driver.Settings{"readonly": c.readonly}
	}
	if c.Secure {
		o.TLS = &tls.Config{InsecureSkipVerify: c.SkipVerify, MinVersion: tls.VersionTLS12}
	}
	return o
}
