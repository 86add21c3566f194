package dissect

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

const (
	// smb1Dialects asks for version 1 only, smbMulti for 2 as well.
	smb1Header   = "\xffSMB\x72\x00\x00\x00\x00\x18\x01\x28" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xfe\x00\x00\x00\x00"
	smb1Dialects = "\x00\x00\x00\x2f" + smb1Header + "\x00\x0c\x00\x02NT LM 0.12\x00"
	smbMulti     = "\x00\x00\x00\x45" + smb1Header + "\x00\x22\x00\x02NT LM 0.12\x00\x02SMB 2.002\x00\x02SMB 2.???\x00"
	smb2Message  = "\x00\x00\x00\x66\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1f\x00"

	netbiosFile   = "\x20EGEJEMEFCACACACACACACACACACACACA\x00" // "FILE", a workstation
	netbiosClient = "\x20EDEMEJEFEOFECACACACACACACACACAAA\x00" // "CLIENT"
	netbiosAsk    = "\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00" + netbiosFile + "\x00\x20\x00\x01"
	netbiosSaid   = "\x12\x34\x85\x00\x00\x00\x00\x01\x00\x00\x00\x00" + netbiosFile + "\x00\x20\x00\x01\x00\x04\x93\xe0\x00\x06\x00\x00\x0a\x00\x00\x02"
	netbiosGram   = "\x11\x02\x12\x34\x0a\x00\x00\x05\x00\x8a\x00\x48\x00\x00" + netbiosClient + netbiosFile + "four"
	netbiosCall   = "\x81\x00\x00\x44" + netbiosFile + netbiosClient
	netbiosAccept = "\x82\x00\x00\x00"

	dhcpv6Solicit = "\x01\x12\x34\x56" + "\x00\x01\x00\x0a\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01" + "\x00\x08\x00\x02\x00\x00"
	dhcpv6Relay   = "\x0c\x00linkaddressesizepeeraddressesize" + "\x00\x09\x00\x04\x01\x12\x34\x56"

	ldapBindAsk    = "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"
	ldapBindSaid   = "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
	ldapRootDSE    = "\x30\x25\x02\x01\x02\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x0bobjectclass\x30\x00"
	ldapStartAsk   = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + ldapOIDStartTLS
	ldapStartSaid  = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	ldapStartNever = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"

	krbAsk   = "\x6a\x14\x30\x12\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa4\x06\x30\x04\xa0\x02\x03\x00"
	krbError = "\x7e\x14\x30\x12\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x06\x18\x04\x32\x30\x32\x34"

	rdpCookie = "\x03\x00\x00\x29\x24\xe0\x00\x00\x00\x00\x00Cookie: mstshash=joe\r\n\x01\x00\x08\x00\x0b\x00\x00\x00"
	rdpAsk    = "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
	rdpOld    = "\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00"
	rdpTLS    = "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x01\x00\x00\x00"
	rdpRefuse = "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x03\x00\x08\x00\x05\x00\x00\x00"

	// nfsNull calls nothing of NFS version 3.
	nfsNull = "ABCD\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

	tdsAsk  = "\x12\x01\x00\x1a\x00\x00\x00\x00" + "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff" + "\x09\x00\x00\x00\x00\x00" + "\x02"
	tdsSaid = "\x04\x01\x00\x1a\x00\x00\x01\x00" + "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff" + "\x0f\x00\x07\xd0\x00\x00" + "\x02"

	oracleText    = "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=orcl)))"
	oracleConnect = "\x00\x6a\x00\x00\x01\x00\x00\x00\x01\x38\x01\x2c\x0c\x41\x20\x00\xff\xff\x7f\x08\x00\x00\x01\x00\x00\x30\x00\x3a" +
		"\x00\x00\x02\x00\x41\x41\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + oracleText

	mongoHello = "\x25\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00" + "\x10\x00\x00\x00\x10hello\x00\x01\x00\x00\x00\x00"
	mongoQuery = "\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00\x00\x00\x00\x00admin.$cmd\x00\x00\x00\x00\x00\xff\xff\xff\xff" +
		"\x13\x00\x00\x00\x10isMaster\x00\x01\x00\x00\x00\x00"

	memcachedBinaryGet = "\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00key"

	amqpHeader = "AMQP\x00\x00\x09\x01"
	amqpTable  = "\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.12.1"
	amqpStart  = "\x01\x00\x00\x00\x00\x00\x4d\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x28" + amqpTable + "\x00\x00\x00\x0ePLAIN AMQPLAIN\x00\x00\x00\x05en_US\xce"

	mqttConnect = "\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05probe"
	natsInfo    = `INFO {"server_id":"NDJWE4","server_name":"a","version":"2.10.7","proto":1,"go":"go1.21.5","host":"0.0.0.0","port":4222}` + " \r\n"
	natsConnect = `CONNECT {"verbose":false,"pedantic":false,"lang":"go"}` + "\r\n"

	vmwareBanner = "220 VMware Authentication Daemon Version 1.10: SSL Required, ServerDaemonProtocol:SOAP, MKSDisplayProtocol:VNC , , NFCSSL supported/t\r\n"
)

