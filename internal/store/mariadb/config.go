package mariadb

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A Config says where the database is, and how it is used.
type Config struct {
	Host     string // name or address; "" = localhost, unless Socket is set
	Port     uint16 // 0 = 3306
	Socket   string // path of a unix socket; it goes before Host
	User     string
	Password string
	Database string
	Tables   string // what the names of the flow tables begin with; "" = "flows", for flowsv4 and flowsv6
	Instance string // written as NTOPNG_INSTANCE_NAME; "" = the name of this machine

	TLS TLSMode
	CA  string // PEM file with the certificates that sign the server's; "" = those of the system

	ReadOnly  bool // only questions; nothing is created or changed
	FlushRows int  // records that wait in memory before they are written; 0 = 20000
	// DeleteRows is how many rows at a time Prune deletes from a table that has no
	// partition for each day, because ntopng made it. 0 = none: that takes long,
	// and a table of MyISAM is locked meanwhile.
	DeleteRows int
	FlushAge   time.Duration // how long they wait at the most, looked at when more are written; 0 = until Flush or FlushRows
}

// A TLSMode says whether the connection is encrypted.
type TLSMode uint8

const (
	Plain         TLSMode = iota
	PreferTLS             // if the server can; the certificate is not verified
	UnverifiedTLS         // always; the certificate is not verified
	VerifiedTLS           // always; the certificate must be the server's
)

var tlsModes = map[string]TLSMode{
	"": Plain, "false": Plain, "preferred": PreferTLS, "skip-verify": UnverifiedTLS, "true": VerifiedTLS,
}

const (
	defaultTables    = "flows"
	defaultPort      = 3306
	defaultFlushRows = 20_000
	dialTimeout      = 10 * time.Second
)

var tableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// Parse reads mariadb://user:password@host:port/database?option=value, where
// mysql:// means the same. The options are tls (true, skip-verify, preferred,
// false), ca (a PEM file), socket (a path), tables (what names of flow tables
// begin with), instance and delete-rows. Errors never hold the password.
func Parse(text string) (Config, error) {
	u, err := url.Parse(text)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err // url.Error prints the whole text, password included
		}
		return Config{}, fmt.Errorf("mariadb: the address of the database: %w", err)
	}
	if u.Scheme != "mariadb" && u.Scheme != "mysql" {
		return Config{}, fmt.Errorf("mariadb: the address of the database begins with %q: want mariadb://", u.Scheme+":")
	}
	c := Config{Host: u.Hostname(), User: u.User.Username(), Database: strings.TrimPrefix(u.Path, "/")}
	c.Password, _ = u.User.Password()
	if u.Port() != "" {
		if c.Port, err = parsePort(u.Port()); err != nil {
			return Config{}, err
		}
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Config{}, fmt.Errorf("mariadb: the options of the address: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if err := c.option(name, options[name]); err != nil {
			return Config{}, err
		}
	}
	return c, c.check()
}

// option sets what stands behind the "?" of an address.
func (c *Config) option(name string, values []string) error {
	value := values[len(values)-1]
	switch name {
	case "tls":
		mode, ok := tlsModes[value]
		if !ok {
			return fmt.Errorf("mariadb: tls is %q: want true, skip-verify, preferred or false", value)
		}
		c.TLS = mode
	case "ca":
		c.CA = value
	case "socket":
		c.Socket = value
	case "tables":
		c.Tables = value
	case "delete-rows":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("mariadb: delete-rows is %q: want a number of rows, such as 10000", value)
		}
		c.DeleteRows = int(n)
	case "instance":
		c.Instance = value
	default:
		return fmt.Errorf("mariadb: unknown option %q: there are ca, delete-rows, instance, socket, tables and tls", name)
	}
	return nil
}

