package clickhouse

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// refusing is a server that answers each hello with an error, as ClickHouse
// does: packet 2, the code, a name, the message, a stack, nothing nested.
func refusing(t *testing.T, code int32, message string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	packet := binary.LittleEndian.AppendUint32([]byte{2}, uint32(code))
	for _, text := range []string{"DB::Exception", message, ""} {
		packet = append(binary.AppendUvarint(packet, uint64(len(text))), text...)
	}
	packet = append(packet, 0)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Read(make([]byte, 4096))
				conn.Write(packet)
				conn.Read(make([]byte, 4096)) // until the client has gone
			}()
		}
	}()
	return l.Addr().String()
}

// wantError compares an error with parts of its text and of its hint.
func wantError(t *testing.T, what string, err error, text, hint string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !strings.Contains(err.Error(), text) || !strings.Contains(e.Hint, hint) {
		t.Errorf("%s: got %v (%+v)\nwant %q, hint %q", what, err, e, text, hint)
	}
	if err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret")) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestErrorsAtTheDoor(t *testing.T) {
	for _, tt := range []struct {
		what       string
		code       int32
		message    string
		text, hint string
	}{
		{"password", 516, "me: Authentication failed: password is incorrect, or there is no user with such name.\nIf you use ClickHouse Cloud, ...",
			"Authentication failed: password is incorrect", "user and password stand in the address"},
		{"database", 81, "Database flows does not exist", "Database flows does not exist", "CREATE DATABASE flows"},
		{"grants", 497, "me: Not enough privileges.", "Not enough privileges", "GRANT ALL ON flows.*"},
	} {
		dsn := "clickhouse://me:secret@" + refusing(t, tt.code, tt.message) + "/flows"
		_, err := Open(t.Context(), dsn)
		wantError(t, tt.what, err, tt.text, tt.hint)
	}

	_, err := Open(t.Context(), "clickhouse://me:secret@127.0.0.1:1/flows?retry=0s")
	wantError(t, "nobody listens", err, "connection refused", "does ClickHouse run, and listen on 127.0.0.1:1?")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "clickhouse://127.0.0.1:1/flows"); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: got %v", err)
	}
}

// TestMissingDatabase asks the real server.
func TestMissingDatabase(t *testing.T) {
	server := chtest.Start(t)
	_, err := Open(t.Context(), "clickhouse://"+server.Addr+"/nothing_here")
	wantError(t, "database", err, "Database nothing_here does not exist", "CREATE DATABASE nothing_here")
}

func TestErrorsOfTheServer(t *testing.T) {
	server := chtest.Start(t)
	_, err := Open(t.Context(), newDatabase(server, "&cluster=nobody"))
	wantError(t, "cluster", err, `knows no cluster "nobody"`, "system.clusters")

	empty := newDatabase(server, "")
	s := open(t, empty)
	defer s.Close()
	if err := s.db.Exec(t.Context(), "DROP VIEW "+s.config.Database+".schema_version"); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), empty)
	wantError(t, "somebody else's tables", err, "not of this program", "name another database")
	if !errors.Is(err, store.ErrNotStore) {
		t.Errorf("got %v, want ErrNotStore", err)
	}

	newer := open(t, newDatabase(server, ""))
	defer newer.Close()
	if err := newer.db.Exec(t.Context(), newer.shape.mark("OR REPLACE VIEW", 99)); err != nil {
		t.Fatal(err)
	}
	_, err = OpenConfig(t.Context(), newer.config)
	wantError(t, "newer", err, "of version 99, known are those up to 1", "")
	if !errors.Is(err, store.ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

// TestReadOnlyUser is refused by the server itself.
func TestReadOnlyUser(t *testing.T) {
	server := chtest.Start(t)
	dsn := newDatabase(server, "")
	s := open(t, dsn)
	defer s.Close()
	if err := write(t.Context(), s, records(0, 10)); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.readonly = 1 // as a user's profile would
	if _, err := OpenConfig(t.Context(), c); err == nil {
		t.Error("a store that cannot be written was opened for writing")
	} else {
		wantError(t, "readonly", err, "readonly", "the user may only read")
	}
	c.ReadOnly = true
	reader, err := OpenConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if n := packetsIn(t, reader, query.Query{}); n != 10 {
		t.Errorf("%d packets, want 10", n)
	}
}

// TestServerAway writes while no server is there, and again when it is back.
func TestServerAway(t *testing.T) {
	server := chtest.Start(t)
	s := open(t, newDatabase(server, "&retry=100ms"))
	defer s.Close()
	server.Kill()
	began := time.Now()
	err := write(t.Context(), s, records(0, 100))
	wantError(t, "away", err, "connect", "does ClickHouse run")
	if !errors.As(err, new(*Error)) || time.Since(began) > 5*time.Second {
		t.Errorf("it took %s", time.Since(began))
	}
	if err := s.WriteFlows(t.Context(), records(100, 100)); err == nil {
		t.Error("records are taken though those before them cannot be written")
	}
	if st, err := s.Status(t.Context()); err != nil || st.Waiting != 100 || st.Servers[0].Trouble == "" {
		t.Errorf("status %+v, %v", st, err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), s, records(100, 100)); err != nil {
		t.Fatal(err)
	}
	if n := packetsIn(t, s, query.Query{}); n != 200 {
		t.Errorf("%d packets, want 200", n)
	}
}
