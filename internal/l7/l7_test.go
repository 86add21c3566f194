package l7

import (
	"slices"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/flow"
)

func TestServiceName(t *testing.T) {
	for _, c := range []struct {
		proto flow.Proto
		port  uint16
		want  string
	}{
		{flow.TCP, 1, "tcpmux"}, {flow.TCP, 22, "ssh"}, {flow.SCTP, 22, "ssh"}, {flow.TCP, 443, "https"}, {flow.UDP, 443, "https"},
		{flow.TCP, 80, "http"}, {flow.UDP, 53, "dns"}, {flow.TCP, 514, "shell"}, {flow.UDP, 514, "syslog"},
		{flow.TCP, 902, "vsphere-nfc"}, {flow.TCP, 8086, "influxdb"}, {flow.UDP, 8086, "d-s-n"}, {flow.TCP, 9100, "node-exporter"},
		{flow.TCP, 27017, "mongodb"}, {flow.UDP, 27017, ""}, {flow.TCP, 32400, "plex"}, {flow.UDP, 51820, "wireguard"},
		{flow.TCP, 51820, ""}, {flow.TCP, 0, ""}, {flow.TCP, 65535, ""}, {flow.TCP, 51554, ""}, {flow.TCP, 48619, "iqobject"},
		{flow.UDPLite, 53, "dns"}, {flow.ICMP, 443, ""}, {flow.GRE, 0, ""},
	} {
		if got := ServiceName(c.proto, c.port); got != c.want {
			t.Errorf("ServiceName(%v, %d) = %q, want %q", c.proto, c.port, got, c.want)
		}
	}
}

// TestEveryPortIsFound holds the search and the bits to a plain walk of the tables.
func TestEveryPortIsFound(t *testing.T) {
	type key struct {
		letter byte
		port   uint16
	}
	want := map[key]string{}
	last, lines := uint16(0), 0
	for at := 0; at < len(ianaPorts); lines++ {
		var s ianaService
		if s, at = ianaAt(at); s.port < last || s.protos == "" || s.name == "" || strings.ContainsAny(s.name, " \t") {
			t.Fatalf("line %d of ianaPorts: %+v behind port %d", lines+1, s, last)
		}
		last = s.port
		for i := range s.protos {
			want[key{s.protos[i], s.port}] = s.name
		}
	}
	for _, s := range fieldServices {
		for i := range s.protos {
			want[key{s.protos[i], s.port}] = s.name
		}
	}
	if lines < 6000 {
		t.Errorf("ianaPorts has %d lines", lines)
	}
	for _, proto := range []flow.Proto{flow.TCP, flow.UDP, flow.SCTP, flow.DCCP} {
		for port := range 1 << 16 {
			name := want[key{protoLetter(proto), uint16(port)}]
			if got := ServiceName(proto, uint16(port)); got != name {
				t.Fatalf("ServiceName(%v, %d) = %q, want %q", proto, port, got, name)
			}
			if got := Registered(proto, uint16(port)); got != (name != "") {
				t.Fatalf("Registered(%v, %d) = %v, its name is %q", proto, port, got, name)
			}
		}
	}
}

func TestFieldServices(t *testing.T) {
	for i, s := range fieldServices {
		if i > 0 && s.port < fieldServices[i-1].port {
			t.Errorf("port %d stands behind %d", s.port, fieldServices[i-1].port)
		}
		if !strings.HasPrefix(s.why, "IANA: ") {
			t.Errorf("port %d does not say what IANA says: %q", s.port, s.why)
		}
		if s.name == "" || s.protos == "" || strings.Trim(s.protos, protoLetters) != "" {
			t.Errorf("port %d: %+v", s.port, s)
		}
		for k := range s.protos {
			for _, o := range fieldServices[i+1:] {
				if o.port == s.port && strings.IndexByte(o.protos, s.protos[k]) >= 0 {
					t.Errorf("port %d has two names for %c", s.port, s.protos[k])
				}
			}
		}
	}
}

func TestAppName(t *testing.T) {
	for _, c := range []struct {
		app  flow.App
		want string
	}{
		{flow.App{}, ""}, {flow.App{Master: 91}, "TLS"}, {flow.App{Master: 91, App: 126}, "TLS.Google"}, {flow.App{App: 5}, "DNS"},
		{flow.App{Master: 7, App: 7}, "HTTP"}, {flow.App{Master: 60000}, ""}, {flow.App{Master: 5, App: 60000, Guess: true}, "DNS"},
	} {
		if got := AppName(c.app); got != c.want {
			t.Errorf("AppName(%v) = %q, want %q", c.app, got, c.want)
		}
	}
}

