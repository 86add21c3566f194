package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNtopngFile reads a whole file as it is found in the wild: with comments,
// both separators, quotes, ends of lines of DOS, options of several versions.
func TestNtopngFile(t *testing.T) {
	in := strings.ReplaceAll(`# This configuration file is similar to the command line
-G=/var/run/ntopng.pid
  # -i=eth9
-e=
-i=eth0
-i eth1
--interface=eth2
--interface eth3,eth4
-m="192.168.1.0/24=LAN, 10.0.0.0/255.255.0.0,172.16.0.5"
-B="not (host 10.0.0.1 and port 22)"
--packet-filter = 'tcp port 80'
-N=probe 1
-d=/srv/ntopng
-w=:3001
-W=0
-u=
-n=2
-X=200000
-x=100000
-v=1
-q=
-l=1
-Z=/ntopng
-U=ntopng
-p=/etc/protos.txt
--capture-direction=1
--ignore-vlans=
--ignore-macs
-r=localhost:6379:s3cret@2
-F=mysql;db.example@3307;ntopng;ntopng;s3cret=1
`, "\n", "\r\n")
	l := Loader{Machine: testMachine}
	got, err := l.CheckFile(write(t, "n.conf", in))
	if err != nil {
		t.Fatal(err)
	}
	want := `interfaces: eth0, eth1, eth2, eth3, eth4 (file n.conf:8)
filter: tcp port 80 (file n.conf:11)
promiscuous: false (file n.conf:16)
direction: in (file n.conf:26)
ignore-vlans: true (file n.conf:27)
memory: 65MiB (file n.conf:18)
instance: probe 1 (file n.conf:12)
local-networks: 192.168.1.0/24=LAN, 10.0.0.0/16, 172.16.0.5/32 (file n.conf:9)
protocols: /etc/protos.txt (file n.conf:25)
learn: names (file n.conf:17)
data-dir: /srv/ntopng (file n.conf:13)
store: mariadb://ntopng:***@db.example:3307/ntopng (file n.conf:30)
spill.folder: /srv/ntopng/portolan-spill (file n.conf:13)
listen: 127.0.0.1:3001 (file n.conf:14)
user: ntopng (file n.conf:24)
log.level: warn (file n.conf:20)
note n.conf:2: -G: no PID file is written; the service manager knows the process
note n.conf:4: -e: Portolan stays in the foreground; the service manager puts it into the background
note n.conf:15: -W: the status page has no TLS; put a web server before it
note n.conf:18: -X: bounds the flow table of a worker to 65MiB; when it is full, quiet conversations are stored early and none is ignored
note n.conf:19: -x: hosts take no memory of their own; memory bounds the flow table
note n.conf:21: -q: the status page asks for no login
note n.conf:22: -l: the status page asks for no login; it listens on loopback
note n.conf:23: -Z: the status page is at /
note n.conf:28: --ignore-macs: conversations are told apart by addresses and ports alone, never by MAC
note n.conf:29: -r: Portolan needs no Redis
`
	if d := cmp.Diff(want, show(got)); d != "" {
		t.Error(d)
	}
	if s := got.Store.Reveal(); s != "mariadb://ntopng:s3cret=1@db.example:3307/ntopng" {
		t.Errorf("store: %s", s)
	}
}

