package mariadb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/store/mariadb"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want mariadb.Config
		err  string
	}{
		{in: "mariadb://u:p@db.example:3307/flows", want: mariadb.Config{Host: "db.example", Port: 3307, User: "u", Password: "p", Database: "flows"}},
		{in: "mysql://u:p%40%2F%3A@[2001:db8::1]/flows", want: mariadb.Config{Host: "2001:db8::1", User: "u", Password: "p@/:", Database: "flows"}},
		{in: "mariadb:///flows?socket=/run/mysqld/mysqld.sock", want: mariadb.Config{Socket: "/run/mysqld/mysqld.sock", Database: "flows"}},
		{in: "mariadb://h/d?tls=true&ca=/etc/ca.pem", want: mariadb.Config{Host: "h", Database: "d", TLS: mariadb.VerifiedTLS, CA: "/etc/ca.pem"}},
		{in: "mariadb://h/d?tls=skip-verify", want: mariadb.Config{Host: "h", Database: "d", TLS: mariadb.UnverifiedTLS}},
		{in: "mariadb://h/d?tls=preferred", want: mariadb.Config{Host: "h", Database: "d", TLS: mariadb.PreferTLS}},
		{in: "mariadb://h/d?tables=lab&instance=nuc", want: mariadb.Config{Host: "h", Database: "d", Tables: "lab", Instance: "nuc"}},
		{in: "mariadb://h/d?delete-rows=10000", want: mariadb.Config{Host: "h", Database: "d", DeleteRows: 10000}},
		{in: "mariadb://h/d?delete-rows=-1", err: `mariadb: delete-rows is "-1": want a number of rows, such as 10000`},
		{in: "postgres://h/d", err: `mariadb: the address of the database begins with "postgres:": want mariadb://`},
		{in: "mariadb://h", err: "mariadb: no database is named: mariadb://user:password@host/DATABASE"},
		{in: "mariadb://h/a/b", err: `mariadb: "a/b" cannot be the name of a database`},
		{in: "mariadb://h/a`b", err: "mariadb: \"a`b\" cannot be the name of a database"},
		{in: "mariadb://h:0/d", err: `mariadb: port "0": want a number from 1 to 65535`},
		{in: "mariadb://h:65536/d", err: `mariadb: port "65536": want a number from 1 to 65535`},
		{in: "mariadb://h/d?tls=maybe", err: `mariadb: tls is "maybe": want true, skip-verify, preferred or false`},
		{in: "mariadb://h/d?tsl=true", err: `mariadb: unknown option "tsl": there are ca, delete-rows, instance, socket, tables and tls`},
		{in: "mariadb://h/d?ca=x", err: "mariadb: ca is of use with tls=true only"},
		{in: "mariadb://h/d?socket=x", err: `mariadb: socket is "x": want a path that begins with /`},
		{in: "mariadb://h/d?tables=a-b", err: `mariadb: tables is "a-b": want a letter, then up to 31 letters, digits and _`},
		{in: "mariadb://u:secret%zz@h/d", err: `mariadb: the address of the database: invalid URL escape "%zz"`},
		{in: "mariadb://u:secret@h:x/d", err: `mariadb: the address of the database: invalid port ":x" after host`},
	} {
		got, err := mariadb.Parse(tt.in)
		check(t, tt.in, got, tt.want, err, tt.err)
	}
}

func TestParseNtopng(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want mariadb.Config
		err  string
	}{
		{in: "mysql;192.168.1.65;ntopng;flows;ntopng;ntopng",
			want: mariadb.Config{Host: "192.168.1.65", Database: "ntopng", Tables: "flows", User: "ntopng", Password: "ntopng"}},
		{in: "mysql;localhost;ntopng;root;", want: mariadb.Config{Host: "localhost", Database: "ntopng", User: "root"}},
		{in: "mysql;db@3307;ntopng;u;p", want: mariadb.Config{Host: "db", Port: 3307, Database: "ntopng", User: "u", Password: "p"}},
		{in: "mysql;db@3307s;ntopng;u;p", want: mariadb.Config{Host: "db", Port: 3307, Database: "ntopng", User: "u", Password: "p", TLS: mariadb.UnverifiedTLS}},
		{in: "mysql;/run/mysqld/mysqld.sock;ntopng;flows;u;p",
			want: mariadb.Config{Socket: "/run/mysqld/mysqld.sock", Database: "ntopng", Tables: "flows", User: "u", Password: "p"}},
		{in: "es;a;b;c;d", err: `mariadb: the option begins with "es": want mysql;`},
		{in: "mysql;a;b", err: "mariadb: the option has 3 fields: want mysql;host;database;user;password or mysql;host;database;tables;user;password"},
		{in: "mysql;a;b;c;d;e;f", err: "mariadb: the option has 7 fields: want mysql;host;database;user;password or mysql;host;database;tables;user;password"},
		{in: "mysql;a@x;b;c;d", err: `mariadb: port "x": want a number from 1 to 65535`},
		{in: "mysql;a;;c;d", err: "mariadb: no database is named: mariadb://user:password@host/DATABASE"},
	} {
		got, err := mariadb.ParseNtopng(tt.in)
		check(t, tt.in, got, tt.want, err, tt.err)
	}
}

func check(t *testing.T, in string, got, want mariadb.Config, err error, wantErr string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != wantErr {
		t.Errorf("%s: error %q, want %q", in, text, wantErr)
	}
	if diff := cmp.Diff(want, got); err == nil && diff != "" {
		t.Errorf("%s (-want +got):\n%s", in, diff)
	}
}

func TestConfigPrintsNoPassword(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"mariadb://u:secret@h:3307/d?tls=true", "mariadb://u@h:3307/d"},
		{"mariadb://u:secret@/d?socket=/run/s", "mariadb://u@/d?socket=/run/s"},
		{"mariadb:///d", "mariadb://localhost:3306/d"},
	} {
		c, err := mariadb.Parse(tt.in)
		if err != nil || c.String() != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.in, c, err, tt.want)
		}
	}
}