// smb2 is a message of SMB 2 as a whole.
func smb2() string { return smb2Message + strings.Repeat("\x00", 102+4-len(smb2Message)) }

// dhcp is a message of DHCP with options after its type.
func dhcp(op byte, options string) string {
	return string([]byte{op, 1, 6, 0}) + "xid!" + strings.Repeat("\x00", 228) + "\x63\x82\x53\x63\x35\x01\x01" + options + "\xff"
}

// marked puts a record's length before a call, as ONC RPC does over TCP.
func marked(call string) string {
	return string(binary.BigEndian.AppendUint32(nil, 1<<31|uint32(len(call)))) + call
}

// sized puts a length before a message, as Kerberos does over TCP.
func sized(s string) string { return string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s }

// tdsLogin7 is a login of version 7.4 that names nobody.
func tdsLogin7() string {
	return "\x10\x01\x00\x66\x00\x00\x01\x00" + "\x5e\x00\x00\x00\x04\x00\x00\x74" + strings.Repeat("\x00", 86)
}

func TestSmallProtocolsA(t *testing.T) {
	for _, tc := range []struct {
		name                string
		proto               flow.Proto
		port                uint16
		said                []string // by the client, the server, ...; "" = nothing
		app, info, software string
		portOnly            bool // known at its own port only
	}{
		{"SMB 1", flow.TCP, 445, []string{smb1Dialects}, "SMBv1", "", "", false},
		{"SMB 2", flow.TCP, 445, []string{smb2()}, "SMBv23", "", "", false},
		{"SMB 2 after 1", flow.TCP, 445, []string{smbMulti, smb2()}, "SMBv23", "", "", false},
		{"SMB 3, encrypted", flow.TCP, 445, []string{"\x00\x00\x00\x90\xfdSMB" + strings.Repeat("x", 140)}, "SMBv23", "", "", false},
		{"SMB in parts", flow.TCP, 445, []string{smb2()[:5], "", smb2()[5:]}, "SMBv23", "", "", true},
		{"SMB in a session", flow.TCP, 139, []string{netbiosCall, netbiosAccept, smb2()}, "NetBIOS.SMBv23", "FILE", "", false},
		{"a name asked for", flow.UDP, 137, []string{netbiosAsk}, "NetBIOS", "FILE", "", false},
		{"a name answered", flow.UDP, 137, []string{"", netbiosSaid}, "NetBIOS", "FILE", "", false},
		{"a datagram of NetBIOS", flow.UDP, 138, []string{netbiosGram}, "NetBIOS", "CLIENT", "", false},
		{"DHCP", flow.UDP, 67, []string{dhcp(1, "\x0c\x07laptop7")}, "DHCP", "laptop7", "", false},
		{"DHCP, the name later", flow.UDP, 67, []string{dhcp(1, ""), dhcp(2, ""), dhcp(1, "\x00\x37\x01\x03\x0c\x05host\x00")}, "DHCP", "host", "", false},
		{"DHCP without a name", flow.UDP, 67, []string{dhcp(1, "\x0c\xf0x")}, "DHCP", "", "", false},
		{"DHCPv6", flow.UDP, 547, []string{dhcpv6Solicit}, "DHCPV6", "", "", true},
		{"DHCPv6, relayed", flow.UDP, 547, []string{dhcpv6Relay}, "DHCPV6", "", "", true},
		{"LDAP's bind", flow.TCP, 389, []string{ldapBindAsk, ldapBindSaid}, "LDAP", "", "", false},
		{"LDAP's answer alone", flow.TCP, 389, []string{"", ldapBindSaid}, "LDAP", "", "", false},
		{"LDAP's search", flow.TCP, 389, []string{ldapRootDSE}, "LDAP", "", "", false},
		{"LDAP in parts", flow.TCP, 389, []string{ldapBindAsk[:9], "", ldapBindAsk[9:]}, "LDAP", "", "", true},
		{"CLDAP", flow.UDP, 389, []string{ldapRootDSE}, "LDAP", "", "", false},
		{"Kerberos", flow.UDP, 88, []string{krbAsk}, "Kerberos", "", "", false},
		{"Kerberos's error", flow.UDP, 88, []string{"", krbError}, "Kerberos", "", "", false},
		{"Kerberos over TCP", flow.TCP, 88, []string{sized(krbAsk)}, "Kerberos", "", "", false},
		{"RDP with a cookie", flow.TCP, 3389, []string{rdpCookie}, "RDP", "", "", false},
		{"RDP with a proposal", flow.TCP, 3389, []string{rdpAsk, rdpRefuse}, "RDP", "", "", false},
		{"RDP's answer alone", flow.TCP, 3389, []string{"", rdpTLS}, "RDP", "", "", false},
		{"RDP of old", flow.TCP, 3389, []string{rdpOld}, "RDP", "", "", true},
		{"NFS", flow.TCP, 2049, []string{marked(nfsNull)}, "NFS", "", "", false},
		{"NFS over UDP", flow.UDP, 2049, []string{nfsNull}, "NFS", "", "", false},
		{"mount", flow.UDP, 2049, []string{strings.Replace(nfsNull, "\x86\xa3", "\x86\xa5", 1)}, "NFS", "", "", false},
		{"SQL Server", flow.TCP, 1433, []string{tdsAsk, tdsSaid}, "MsSQL-TDS", "", "Microsoft SQL Server 15.0.2000", false},
		{"SQL Server's answer alone", flow.TCP, 1433, []string{"", tdsSaid}, "MsSQL-TDS", "", "Microsoft SQL Server 15.0.2000", false},
		{"SQL Server's login", flow.TCP, 1433, []string{tdsLogin7()}, "MsSQL-TDS", "", "", false},
		{"Oracle", flow.TCP, 1521, []string{oracleConnect}, "Oracle", "", "", false},
		{"Oracle in parts", flow.TCP, 1521, []string{oracleConnect[:20], "", oracleConnect[20:]}, "Oracle", "", "", true},
		{"MongoDB", flow.TCP, 27017, []string{mongoHello}, "MongoDB", "", "", false},
		{"MongoDB's query", flow.TCP, 27017, []string{mongoQuery}, "MongoDB", "", "", false},
		{"memcached", flow.TCP, 11211, []string{"version\r\n", "VERSION 1.6.18\r\n"}, "Memcached", "", "memcached 1.6.18", true},
		{"memcached's get", flow.TCP, 11211, []string{"get key\r\n", "END\r\n"}, "Memcached", "", "", true},
		{"memcached's set", flow.TCP, 11211, []string{"set key 0 60 5\r\nvalue\r\n", "STORED\r\n"}, "Memcached", "", "", false},
		{"memcached's value alone", flow.TCP, 11211, []string{"", "VALUE key 0 5\r\nvalue\r\nEND\r\n"}, "Memcached", "", "", true},
		{"memcached's statistics", flow.TCP, 11211, []string{"stats\r\n", "STAT pid 1\r\nSTAT version 1.6.18\r\n"}, "Memcached", "", "memcached 1.6.18", true},
		{"memcached, binary", flow.TCP, 11211, []string{memcachedBinaryGet}, "Memcached", "", "", true},
		{"memcached over UDP", flow.UDP, 11211, []string{"\x00\x01\x00\x00\x00\x01\x00\x00stats\r\n"}, "Memcached", "", "", true},
		{"AMQP", flow.TCP, 5672, []string{amqpHeader, amqpStart}, "AMQP", "", "RabbitMQ 3.12.1", false},
		{"AMQP, the answer in parts", flow.TCP, 5672, []string{amqpHeader, amqpStart[:30], "", amqpStart[30:]}, "AMQP", "", "RabbitMQ 3.12.1", false},
		{"AMQP 1.0", flow.TCP, 5672, []string{"AMQP\x03\x01\x00\x00"}, "AMQP", "", "", false},
		{"MQTT", flow.TCP, 1883, []string{mqttConnect}, "MQTT", "", "", false},
		{"MQTT 3.1", flow.TCP, 1883, []string{"\x10\x13\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x05probe"}, "MQTT", "", "", false},
		{"MQTT in parts", flow.TCP, 1883, []string{mqttConnect[:1], "", mqttConnect[1:6], "", mqttConnect[6:]}, "MQTT", "", "", true},
		{"NATS", flow.TCP, 4222, []string{"", natsInfo, natsConnect}, "Nats", "", "NATS 2.10.7", false},
		{"NATS's client alone", flow.TCP, 4222, []string{natsConnect}, "Nats", "", "", false},
		{"NATS in parts", flow.TCP, 4222, []string{"", natsInfo[:40], "", natsInfo[40:]}, "Nats", "", "NATS 2.10.7", false},
		{"VNC", flow.TCP, 5900, []string{"", "RFB 003.008\n"}, "VNC", "", "", false},
		{"VNC in parts", flow.TCP, 5900, []string{"", "RFB 0", "", "03.889\n"}, "VNC", "", "", true},
		{"VMware", flow.TCP, 902, []string{"", vmwareBanner}, "VMware", "", "VMware Authentication Daemon Version 1.10", false},
	} {
		for _, port := range []uint16{tc.port, 4711} {
			k := newTalk(tc.proto, port)
			for i, s := range tc.said {
				if s != "" {
					k.say(i&1, 0, []byte(s))
				}
			}
			v := k.verdict()
			t.Run(fmt.Sprint(tc.name, " at ", port), func(t *testing.T) {
				if port != tc.port && tc.portOnly {
					if l7.AppName(v.App) == tc.app {
						t.Errorf("said %s", l7.AppName(v.App))
					}
					return
				}
				var details *flow.Details
				if tc.software != "" {
					details = &flow.Details{Software: tc.software}
				}
				want(t, v, tc.app, tc.info, details)
			})
		}
	}
}