// TestNtopngOptions: what each option sets or says, and what is refused.
func TestNtopngOptions(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"-w=4000", "listen: 127.0.0.1:4000 (file n.conf:1)\nnote n.conf:1: -w: listens on 127.0.0.1:4000 alone, since the status page asks for no password; listen: 0.0.0.0:4000 opens it to all\n"},
		{"-w=10.0.0.1:4000", "listen: 10.0.0.1:4000 (file n.conf:1)\n"},
		{"-w=[::1]:4000", "listen: [::1]:4000 (file n.conf:1)\n"},
		{"-w=3000,3002", "listen: 127.0.0.1:3000 (file n.conf:1)\nnote n.conf:1: -w: listens on 127.0.0.1:3000 alone, since the status page asks for no password; listen: 0.0.0.0:3000 opens it to all\n"},
		{"-w=0", "listen: off (file n.conf:1)\n"},
		{"-v", "log.level: debug (file n.conf:1)\n"},
		{"-v=", "log.level: debug (file n.conf:1)\n"},
		{"-v=0", "log.level: error (file n.conf:1)\n"},
		{"-v=2", "log.level: info (file n.conf:1)\n"},
		{"-v=9", "log.level: debug (file n.conf:1)\n"},
		{"-n=0", "learn: names (file n.conf:1)\nnote n.conf:1: -n: Portolan does not ask DNS servers; names come from the DNS answers that it sees, and from hosts files\n"},
		{"-n=3", "learn: nothing (file n.conf:1)\nnote n.conf:1: -n: no names at all are taken from payloads, nor are DNS servers asked\n"},
		{"-X=1", "memory: 1MiB (file n.conf:1)\nnote n.conf:1: -X: bounds the flow table of a worker to 1MiB; when it is full, quiet conversations are stored early and none is ignored\n"},
		{"-X=2000000000", "memory: 22GiB (file n.conf:1)\nnote n.conf:1: -X: bounds the flow table of a worker to 22GiB; when it is full, quiet conversations are stored early and none is ignored\n"},
		{"-U=x\n-s=", "user:  (file n.conf:2)\n"},
		{"-F=mysql;localhost;ntopng;flows;root;", "store: mariadb://root@localhost/ntopng (file n.conf:1)\nnote n.conf:1: -F: read as host, database, tables, user, password, the form before ntopng 5.2\n"},
		{"-F=mysql;/run/mysqld/mysqld.sock;;root;pw", "store: mariadb://root:***@/ntopng?socket=%2Frun%2Fmysqld%2Fmysqld.sock (file n.conf:1)\n"},
		{"-F=mysql;db@3306s;n;u;p", "store: mariadb://u:***@db:3306/n?tls=skip-verify (file n.conf:1)\n"},
		{"-F=mysql;::1;n;nf;u;p", "store: mariadb://u:***@[::1]:3306/n?tables=nf (file n.conf:1)\nnote n.conf:1: -F: read as host, database, tables, user, password, the form before ntopng 5.2\n"},
		{"--dump-flows=\"clickhouse;ch;ntopng;default;\"", "store: clickhouse://default@ch:9000/ntopng (file n.conf:1)\n"},
		{"-F=clickhouse;ch@9004s;ntopng;u;p", "store: clickhouse://u:***@ch:9440/ntopng?secure=true (file n.conf:1)\nnote n.conf:1: -F: port 9004 is that of the MySQL protocol; Portolan connects to port 9440 for the native one\n"},
		{"-F=clickhouse;ch@9001,9004;;u;p", "store: clickhouse://u:***@ch:9001/ntopng (file n.conf:1)\n"},
		{"-F=clickhouse-cluster;ch;n;u;p;ntop_cluster", "store: clickhouse://u:***@ch:9000/n?cluster=ntop_cluster (file n.conf:1)\n"},
		{"--version\tx", "n.conf:1: --version: prints the version and ends, in ntopng | portolan version"},
		{"-i=", "n.conf:1: -i: no value | write -i=VALUE"},
		{"-i=tcp://127.0.0.1:5556", `n.conf:1: interfaces: "tcp://127.0.0.1:5556" is no interface, but an address that flows are received from | Portolan listens to interfaces itself; name one, such as eth0`},
		{"-i=view:eth0,eth1", `n.conf:1: -i: "view:eth0,eth1" is no interface, but a view of several | name the interfaces themselves: -i eth0 -i eth1`},
		{"-i=/tmp/x.pcap", `n.conf:1: interfaces: "/tmp/x.pcap" is no interface, but a capture file | portolan read /tmp/x.pcap`},
		{"-i=eth0 # lan", `n.conf:1: interfaces: "eth0 # lan" is no name of an interface | a comment stands on a line of its own`},
		{"-F=es;ntopng;ntopng-%Y;http://localhost:9200/_bulk;a:s3cret", "n.conf:1: -F: Portolan does not write flows to es | leave it out for a store of Portolan's own; or write -F=\"mysql;host;database;user;password\", or store: mariadb://user:password@host/database"},
		{"-F=logstash;h;tcp;9999", "n.conf:1: -F: Portolan does not write flows to logstash | leave it out for a store of Portolan's own; or write -F=\"mysql;host;database;user;password\", or store: mariadb://user:password@host/database"},
		{"-F=db", "note n.conf:1: -F: Portolan's own store takes the place of SQLite\n"},
		{"-F=nindex", "n.conf:1: -F: Portolan does not write nIndex | leave it out: Portolan's own store takes its place"},
		{"-F=mysql-nprobe;h;d;nf;u;s3cret", "n.conf:1: -F: Portolan does not read the tables of nProbe | leave it out, and name an interface"},
		{"-F=postgres;h;s3cret", "n.conf:1: -F: unknown kind of target: have mysql and clickhouse | write -F=\"mysql;host;database;user;password\", or store: mariadb://user:password@host/database"},
		{"-F=mysql;h;d", "n.conf:1: -F: mysql: 3 fields are too many or too few | write mysql;host;database;user;password, or mysql;host;database;tables;user;password; for a password with semicolons, store: mariadb://…"},
		{"-F=mysql;h;d;t;u;s3;cret", "n.conf:1: -F: mysql: 7 fields are too many or too few | write mysql;host;database;user;password, or mysql;host;database;tables;user;password; for a password with semicolons, store: mariadb://…"},
		{"-F=mysql;h@x;d;u;p", `n.conf:1: -F: mariadb: "x" is no port | `},
		{"-F=mysql;;d;u;p", "n.conf:1: -F: mariadb: no host or no user | write mariadb://user:password@host/database"},
		{"-I=tcp://*:5556", "n.conf:1: -I: Portolan does not send flows by ZMQ | leave it out, and let the other side read the same store"},
		{"--simulate-vlans=", "n.conf:1: --simulate-vlans: Portolan counts what is there, it does not invent VLANs | leave it out"},
		{"--capture-direction=3", `n.conf:1: --capture-direction: unknown: "3" | `},
		{"--interfce=eth0", `n.conf:1: unknown option "--interfce" | did you mean --interface?`},
		{"-interface=eth0", `n.conf:1: unknown option "-interface" | did you mean --interface?`},
		{"-j=1", `n.conf:1: unknown option "-j" | `},
		{"-i=eth0\n\nhello world", "n.conf:3: no option | options of ntopng begin with - or --"},
		{"-e\n=x", "n.conf:2: no option | options of ntopng begin with - or --"},
		{"-e\n-", `n.conf:2: unknown option "-" | `},
		{"-Fmysql;h;d;u;s3cret", `n.conf:1: unknown option "-Fmysql" | write -F=VALUE`},
		{"-i=eth0\n-x=\n-m=1.2.3", "n.conf:2: -x: no value\nn.conf:3: local-networks: \"1.2.3\" is no network | write -x=VALUE\nwrite 192.168.1.0/24 or 192.168.1.0/24=Office"},
		{"-m=/nowhere", "n.conf:1: local-networks: /nowhere: no such file or directory | "},
		{"-m=/dev/null", "n.conf:1: local-networks: /dev/null: is no file | "},
	} {
		t.Run(c.in, func(t *testing.T) {
			l := Loader{Machine: testMachine}
			got, err := l.CheckFile(write(t, "n.conf", c.in))
			text := fmt.Sprintf("%v | %s", err, Hint(err))
			if err == nil {
				text = show(got)
			}
			if d := cmp.Diff(c.want, text); d != "" {
				t.Error(d)
			}
			if strings.Contains(text, "s3") {
				t.Errorf("shows a password: %s", text)
			}
		})
	}
}

