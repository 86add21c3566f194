package mariadb

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"github.com/portolan/portolan/internal/store"
)

var (
	// ErrNtopng is wrapped when a table that ntopng made is to be written.
	ErrNtopng = errors.New("the table was made by ntopng, and lacks Portolan's columns")
	// ErrEngine is wrapped when a flow table is not InnoDB's: without
	// transactions a write that is repeated counts twice.
	ErrEngine = errors.New("the table's engine has no transactions")
	// ErrNotPartitioned is wrapped by Prune for a table that can only be
	// shortened row by row.
	ErrNotPartitioned = errors.New("the table has no partition for each day")
)

// An Error says where a database refused, and what a person can do.
type Error struct {
	Where string // the address, without the password
	Err   error
	Hint  string // lines, without an end of line; "" = none
}

func (e *Error) Error() string { return fmt.Sprintf("mariadb: %s: %v", e.Where, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// explain adds to err where it happened, and a hint. A nil err stays nil, and
// so do errors that were explained already.
func (c *Config) explain(err error) error {
	var done *Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	return &Error{Where: c.String(), Err: err, Hint: c.hint(err)}
}

// Numbers of the server's errors, as in the MariaDB documentation, "MariaDB
// error codes".
const (
	tooManyConnections  = 1040
	databaseDenied      = 1044
	accessDenied        = 1045
	unknownDatabase     = 1049
	duplicateKey        = 1062
	tableFull           = 1114
	tableDenied         = 1142
	columnDenied        = 1143
	hostDenied          = 1130
	noSuchTable         = 1146
	commandNotAllowed   = 1148
	lockTimeout         = 1205
	deadlock            = 1213
	privilegeMissing    = 1227
	optionPreventsIt    = 1290
	changedMeanwhile    = 1412
	reprepare           = 1615
	readOnlyTransaction = 1792
	serverReadOnly      = 1836
	localInfileOff      = 3948 // MySQL 8
	localInfileDisabled = 4166 // MariaDB 10.6 and later
	diskFull            = 1021
	noSuchFunction      = 1305
	syntaxError         = 1064
	wrongCollation      = 1253
	unknownCollation    = 1273
)

// number returns the server's number of err, 0 if it is not the server's.
func number(err error) uint16 {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// lost reports whether err says that the connection is gone, so that nobody
// knows whether the last statement was done.
func lost(err error) bool {
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) ||
		number(err) == 1053 || number(err) == 1927 || number(err) == 1317 // shutdown, killed, interrupted
}

// again reports whether a transaction that ended with err may succeed when it
// is repeated.
func again(err error) bool {
	switch number(err) {
	case deadlock, lockTimeout, changedMeanwhile, reprepare:
		return true
	}
	return lost(err)
}

// hint returns what a person can do about err.
func (c *Config) hint(err error) string {
	switch number(err) {
	case unknownDatabase:
		return "create it as root of the database: mariadb -u root -p\n" + c.createLines() + "\n" + c.grantLines()
	case databaseDenied, tableDenied, columnDenied, privilegeMissing:
		return "as root of the database (mariadb -u root -p) allow it:\n" + c.grantLines()
	case accessDenied:
		return "are user and password right? If the user does not exist yet, as root of the database:\n" + c.userLines() + "\n" + c.grantLines()
	case hostDenied:
		return "the server takes no connections from this machine; as root of the database:\n" + c.userLines() + "\n" + c.grantLines()
	case optionPreventsIt, serverReadOnly, readOnlyTransaction:
		return "the server is read-only (a replica?): name the primary server, or SET GLOBAL read_only = 0"
	case lockTimeout:
		return "somebody reads or changes the tables for long: try again; SHOW PROCESSLIST tells who"
	case tooManyConnections:
		return "the server has no connection left: raise its max_connections"
	case tableFull, diskFull:
		return "the server's disk is full: free some space, then write again; nothing counts twice"
	}
	return c.networkHint(err)
}

func (c *Config) networkHint(err error) string {
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var verification *tls.CertificateVerificationError
	var dns *net.DNSError
	switch {
	case errors.Is(err, store.ErrNotStore):
		return "it holds no flows yet: the first that writes creates the tables, and so does portolan store init"
	case errors.Is(err, store.ErrNewer):
		return "use the newer portolan, or other tables: &tables=NAME"
	case errors.Is(err, ErrNtopng):
		return "add them with: portolan store migrate, or write to other tables: &tables=NAME"
	case errors.Is(err, ErrNotPartitioned):
		return "give it one: portolan store migrate --partition, or have rows deleted some at a time: &delete-rows=10000"
	case errors.Is(err, ErrEngine):
		return "change it with: portolan store migrate. ntopng changes it to MyISAM when it starts: give it a database of its own"
	case errors.As(err, &unknownAuthority), errors.As(err, &hostname), errors.As(err, &verification):
		return "name the file of its authority with tls=true&ca=FILE, or encrypt without proof of who it is with tls=skip-verify"
	case errors.Is(err, mysql.ErrNoTLS):
		return "the server offers no encryption: set ssl_cert and ssl_key there, or leave out tls="
	case errors.As(err, &dns):
		return "is the name of the host right?"
	case errors.Is(err, syscall.ECONNREFUSED) && c.Socket == "":
		return "does the server run, and listen on that address? systemctl status mariadb; its bind-address is 127.0.0.1 at first"
	case errors.Is(err, os.ErrNotExist) && c.Socket != "", errors.Is(err, syscall.ECONNREFUSED):
		return "does the server run, and is that its socket? systemctl status mariadb; often it is /run/mysqld/mysqld.sock"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the server does not answer: is a firewall between?"
	}
	return ""
}

func (c *Config) createLines() string {
	return "CREATE DATABASE " + quoteName(c.Database) + " CHARACTER SET utf8mb4;\n" + c.userLines()
}

// userLines and grantLines name the user as the server sees it: local only if
// the connection is.
func (c *Config) userLines() string {
	return "CREATE USER IF NOT EXISTS " + c.account() + " IDENTIFIED BY 'PASSWORD';"
}

func (c *Config) grantLines() string {
	return "GRANT ALL PRIVILEGES ON " + quoteName(c.Database) + ".* TO " + c.account() + ";"
}

func (c *Config) account() string {
	user, from := c.User, "%"
	if user == "" {
		user = "portolan"
	}
	if c.Socket != "" || c.Host == "" || c.Host == "localhost" || c.Host == "127.0.0.1" || c.Host == "::1" {
		from = "localhost"
	}
	return quoteText(user) + "@" + quoteText(from)
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// quoteText quotes a text for a hint. Statements that are run have parameters.
func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(text) + "'"
}
