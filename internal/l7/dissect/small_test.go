package dissect

import (
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

// fuzzRecogniser tries a protocol at its first usual port with seeds.
func fuzzRecogniser(f *testing.F, app uint16, seeds ...string) {
	for i := range protocols {
		p := &protocols[i]
		if p.app != app {
			continue
		}
		proto := flow.TCP
		if p.over == overUDP {
			proto = flow.UDP
		}
		var b [][]byte
		for _, s := range seeds {
			b = append(b, []byte(s))
		}
		fuzz(f, proto, p.ports[0], b...)
		return
	}
	f.Fatalf("nobody recognises %d", app)
}

const (
	// MariaDB 10.11's greeting: length, number, protocol 10, version,
	// connection, salt, zero, capabilities, character set, status, more.
	mariaGreeting = "\x59\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\x00" +
		"\x1e\x00\x00\x00abcdefgh\x00\xfe\xf7\x2d\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x00ijklmnopqrst\x00mysql_native"
	// snmpGet asks "public" for sysDescr.0 (RFC 1157).
	snmpGet = "\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00\x05\x00"
	// ntpAsk is a client's request, version 4: the rest of the header is zero.
	ntpAsk    = "\x23\x00\x06\xec\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x11\x22\x33\x44\x55\x66\x77\x88"
	pgStartup = "\x00\x00\x00\x14\x00\x03\x00\x00user\x00joe\x00\x00\x00\x00"
	pgSSL     = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	pgAnswer  = "R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x18server_version\x0015.4\x00"
	redisPing = "*1\r\n$4\r\nPING\r\n"
)

func TestSmallProtocols(t *testing.T) {
	soft := func(s string) *flow.Details { return &flow.Details{Software: s} }
	for _, tc := range []struct {
		name      string
		proto     flow.Proto
		port      uint16
		said      []string // by the client, the server, ...; "" = nothing
		app, info string
		details   *flow.Details
		portOnly  bool // known at its own port only
	}{
		{"SSH", flow.TCP, 22, []string{"SSH-2.0-curl\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"}, "SSH", "", soft("SSH-2.0-OpenSSH_9.2p1 Debian-2"), false},
		{"SMTP", flow.TCP, 25, []string{"", "220 mx.example.org ESMTP Postfix\r\n", "EHLO a.example\r\n"}, "SMTP", "mx.example.org", soft("Postfix"), false},
		{"FTP", flow.TCP, 21, []string{"", "220 (vsFTPd 3.0.3)\r\n", "USER joe\r\n"}, "FTP_CONTROL", "", soft("(vsFTPd 3.0.3)"), false},
		{"POP3", flow.TCP, 110, []string{"", "+OK Dovecot ready.\r\n", "USER joe\r\n"}, "POP3", "", soft("Dovecot ready."), true},
		{"IMAP", flow.TCP, 143, []string{"", "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", "a LOGIN joe x\r\n"}, "IMAP", "", soft("Dovecot ready."), false},
		{"rsync", flow.TCP, 873, []string{"", "@RSYNCD: 31.0\n"}, "RSYNC", "", nil, false},
		{"MariaDB", flow.TCP, 3306, []string{"", mariaGreeting}, "MySQL", "", soft("MariaDB 10.11.6"), false},
		{"PostgreSQL", flow.TCP, 5432, []string{pgStartup, pgAnswer}, "PostgreSQL", "", soft("PostgreSQL 15.4"), false},
		{"PostgreSQL, TLS refused", flow.TCP, 5432, []string{pgSSL, "N", pgStartup, pgAnswer}, "PostgreSQL", "", soft("PostgreSQL 15.4"), false},
		{"Redis", flow.TCP, 6379, []string{redisPing, "+PONG\r\n"}, "Redis", "", nil, false},
		{"Redis INFO", flow.TCP, 6379, []string{"*1\r\n$4\r\nINFO\r\n", "$40\r\n# Server\r\nredis_version:7.0.15\r\n"}, "Redis", "", soft("Redis 7.0.15"), false},
		{"NTP", flow.UDP, 123, []string{ntpAsk}, "NTP", "", nil, true},
		{"SNMP", flow.UDP, 161, []string{snmpGet}, "SNMP", "", nil, false},
	} {
		for _, port := range []uint16{tc.port, 4711} {
			k := newTalk(tc.proto, port)
			for i, s := range tc.said {
				if s != "" {
					k.say(i&1, 0, []byte(s))
				}
			}
			v := k.verdict()
			t.Run(tc.name, func(t *testing.T) {
				if port != tc.port && tc.portOnly {
					if l7.AppName(v.App) != "" {
						t.Errorf("port %d says %s", port, l7.AppName(v.App))
					}
					return
				}
				want(t, v, tc.app, tc.info, tc.details)
			})
		}
	}
}

// What begins alike, and is something else, is not known.
func TestNotQuiteSmallProtocols(t *testing.T) {
	for _, tc := range []struct {
		name  string
		proto flow.Proto
		port  uint16
		said  string
	}{
		{"a greeting without a word, elsewhere", flow.TCP, 4711, "220 ready\r\n"},
		{"+OK elsewhere", flow.TCP, 4711, "+OK\r\n"},
		{"an array that is no command", flow.TCP, 6379, "*1\r\n:5\r\n"},
		{"SNMP with a byte too many", flow.UDP, 161, snmpGet + "\x00"},
		{"NTP of version 7", flow.UDP, 123, "\x3b" + ntpAsk[1:]},
		{"half of NTP", flow.UDP, 123, ntpAsk[:47]},
		{"a start message of another length", flow.TCP, 5432, "\x00\x00\x00\x15" + pgStartup[4:]},
		{"MySQL of version 9", flow.TCP, 3306, "\x59\x00\x00\x00\x09" + mariaGreeting[5:]},
		{"SSH 3", flow.TCP, 22, "SSH-3.0-x\r\n"},
	} {
		if v := newTalk(tc.proto, tc.port).say(1, 0, []byte(tc.said)).verdict(); l7.AppName(v.App) != "" {
			t.Errorf("%s is %s", tc.name, l7.AppName(v.App))
		}
	}
}

// After STARTTLS the rest is shown to TLS, and the carrying protocol stays.
func TestStartTLSOfSmallProtocols(t *testing.T) {
	for _, tc := range []struct {
		port uint16
		said []string
		app  string
	}{
		{25, []string{"", "220 mx ESMTP\r\n", "EHLO a\r\n", "250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n"}, "SMTP"},
		{21, []string{"", "220 ftp\r\n", "AUTH TLS\r\n", "234 go\r\n"}, "FTP_CONTROL"},
		{110, []string{"", "+OK hello\r\n", "STLS\r\n", "+OK go\r\n"}, "POP3"},
		{143, []string{"", "* OK hello\r\n", "a STARTTLS\r\n", "a OK go\r\n"}, "IMAP"},
		{5432, []string{pgSSL, "S"}, "PostgreSQL"},
	} {
		k := newTalk(flow.TCP, tc.port)
		for i, s := range tc.said {
			if s != "" {
				k.say(i&1, 0, []byte(s))
			}
		}
		v := k.ask(tlsRecord(chromeHello())).verdict()
		if l7.AppName(flow.App{Master: v.App.Master}) != tc.app || v.Info == "" || v.Details == nil || v.Details.JA4 == "" {
			t.Errorf("%s: said %s, %q, %+v", tc.app, l7.AppName(v.App), v.Info, v.Details)
		}
	}
}

func TestNumbersOfSmallProtocols(t *testing.T) {
	for id, name := range map[uint16]string{
		appSSH: "SSH", appSMTP: "SMTP", appFTP: "FTP_CONTROL", appPOP3: "POP3", appIMAP: "IMAP", appRsync: "RSYNC",
		appMySQL: "MySQL", appPostgreSQL: "PostgreSQL", appRedis: "Redis", appNTP: "NTP", appSNMP: "SNMP",
	} {
		if got := l7.AppName(flow.App{Master: id}); got != name {
			t.Errorf("%d is %s, not %s", id, got, name)
		}
	}
}

func FuzzSSH(f *testing.F) { fuzzRecogniser(f, appSSH, "SSH-2.0-OpenSSH_9.2p1\r\n") }
func FuzzSMTP(f *testing.F) {
	fuzzRecogniser(f, appSMTP, "220 mx.example.org ESMTP Postfix\r\n", "STARTTLS\r\n")
}
func FuzzFTP(f *testing.F)  { fuzzRecogniser(f, appFTP, "220 (vsFTPd 3.0.3)\r\n", "AUTH TLS\r\n") }
func FuzzPOP3(f *testing.F) { fuzzRecogniser(f, appPOP3, "+OK Dovecot ready.\r\n", "STLS\r\n") }
func FuzzIMAP(f *testing.F) {
	fuzzRecogniser(f, appIMAP, "* OK [IMAP4rev1] ready\r\n", "a STARTTLS\r\n")
}
func FuzzRsync(f *testing.F)    { fuzzRecogniser(f, appRsync, "@RSYNCD: 31.0\n") }
func FuzzMySQL(f *testing.F)    { fuzzRecogniser(f, appMySQL, mariaGreeting) }
func FuzzPostgres(f *testing.F) { fuzzRecogniser(f, appPostgreSQL, pgStartup, pgSSL, pgAnswer) }
func FuzzRedis(f *testing.F)    { fuzzRecogniser(f, appRedis, redisPing, "+PONG\r\n") }
func FuzzNTP(f *testing.F)      { fuzzRecogniser(f, appNTP, ntpAsk) }
func FuzzSNMP(f *testing.F)     { fuzzRecogniser(f, appSNMP, snmpGet) }