// What begins alike, and is something else, is not known.
func TestNotQuiteSmallProtocolsA(t *testing.T) {
	for _, tc := range []struct {
		name  string
		proto flow.Proto
		port  uint16
		said  string
	}{
		{"SMB 4", flow.TCP, 445, strings.Replace(smb2(), "\xfe", "\xfb", 1)},
		{"SMB 2 with a header of another size", flow.TCP, 445, strings.Replace(smb2(), "SMB\x40", "SMB\x41", 1)},
		{"a name with a letter too high", flow.UDP, 137, strings.Replace(netbiosAsk, "EGEJ", "EGEQ", 1)},
		{"a name of another class", flow.UDP, 137, strings.Replace(netbiosAsk, "\x00\x20\x00\x01", "\x00\x20\x00\x03", 1)},
		{"a datagram of another length", flow.UDP, 138, netbiosGram + "x"},
		{"a session with one name", flow.TCP, 139, "\x81\x00\x00\x22" + netbiosFile},
		{"BOOTP without a cookie", flow.UDP, 67, dhcp(1, "")[:236] + "\x00\x00\x00\x00"},
		{"half of DHCP", flow.UDP, 67, dhcp(1, "")[:200]},
		{"DHCPv6 with a byte too many", flow.UDP, 547, dhcpv6Solicit + "\x00"},
		{"DHCPv6 that does not say who", flow.UDP, 547, "\x01\x12\x34\x56\x00\x08\x00\x02\x00\x00"},
		{"LDAP of version 4", flow.TCP, 389, strings.Replace(ldapBindAsk, "\x02\x01\x03", "\x02\x01\x04", 1)},
		{"CLDAP with a byte too many", flow.UDP, 389, ldapRootDSE + "\x00"},
		{"SNMP at LDAP's port", flow.TCP, 389, snmpGet},
		{"Kerberos 4", flow.UDP, 88, strings.Replace(krbAsk, "\x02\x01\x05", "\x02\x01\x04", 1)},
		{"a tag and another number", flow.UDP, 88, strings.Replace(krbAsk, "\x02\x01\x0a", "\x02\x01\x0c", 1)},
		{"X.224 with something else", flow.TCP, 3389, "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02"},
		{"X.224 of another length", flow.TCP, 3389, strings.Replace(rdpAsk, "\x0e\xe0", "\x0d\xe0", 1)},
		{"RPC of version 3", flow.TCP, 2049, marked(strings.Replace(nfsNull, "\x00\x02\x00\x01", "\x00\x03\x00\x01", 1))},
		{"another program", flow.UDP, 2049, strings.Replace(nfsNull, "\x86\xa3", "\x86\xa0", 1)},
		{"an answer of RPC", flow.UDP, 2049, "ABCD\x00\x00\x00\x01" + strings.Repeat("\x00", 36)},
		{"TDS with a version of four bytes", flow.TCP, 1433, strings.Replace(tdsAsk, "\x0b\x00\x06", "\x0b\x00\x04", 1)},
		{"TDS with an option beyond its end", flow.TCP, 1433, strings.Replace(tdsAsk, "\x00\x11\x00\x01", "\x01\x11\x00\x01", 1)},
		{"a login of another length", flow.TCP, 1433, strings.Replace(tdsLogin7(), "\x5e", "\x5f", 1)},
		{"Oracle of another length", flow.TCP, 1521, "\x00\x6b" + oracleConnect[2:]},
		{"Oracle without a description", flow.TCP, 1521, strings.Replace(oracleConnect, "(DESC", "[DESC", 1)},
		{"MongoDB with a flag nobody knows", flow.TCP, 27017, strings.Replace(mongoHello, "\xdd\x07\x00\x00\x00", "\xdd\x07\x00\x00\x04", 1)},
		{"MongoDB with a document too long", flow.TCP, 27017, strings.Replace(mongoHello, "\x10\x00\x00\x00\x10", "\x11\x00\x00\x00\x10", 1)},
		{"MongoDB with another code", flow.TCP, 27017, strings.Replace(mongoHello, "\xdd\x07", "\xde\x07", 1)},
		{"a word at memcached's port", flow.TCP, 11211, "getting on\r\n"},
		{"a set without numbers", flow.TCP, 11211, "set key value\r\n"},
		{"a value without a length", flow.TCP, 11211, "VALUE key\r\n"},
		{"memcached with lengths that differ", flow.TCP, 11211, strings.Replace(memcachedBinaryGet, "\x80\x00\x00\x03", "\x80\x00\x00\x04", 1)},
		{"memcached's part 2 of 1", flow.UDP, 11211, "\x00\x01\x00\x01\x00\x01\x00\x00stats\r\n"},
		{"AMQP 7", flow.TCP, 5672, "AMQP\x00\x00\x07\x00"},
		{"MQTT of version 6", flow.TCP, 1883, strings.Replace(mqttConnect, "MQTT\x04", "MQTT\x06", 1)},
		{"MQTT with a bit that is reserved", flow.TCP, 1883, strings.Replace(mqttConnect, "\x04\x02", "\x04\x03", 1)},
		{"MQTT with a length without end", flow.TCP, 1883, "\x10\xff\xff\xff\xff\xff\x00\x04MQTT\x04\x02"},
		{"INFO of something else", flow.TCP, 4222, "INFO {\"x\":1}\r\n"},
		{"CONNECT of something else", flow.TCP, 4222, "CONNECT {\"x\":1}\r\n"},
		{"RFB without a version", flow.TCP, 5900, "RFB 3.8\n....."},
		{"another daemon", flow.TCP, 902, "220 VMware Something Daemon\r\n"},
	} {
		if v := newTalk(tc.proto, tc.port).say(0, 0, []byte(tc.said)).verdict(); l7.AppName(v.App) != "" {
			t.Errorf("%s is %s", tc.name, l7.AppName(v.App))
		}
	}
}