func TestAppIDs(t *testing.T) {
	for _, c := range []struct {
		name string
		want []uint16
	}{
		{"tls", []uint16{91}}, {"TLS", []uint16{91}}, {"SMBv23", []uint16{41}}, {"smb", []uint16{16, 41}}, {"unknown", []uint16{0}},
		{"", nil}, {"no such thing", nil}, {"TLS.Google", nil},
	} {
		if got := AppIDs(c.name); !slices.Equal(got, c.want) {
			t.Errorf("AppIDs(%q) = %v, want %v", c.name, got, c.want)
		}
	}
	for id, name := range appNames {
		if !slices.Contains(AppIDs(name), uint16(id)) {
			t.Errorf("AppIDs(%q) = %v lacks %d", name, AppIDs(name), id)
		}
	}
	AppIDs("smb")[0] = 99
	if got := AppIDs("smb"); got[0] != 16 {
		t.Error("the caller of AppIDs can change the table")
	}
}

func TestGuessApp(t *testing.T) {
	for _, c := range []struct {
		proto flow.Proto
		port  uint16
		want  string
		guess bool
	}{
		{flow.TCP, 3306, "MySQL", true}, {flow.TCP, 443, "TLS", true}, {flow.UDP, 443, "QUIC", true}, {flow.UDP, 53, "DNS", true},
		{flow.TCP, 636, "TLS.LDAP", true}, {flow.TCP, 22, "SSH", true}, {flow.TCP, 25, "SMTP", true}, {flow.UDP, 3306, "", false},
		{flow.TCP, 9999, "", false}, {flow.ICMP, 0, "ICMP", false}, {flow.ICMPv6, 0, "ICMPV6", false}, {flow.ESP, 0, "IPsec", false},
		{flow.GRE, 0, "GRE", false}, {flow.Proto(200), 443, "", false},
	} {
		if got := GuessApp(c.proto, c.port); AppName(got) != c.want || got.Guess != c.guess {
			t.Errorf("GuessApp(%v, %d) = %s, guess %v; want %s, %v", c.proto, c.port, AppName(got), got.Guess, c.want, c.guess)
		}
	}
}

