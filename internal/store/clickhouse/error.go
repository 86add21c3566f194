package clickhouse

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// An Error is an error of the server, or of the way to it.
type Error struct {
	Err  error
	Hint string // what to do; "" = nothing to say
}

// mostMessage is how much of a message is shown. The server's may hold a whole
// statement.
const mostMessage = 500

// Error returns one line, without the hint.
func (e *Error) Error() string {
	line := firstLine(e.Err.Error())
	if len(line) > mostMessage {
		line = strings.ToValidUTF8(line[:mostMessage], "") + "..."
	}
	return line
}

// Unwrap returns what the driver said.
func (e *Error) Unwrap() error { return e.Err }

// hinted adds what to do to err. A nil err stays nil.
func hinted(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{err, hint}
}

// Error codes of ClickHouse, src/Common/ErrorCodes.cpp.
const (
	codeReadAfterEOF        = 32 // a shard has gone
	codeReadAll             = 33
	codeUnknownDatabase     = 81
	codeTimeout             = 159
	codeTooManyQueries      = 202
	codeReadOnly            = 164
	codeUnknownUser         = 192
	codeWrongPassword       = 193
	codeSocketTimeout       = 209
	codeNetwork             = 210
	codeAborted             = 236
	codeMemoryLimit         = 241
	codeTableReadOnly       = 242
	codeNotEnoughSpace      = 243
	codeTooManyParts        = 252
	codeAllConnectionsFail  = 279
	codeTooFewLiveReplicas  = 285
	codeUnsatisfiedQuorum   = 286
	codeUnknownInsertStatus = 319
	codeQueryCancelled      = 394
	codeNoSuchCluster       = 170
	codeRequiredPassword    = 194
	codeAccessDenied        = 497
	codeAuthFailed          = 516
	codeKeeper              = 999
)

// code returns the server's error code, 0 if err is not of the server.
func code(err error) int32 {
	if e := (*driver.Exception)(nil); errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// passing are the server's errors that go away by themselves.
var passing = map[int32]bool{
	codeReadAfterEOF: true, codeReadAll: true, codeTimeout: true, codeTooManyQueries: true, codeSocketTimeout: true, codeNetwork: true, codeAborted: true,
	codeMemoryLimit: true, codeTableReadOnly: true, codeTooManyParts: true, codeAllConnectionsFail: true,
	codeTooFewLiveReplicas: true, codeUnsatisfiedQuorum: true, codeUnknownInsertStatus: true,
	codeQueryCancelled: true, codeKeeper: true,
}

// passes reports whether what failed may be tried again: the server is away,
// or has no room just now.
func passes(err error) bool {
	if c := code(err); c != 0 {
		return passing[c]
	}
	return lost(err)
}

// lost reports whether err is of the way to the server.
func lost(err error) bool {
	if e := net.Error(nil); errors.As(err, &e) {
		return true
	}
	for _, of := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded, context.DeadlineExceeded,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, driver.ErrAcquireConnTimeout,
	} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// explain says where an error is from and what to do about it.
func (c *Config) explain(err error) error {
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	hint := ""
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var name *net.DNSError
	switch code(err) {
	case 0:
		switch {
		case errors.As(err, &authority), errors.As(err, &hostname):
			hint = "the server's certificate is not known here: add its authority to the system's, or skip_verify=true to the address"
		case errors.As(err, &name):
			hint = "is the name of the host right?"
		case lost(err):
			hint = fmt.Sprintf("does ClickHouse run, and listen on %s? The native protocol has port %s, with TLS %s; 8123 is that of HTTP",
				strings.Join(c.Addrs, " or "), defaultPort, defaultSecurePort)
		}
	case codeUnknownDatabase:
		hint = "create it with: CREATE DATABASE " + c.Database + "; or add create=true to the address"
	case codeUnknownUser, codeWrongPassword, codeRequiredPassword, codeAuthFailed:
		hint = "user and password stand in the address: clickhouse://user:password@host/database"
	case codeAccessDenied:
		hint = "the user needs: GRANT ALL ON " + c.Database + ".*; GRANT SELECT ON system.*; in a cluster GRANT REMOTE ON *.* too"
	case codeReadOnly:
		hint = "the user may only read: give it a profile without readonly, or add read_only=true to the address to ask only"
	case codeNoSuchCluster:
		hint = "SELECT DISTINCT cluster FROM system.clusters; lists the clusters that the server knows"
	case codeNotEnoughSpace:
		hint = "the server's disk is full: drop old days, or give it more room"
	case codeTooManyParts:
		hint = "the server does not keep up with merging: write larger batches, or give it more disk speed"
	case codeMemoryLimit:
		hint = "ask for a shorter span, or let the server use more memory (max_memory_usage)"
	case codeAllConnectionsFail:
		hint = "a shard of the cluster does not answer: SELECT * FROM system.clusters; says which have errors"
	}
	return &Error{fmt.Errorf("clickhouse %s: %w", strings.Join(c.Addrs, ","), err), hint}
}

// firstLine returns the first line of a message.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