// After the agreement to use TLS the rest is shown to it, and the carrying
// protocol stays.
func TestStartTLSOfSmallProtocolsA(t *testing.T) {
	for _, tc := range []struct {
		name  string
		port  uint16
		said  []string
		app   string
		shown bool
	}{
		{"LDAP", 389, []string{ldapStartAsk, ldapStartSaid}, "LDAP", true},
		{"LDAP, refused", 389, []string{ldapStartAsk, ldapStartNever}, "LDAP", false},
		{"RDP", 3389, []string{rdpCookie, rdpTLS}, "RDP", true},
		{"RDP, refused", 3389, []string{rdpAsk, rdpRefuse}, "RDP", false},
		{"VMware", 902, []string{"", vmwareBanner}, "VMware", true},
	} {
		k := newTalk(flow.TCP, tc.port)
		for i, s := range tc.said {
			if s != "" {
				k.say(i&1, 0, []byte(s))
			}
		}
		v := k.ask(tlsRecord(chromeHello())).verdict()
		shown := v.Info != "" && v.Details != nil && v.Details.JA4 != ""
		if l7.AppName(flow.App{Master: v.App.Master}) != tc.app || shown != tc.shown {
			t.Errorf("%s: said %s, %q, %+v", tc.name, l7.AppName(v.App), v.Info, v.Details)
		}
	}
}