// TestAppNumbers holds the constants to nDPI's names.
func TestAppNumbers(t *testing.T) {
	for _, c := range []struct {
		id   uint16
		name string
	}{
		{appFTPControl, "FTP_CONTROL"}, {appPOP3, "POP3"}, {appSMTP, "SMTP"}, {appIMAP, "IMAP"}, {appDNS, "DNS"}, {appIPP, "IPP"},
		{appHTTP, "HTTP"}, {appMDNS, "MDNS"}, {appNTP, "NTP"}, {appNetBIOS, "NetBIOS"}, {appNFS, "NFS"}, {appSSDP, "SSDP"},
		{appBGP, "BGP"}, {appSNMP, "SNMP"}, {appXDMCP, "XDMCP"}, {appSMB1, "SMBv1"}, {appSyslog, "Syslog"}, {appDHCP, "DHCP"},
		{appPostgreSQL, "PostgreSQL"}, {appMySQL, "MySQL"}, {appPOP3S, "POPS"}, {appCoAP, "COAP"}, {appVMware, "VMware"},
		{appSMTPS, "SMTPS"}, {appMemcached, "Memcached"}, {appSMB23, "SMBv23"}, {appModbus, "Modbus"}, {appRTSP, "RTSP"},
		{appIMAPS, "IMAPS"}, {appMongoDB, "MongoDB"}, {appIRC, "IRC"}, {appJabber, "Jabber"}, {appNATS, "Nats"}, {appVRRP, "VRRP"},
		{appTelnet, "Telnet"}, {appSTUN, "STUN"}, {appIPsec, "IPsec"}, {appGRE, "GRE"}, {appICMP, "ICMP"}, {appIGMP, "IGMP"},
		{appEGP, "EGP"}, {appSCTP, "SCTP"}, {appOSPF, "OSPF"}, {appIPinIP, "IP_in_IP"}, {appRDP, "RDP"}, {appVNC, "VNC"},
		{appTLS, "TLS"}, {appSSH, "SSH"}, {appUsenet, "Usenet"}, {appTFTP, "TFTP"}, {appAFP, "AFP"}, {appSIP, "SIP"},
		{appICMPv6, "ICMPV6"}, {appDHCPv6, "DHCPV6"}, {appKerberos, "Kerberos"}, {appLDAP, "LDAP"}, {appMSSQL, "MsSQL-TDS"},
		{appPPTP, "PPTP"}, {appSkypeTeams, "Skype_Teams"}, {appDCERPC, "DCE_RPC"}, {appNetFlow, "NetFlow"}, {appSFlow, "sFlow"},
		{appHTTPProxy, "HTTP_Proxy"}, {appCitrix, "Citrix"}, {appCheckmk, "CHECKMK"}, {appAJP, "AJP"}, {appRADIUS, "Radius"},
		{appTeamViewer, "TeamViewer"}, {appWSD, "WSD"}, {appLLMNR, "LLMNR"}, {appH323, "H323"}, {appOpenVPN, "OpenVPN"},
		{appRsync, "RSYNC"}, {appOracle, "Oracle"}, {appWhois, "Whois-DAS"}, {appCollectd, "Collectd"}, {appSOCKS, "SOCKS"},
		{appFTPData, "FTP_DATA"}, {appRedis, "Redis"}, {appQUIC, "QUIC"}, {appAMQP, "AMQP"}, {appDoHDoT, "DoH_DoT"},
		{appWireGuard, "WireGuard"}, {appTeredo, "Teredo"}, {appMicrosoft365, "Microsoft365"}, {appMQTT, "MQTT"}, {appGit, "Git"},
		{appDiameter, "Diameter"}, {appDNP3, "DNP3"}, {appIEC60870, "IEC60870"}, {appCAPWAP, "CAPWAP"}, {appZabbix, "Zabbix"},
		{appS7, "s7comm"}, {appTeams, "Teams"}, {appCassandra, "Cassandra"}, {appGTPU, "GTP_U"}, {appGTPC, "GTP_C"},
		{appEtherNetIP, "EthernetIP"},
	} {
		if got := appName(c.id); got != c.name {
			t.Errorf("%d is %q, the constant means %q", c.id, got, c.name)
		}
	}
}

func TestFamilyOf(t *testing.T) {
	seen := func(id uint16) flow.App { return flow.App{Master: id} }
	for _, c := range []struct {
		proto flow.Proto
		port  uint16
		app   flow.App
		want  Family
	}{
		{flow.TCP, 443, flow.App{}, Web}, {flow.TCP, 5432, flow.App{}, Database}, {flow.TCP, 902, flow.App{}, File},
		{flow.TCP, 6379, flow.App{}, Messaging}, {flow.TCP, 25, flow.App{}, Mail}, {flow.TCP, 22, flow.App{}, Admin},
		{flow.UDP, 53, flow.App{}, Core}, {flow.TCP, 4711, flow.App{}, Other}, {flow.ICMP, 0, flow.App{}, Core}, {flow.GRE, 0, flow.App{}, Other},
		{flow.TCP, 443, seen(appSSH), Admin}, {flow.TCP, 4711, seen(appPostgreSQL), Database}, {flow.TCP, 4711, seen(appTLS), Web},
		{flow.TCP, 636, seen(appTLS), Core}, {flow.TCP, 8086, seen(appHTTP), Database},
		{flow.TCP, 4711, flow.App{Master: appTLS, App: appMQTT}, Messaging}, {flow.TCP, 8080, flow.App{Master: appSSH, Guess: true}, Web},
	} {
		if got := FamilyOf(c.proto, c.port, c.app); got != c.want {
			t.Errorf("FamilyOf(%v, %d, %v) = %v, want %v", c.proto, c.port, c.app, got, c.want)
		}
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	Registered(flow.TCP, 1)
	if n := testing.AllocsPerRun(100, func() {
		ServiceName(flow.TCP, 8086)
		ServiceName(flow.UDP, 40000)
		Registered(flow.UDP, 40000)
		GuessApp(flow.TCP, 3306)
		FamilyOf(flow.TCP, 4711, flow.App{Master: appTLS})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkServiceName(b *testing.B) {
	b.ReportAllocs()
	for port := uint16(0); b.Loop(); port += 977 {
		ServiceName(flow.TCP, port)
	}
}

func BenchmarkRegistered(b *testing.B) {
	b.ReportAllocs()
	for port := uint16(0); b.Loop(); port += 977 {
		Registered(flow.TCP, port)
	}
}