// ParseNtopng reads the value of ntopng's option -F, in both its forms:
//
//	mysql;host[@port[s]] or socket;database;user;password           ntopng 5.2 and later
//	mysql;host[@port] or socket;database;tables;user;password       before that
//
// A password may hold semicolons in neither: how many there are tells the
// forms apart. An "s" behind the port asks for TLS.
func ParseNtopng(option string) (Config, error) {
	fields := strings.Split(option, ";")
	if fields[0] != "mysql" {
		return Config{}, fmt.Errorf("mariadb: the option begins with %q: want mysql;", fields[0])
	}
	c := Config{}
	switch len(fields) {
	case 5:
		c.Database, c.User, c.Password = fields[2], fields[3], fields[4]
	case 6:
		c.Database, c.Tables, c.User, c.Password = fields[2], fields[3], fields[4], fields[5]
	default:
		return Config{}, fmt.Errorf("mariadb: the option has %d fields: want mysql;host;database;user;password or mysql;host;database;tables;user;password", len(fields))
	}
	host, port, _ := strings.Cut(fields[1], "@")
	if strings.HasPrefix(fields[1], "/") {
		c.Socket = fields[1]
		return c, c.check()
	}
	c.Host = host
	if digits, secure := strings.CutSuffix(port, "s"); secure {
		c.TLS, port = UnverifiedTLS, digits // ntopng verifies no certificate
	}
	if port != "" {
		var err error
		if c.Port, err = parsePort(port); err != nil {
			return Config{}, err
		}
	}
	return c, c.check()
}

func parsePort(s string) (uint16, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("mariadb: port %q: want a number from 1 to 65535", s)
	}
	return uint16(port), nil
}

// check says what makes no sense.
func (c *Config) check() error {
	switch {
	case c.Database == "":
		return errors.New("mariadb: no database is named: mariadb://user:password@host/DATABASE")
	case len(c.Database) > 64 || strings.ContainsAny(c.Database, "/\\.`\x00"):
		return fmt.Errorf("mariadb: %.80q cannot be the name of a database", c.Database)
	case c.Tables != "" && !tableName.MatchString(c.Tables):
		return fmt.Errorf("mariadb: tables is %.80q: want a letter, then up to 31 letters, digits and _", c.Tables)
	case c.Socket != "" && !strings.HasPrefix(c.Socket, "/"):
		return fmt.Errorf("mariadb: socket is %q: want a path that begins with /", c.Socket)
	case c.CA != "" && c.TLS != VerifiedTLS:
		return errors.New("mariadb: ca is of use with tls=true only")
	case c.FlushRows < 0 || c.FlushAge < 0 || c.DeleteRows < 0:
		return errors.New("mariadb: a number of rows or an age is below 0")
	}
	return nil
}

// String returns the address without the password.
func (c Config) String() string {
	u := url.URL{Scheme: "mariadb", Host: c.address(), Path: "/" + c.Database}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	if c.Socket != "" {
		u.Host = ""
		u.RawQuery = "socket=" + c.Socket
	}
	return u.String()
}

// address returns host:port.
func (c *Config) address() string {
	host, port := c.Host, c.Port
	if host == "" {
		host = "localhost"
	}
	if port == 0 {
		port = defaultPort
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// driverConfig returns what the driver wants to know. Each connection sets its
// session so that the server's own defaults do not matter.
func (c *Config) driverConfig() (*mysql.Config, error) {
	d := mysql.NewConfig()
	d.Net, d.Addr = "tcp", c.address()
	if c.Socket != "" {
		d.Net, d.Addr = "unix", c.Socket
	}
	d.User, d.Passwd, d.DBName = c.User, c.Password, c.Database
	d.Collation = "utf8mb4_general_ci"
	d.Timeout = dialTimeout
	d.Logger = &mysql.NopLogger{} // what it would say comes as an error, too
	d.ConnectionAttributes = "program_name:portolan"
	d.Params = map[string]string{
		"time_zone": "'+00:00'",
		"sql_mode":  "'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
		// Sums over many edges spill to the disk at 16 MB otherwise.
		"tmp_table_size":      "268435456",
		"max_heap_table_size": "268435456",
		// How long the server waits for somebody who reads an answer slowly.
		"net_write_timeout": "600",
	}
	switch c.TLS {
	case PreferTLS:
		d.TLSConfig = "preferred"
	case UnverifiedTLS:
		d.TLSConfig = "skip-verify"
	case VerifiedTLS:
		config, err := c.verified()
		if err != nil {
			return nil, err
		}
		d.TLS = config
	}
	return d, nil
}

func (c *Config) verified() (*tls.Config, error) {
	config := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if config.ServerName == "" {
		config.ServerName = "localhost"
	}
	if c.CA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("mariadb: ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mariadb: ca: %s holds no certificate in PEM", c.CA)
	}
	return config, nil
}

func (c *Config) instance() string {
	if c.Instance != "" {
		return c.Instance
	}
	name, err := os.Hostname()
	if err != nil {
		return "portolan"
	}
	return name
}