func TestNumbersOfSmallProtocolsA(t *testing.T) {
	for id, name := range map[uint16]string{
		appSMB1: "SMBv1", appSMB2: "SMBv23", appNetBIOS: "NetBIOS", appDHCP: "DHCP", appDHCPv6: "DHCPV6", appLDAP: "LDAP",
		appKerberos: "Kerberos", appRDP: "RDP", appNFS: "NFS", appTDS: "MsSQL-TDS", appOracle: "Oracle", appMongoDB: "MongoDB",
		appMemcached: "Memcached", appAMQP: "AMQP", appMQTT: "MQTT", appNATS: "Nats", appVNC: "VNC",
	} {
		if got := l7.AppName(flow.App{Master: id}); got != name {
			t.Errorf("%d is %s, not %s", id, got, name)
		}
	}
}

func FuzzSMB(f *testing.F)     { fuzzRecogniser(f, appSMB1, smb1Dialects, smbMulti, smb2()) }
func FuzzNetBIOS(f *testing.F) { fuzzRecogniser(f, appNetBIOS, netbiosAsk, netbiosSaid, netbiosGram) }
func FuzzNetBIOSSession(f *testing.F) {
	fuzz(f, flow.TCP, 139, []byte(netbiosCall), []byte(netbiosAccept+smb2()))
}
func FuzzDHCP(f *testing.F)   { fuzzRecogniser(f, appDHCP, dhcp(1, "\x0c\x07laptop7"), dhcp(2, "")) }
func FuzzDHCPv6(f *testing.F) { fuzzRecogniser(f, appDHCPv6, dhcpv6Solicit, dhcpv6Relay) }
func FuzzLDAP(f *testing.F) {
	fuzzRecogniser(f, appLDAP, ldapBindAsk, ldapBindSaid, ldapRootDSE, ldapStartAsk, ldapStartSaid)
}
func FuzzKerberos(f *testing.F) { fuzzRecogniser(f, appKerberos, sized(krbAsk), sized(krbError)) }
func FuzzRDP(f *testing.F)      { fuzzRecogniser(f, appRDP, rdpCookie, rdpAsk, rdpTLS) }
func FuzzNFS(f *testing.F)      { fuzzRecogniser(f, appNFS, marked(nfsNull)) }
func FuzzTDS(f *testing.F)      { fuzzRecogniser(f, appTDS, tdsAsk, tdsSaid, tdsLogin7()) }
func FuzzOracle(f *testing.F)   { fuzzRecogniser(f, appOracle, oracleConnect) }
func FuzzMongoDB(f *testing.F)  { fuzzRecogniser(f, appMongoDB, mongoHello, mongoQuery) }
func FuzzMemcached(f *testing.F) {
	fuzzRecogniser(f, appMemcached, "set key 0 60 5\r\nvalue\r\n", "VERSION 1.6.18\r\n", memcachedBinaryGet)
}
func FuzzAMQP(f *testing.F)   { fuzzRecogniser(f, appAMQP, amqpHeader, amqpStart) }
func FuzzMQTT(f *testing.F)   { fuzzRecogniser(f, appMQTT, mqttConnect) }
func FuzzNATS(f *testing.F)   { fuzzRecogniser(f, appNATS, natsInfo, natsConnect) }
func FuzzVNC(f *testing.F)    { fuzzRecogniser(f, appVNC, "RFB 003.008\n") }
func FuzzVMware(f *testing.F) { fuzzRecogniser(f, appVMware, vmwareBanner) }