// TestNtopngNetworkFile: -m may name a file.
func TestNtopngNetworkFile(t *testing.T) {
	dir := t.TempDir()
	nets := filepath.Join(dir, "nets")
	for _, c := range []struct{ in, want string }{
		{"# ours\n192.168.1.0/24=LAN # first\n10.0.0.0/8, fd00::/8\n", "local-networks: 192.168.1.0/24=LAN, 10.0.0.0/8, fd00::/8 (flag --local-networks)\n"},
		{"10.0.0.0/8\nten\n", nets + `:2: local-networks: "ten" is no network`},
	} {
		if err := os.WriteFile(nets, []byte(c.in), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := load(t, []string{"-m", nets}, nil, "")
		text := fmt.Sprint(err)
		if err == nil {
			text = show(got)
		}
		if d := cmp.Diff(c.want, text); d != "" {
			t.Error(d)
		}
	}
}

// TestNtopngFlags: the options of ntopng as flags, in the order in which they
// stand.
func TestNtopngFlags(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"-i eth0 -ieth1 -e -G /run/x -w 3000 -m 10.0.0.0/8=A,192.168.0.0/16 -F mysql;db;n;u;s3cret -B arp", `interfaces: eth0, eth1 (flag --interface)
filter: arp (flag --packet-filter)
local-networks: 10.0.0.0/8=A, 192.168.0.0/16 (flag --local-networks)
store: mariadb://u:***@db/n (flag --dump-flows)
listen: 127.0.0.1:3000 (flag --http-port)
note flag --daemon: Portolan stays in the foreground; the service manager puts it into the background
note flag --pid: no PID file is written; the service manager knows the process
note flag --http-port: listens on 127.0.0.1:3000 alone, since the status page asks for no password; listen: 0.0.0.0:3000 opens it to all
`},
		{"-u --promiscuous", "promiscuous: true (flag --promiscuous)\n"},
		{"--promiscuous -u", "promiscuous: false (flag --no-promisc)\n"},
		{"-v 2", "log.level: info (flag --verbose)\n"},
		{"-v", "log.level: debug (flag --verbose)\n"},
		{"--ignore-vlans -q", "ignore-vlans: true (flag --ignore-vlans)\n"},
		{"-F es;a;b;s3cret", "flag --dump-flows: Portolan does not write flows to es"},
		{"-F mysql;a", "flag --dump-flows: mysql: 2 fields are too many or too few"},
		{"--simulate-ips 4", "flag --simulate-ips: Portolan counts what is there, it does not invent addresses"},
	} {
		t.Run(c.args, func(t *testing.T) {
			got, err := load(t, strings.Fields(c.args), nil, "")
			text := fmt.Sprint(err)
			if err == nil {
				text = show(got)
			}
			if d := cmp.Diff(c.want, text); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestOptionsAreUnique(t *testing.T) {
	seen := map[string]bool{"": true}
	for _, o := range options {
		if seen[o.long] || o.short != "" && seen[o.short] || len(o.short) > 1 {
			t.Errorf("--%s or -%s is there twice", o.long, o.short)
		}
		seen[o.long] = true
		seen[o.short] = true
	}
}

func TestIsNtopng(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "# x\n\n-i=eth0": true, "--interface=eth0": true, "-1=/x": true,
		"---\nfilter: x": false, "- a": false, "filter: -x": false, "\ufeff-e=": true, "--": false,
	} {
		if got := isNtopng([]byte(in)); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

// FuzzNtopng: any file ends in a configuration or in errors with their line,
// and neither shows a password.
func FuzzNtopng(f *testing.F) {
	for _, s := range []string{
		"-i=eth0\n-e=\n--dump-flows=mysql;192.168.1.65;ntopng;flows;ntopng;ntopng\n", "-i eth0\r\n# x\r\n", "-m=10.0.0.0/255.0.0.0=A,b",
		"-w=[::1]:1", "-F=clickhouse-cluster;a@1,2s;b;c;d;e", "-v=6\n-X=99999999999\n-n=4", "--interface=\"view:a\"", "-", "--", "-=", "--=x", "-e\n=x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data, err := checkText(data, maxFile, Origin{Layer: File, Name: "n.conf"})
		if err != nil {
			return
		}
		b := newBuilder()
		b.layer(parseNtopng("n.conf", data))
		lines := strings.Count(string(data), "\n") + 1
		for _, n := range b.out.Notes {
			if n.Origin.Line < 1 || n.Origin.Line > lines || n.Text == "" {
				t.Errorf("note %+v", n)
			}
		}
		checkBuilt(t, b)
	})
}
