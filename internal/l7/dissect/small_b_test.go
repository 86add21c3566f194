package dissect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/l7"
)

const (
	stunID     = "\x21\x12\xa4\x42abcdefghijkl"
	stunAsk    = "\x00\x01\x00\x00" + stunID
	stunAnswer = "\x01\x01\x00\x0c" + stunID + "\x80\x22\x00\x08Coturn-4"
	stunOld    = "\x00\x01\x00\x08" + "0123456789abcdef" + "\x00\x03\x00\x04\x00\x00\x00\x00"
	sipInvite  = "INVITE sip:bob@Biloxi.example.com;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP pc33\r\n\r\n"
	sipTrying  = "SIP/2.0 100 Trying\r\nServer: proxy\r\n\r\n"
	sipOK      = "SIP/2.0 200 OK\r\nServer: Asterisk PBX 18\r\n\r\n"
	rtspAsk    = "DESCRIBE rtsp://cam.example.org:554/live RTSP/1.0\r\nCSeq: 2\r\n\r\n"
	rtspOK     = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nServer: GStreamer RTSP server\r\n\r\n"
	// rtcpReport is a sender's report and its description.
	rtcpReport  = "\x80\xc8\x00\x06SRC1abcdefghijklmnopqrst" + "\x81\xca\x00\x03SRC1\x01\x05a@b.c\x00"
	syslogOld   = "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"
	syslogNew   = "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 - hello"
	tftpRead    = "\x00\x01pxelinux.0\x00octet\x00blksize\x001428\x00"
	tftpOptions = "\x00\x06blksize\x001428\x00"
	// netflow9 and ipfix have a template of one field, and a record of it.
	netflow9 = "\x00\x09\x00\x02uptitimenumbfrom" + "\x00\x00\x00\x0c\x01\x00\x00\x01\x00\x08\x00\x04" + "\x01\x00\x00\x08\x0a\x00\x00\x01"
	ipfix    = "\x00\x0a\x00\x24timenumbfrom" + "\x00\x02\x00\x0c\x01\x00\x00\x01\x00\x08\x00\x04" + "\x01\x00\x00\x08\x0a\x00\x00\x01"
	// sflow5 has one sample of counters with eight bytes.
	sflow5        = "\x00\x00\x00\x05\x00\x00\x00\x01\x0a\x00\x00\x01subanumbupti" + "\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x08abcdefgh"
	ssdpSearch    = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n"
	ssdpAnswer    = "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\nSERVER: Linux UPnP/1.0 router\r\n\r\n"
	wsdProbe      = `<?xml version="1.0"?><s:Envelope xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Body/></s:Envelope>`
	ike1          = "INITINIT\x00\x00\x00\x00\x00\x00\x00\x00\x01\x10\x02\x00\x00\x00\x00\x00\x00\x00\x00\x24associat"
	ike2          = "INITINIT\x00\x00\x00\x00\x00\x00\x00\x00\x21\x20\x22\x08\x00\x00\x00\x00\x00\x00\x00\x24associat"
	openvpnAsk    = "\x38CLIENTID\x00\x00\x00\x00\x00"
	openvpnAnswer = "\x40SERVERID\x01\x00\x00\x00\x00CLIENTID\x00\x00\x00\x00"

	gtp1 = "\x32\x01\x00\x04\x00\x00\x00\x00\x00\x01\x00\x00" // echo
	gtp2 = "\x40\x01\x00\x09\x00\x00\x01\x00\x03\x00\x01\x00\x05"
	gtpu = "\x30\xff\x00\x04TEID\x45\x00\x00\x04"
	// radiusAsk asks for a user at a port.
	radiusAsk = "\x01\x07\x00\x20authenticator012" + "\x01\x06user" + "\x05\x06\x00\x00\x00\x03"
	bgpOpen   = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x1d\x01\x04\xfd\xe8\x00\xb4\x0a\x00\x00\x01\x00"
	dhtPing   = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe" // of BEP 5
	btTracker = "\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00abcd"
	zabbixAsk = "ZBXD\x01\x0a\x00\x00\x00\x00\x00\x00\x00agent.ping"

	cqlOptions   = "\x04\x00\x00\x00\x05\x00\x00\x00\x00"
	cqlSupported = "\x84\x00\x00\x00\x06\x00\x00\x00\x18\x00\x01\x00\x0bCQL_VERSION\x00\x01\x00\x053.4.6"
	cqlStartup   = "\x04\x00\x00\x01\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0"
)

// WireGuard's handshake, without cookies.
var (
	wireguardAsk    = "\x01\x00\x00\x00" + strings.Repeat("x", 148-4-16) + strings.Repeat("\x00", 16)
	wireguardAnswer = "\x02\x00\x00\x00" + strings.Repeat("x", 92-4-16) + strings.Repeat("\x00", 16)
)

func wireguardData(n string) string {
	return "\x04\x00\x00\x00INDX" + n + "\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("x", 16)
}

func esp(n string) string { return "INDX\x00\x00\x00" + n + strings.Repeat("x", 48) }

// netflow5 has two records.
var netflow5 = "\x00\x05\x00\x02" + strings.Repeat("x", 20+2*48)

// rtp is a packet of G.711 without its sound.
func rtp(seq byte) string { return "\x80\x00\x00" + string([]byte{seq}) + "TTTTSRC1sound" }

// A small is a conversation, and what is to be known of it.
type small struct {
	name      string
	proto     flow.Proto
	port      uint16
	said      []string // by the client, the server, ...; "" = nothing
	app, info string
	software  string
	portOnly  bool // known at its own port only
}

func TestSmallProtocolsB(t *testing.T) {
	for _, tc := range []small{
		{"STUN", flow.UDP, 3478, []string{stunAsk, stunAnswer}, "STUN", "", "Coturn-4", false},
		{"STUN over TCP", flow.TCP, 3478, []string{stunAsk, stunAnswer}, "STUN", "", "Coturn-4", false},
		{"STUN of old", flow.UDP, 3478, []string{stunOld}, "STUN", "", "", true},
		{"SIP", flow.UDP, 5060, []string{sipInvite, sipTrying, "", sipOK}, "SIP", "biloxi.example.com", "Asterisk PBX 18", false},
		{"SIP over TCP", flow.TCP, 5060, []string{sipInvite[:20], "", sipInvite[20:], sipOK}, "SIP", "biloxi.example.com", "Asterisk PBX 18", false},
		{"RTSP", flow.TCP, 554, []string{rtspAsk, rtspOK}, "RTSP", "cam.example.org", "GStreamer RTSP server", false},
		{"RTCP", flow.UDP, 5005, []string{rtcpReport}, "RTCP", "", "", false},
		{"RTP", flow.UDP, 5004, []string{rtp(1), rtp(100), rtp(2), rtp(101), rtp(3), "", rtp(5)}, "RTP", "", "", false},
		{"Syslog", flow.UDP, 514, []string{syslogOld}, "Syslog", "", "", false},
		{"Syslog, RFC 5424", flow.UDP, 514, []string{syslogNew}, "Syslog", "", "", false},
		{"Syslog without a time", flow.UDP, 514, []string{"<13>hello"}, "Syslog", "", "", true},
		{"Syslog over TCP", flow.TCP, 514, []string{"83 " + syslogNew}, "Syslog", "", "", false},
		{"TFTP", flow.UDP, 69, []string{tftpRead}, "TFTP", "", "", false},
		{"TFTP's options", flow.UDP, 69, []string{tftpOptions}, "TFTP", "", "", false},
		{"NetFlow 5", flow.UDP, 2055, []string{netflow5}, "NetFlow", "", "", false},
		{"NetFlow 9", flow.UDP, 2055, []string{netflow9}, "NetFlow", "", "", false},
		{"IPFIX", flow.UDP, 4739, []string{ipfix}, "NetFlow", "", "", false},
		{"sFlow", flow.UDP, 6343, []string{sflow5}, "sFlow", "", "", false},
		{"SSDP", flow.UDP, 1900, []string{ssdpSearch}, "SSDP", "", "", false},
		{"SSDP's answer", flow.UDP, 1900, []string{"", ssdpAnswer}, "SSDP", "", "Linux UPnP/1.0 router", false},
		{"WS-Discovery", flow.UDP, 3702, []string{wsdProbe}, "WSD", "", "", false},
		{"WireGuard", flow.UDP, 51820, []string{wireguardAsk, wireguardAnswer}, "WireGuard", "", "", false},
		{"WireGuard's answer", flow.UDP, 51820, []string{"", wireguardAnswer}, "WireGuard", "", "", false},
		{"WireGuard's data", flow.UDP, 51820, []string{wireguardData("\x01"), wireguardData("\x07"), wireguardData("\x02"), "", wireguardData("\x04")}, "WireGuard", "", "", true},
		{"IKE 1", flow.UDP, 500, []string{ike1}, "IPsec", "", "", false},
		{"IKE 2", flow.UDP, 500, []string{ike2}, "IPsec", "", "", false},
		{"IKE 2 behind NAT", flow.UDP, 4500, []string{"\xff", "", "\x00\x00\x00\x00" + ike2}, "IPsec", "", "", true},
		{"ESP behind NAT", flow.UDP, 4500, []string{esp("\x01"), esp("\x01"), esp("\x02"), "", esp("\x03")}, "IPsec", "", "", true},
		{"OpenVPN", flow.UDP, 1194, []string{openvpnAsk, openvpnAnswer}, "OpenVPN", "", "", false},
		{"OpenVPN with tls-crypt", flow.UDP, 1194, []string{openvpnAsk + strings.Repeat("x", 40), openvpnAnswer + strings.Repeat("x", 40)}, "OpenVPN", "", "", false},
		{"OpenVPN with a wrapped key", flow.UDP, 1194, []string{"\x50" + strings.Repeat("x", 400), openvpnAnswer + strings.Repeat("x", 46)}, "OpenVPN", "", "", false},
		{"OpenVPN over TCP", flow.TCP, 1194, []string{"\x00\x0e" + openvpnAsk, "\x00\x1a" + openvpnAnswer}, "OpenVPN", "", "", false},
		{"GTP-C 1", flow.UDP, 2123, []string{gtp1}, "GTP.GTP_C", "", "", true},
		{"GTP-C 2", flow.UDP, 2123, []string{gtp2}, "GTP.GTP_C", "", "", true},
		{"GTP-C 2 of a tunnel", flow.UDP, 2123, []string{"\x48\x20\x00\x0cTEID\x00\x00\x01\x00\x03\x00\x00\x00"}, "GTP.GTP_C", "", "", true},
		{"GTP-U", flow.UDP, 2152, []string{gtpu}, "GTP.GTP_U", "", "", true},
		{"RADIUS", flow.UDP, 1812, []string{radiusAsk}, "Radius", "", "", false},
		{"RADIUS without attributes", flow.UDP, 1812, []string{"\x02\x07\x00\x14authenticator012"}, "Radius", "", "", true},
		{"BGP", flow.TCP, 179, []string{bgpOpen}, "BGP", "", "", false},
		{"BGP in parts", flow.TCP, 179, []string{bgpOpen[:7], "", bgpOpen[7:]}, "BGP", "", "", true},
		{"BitTorrent", flow.TCP, 6881, []string{"\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x05"}, "BitTorrent", "", "", false},
		{"BitTorrent's table", flow.UDP, 6881, []string{dhtPing}, "BitTorrent", "", "", false},
		{"BitTorrent's tracker", flow.UDP, 6969, []string{btTracker}, "BitTorrent", "", "", false},
		{"BitTorrent's neighbours", flow.UDP, 6771, []string{"BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n\r\n"}, "BitTorrent", "", "", false},
		{"Telnet", flow.TCP, 23, []string{"", "\xff\xfd\x18\xff\xfd\x20"}, "Telnet", "", "", false},
		{"Telnet, one request", flow.TCP, 23, []string{"", "\xff\xfd\x18"}, "Telnet", "", "", true},
		{"Zabbix", flow.TCP, 10051, []string{zabbixAsk}, "Zabbix", "", "", false},
		{"Zabbix, compressed", flow.TCP, 10051, []string{"ZBXD\x03\x10\x00\x00\x00\x80\x00\x00\x00x"}, "Zabbix", "", "", false},
		{"Cassandra", flow.TCP, 9042, []string{cqlOptions, cqlSupported}, "Cassandra", "", "", false},
		{"Cassandra's start", flow.TCP, 9042, []string{cqlStartup}, "Cassandra", "", "", false},
		{"OpenVPN's client alone", flow.UDP, 1194, []string{openvpnAsk}, "OpenVPN", "", "", true},
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
					if l7.AppName(v.App) != "" {
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
func TestNotQuiteSmallProtocolsB(t *testing.T) {
	for _, tc := range []struct {
		name  string
		proto flow.Proto
		port  uint16
		said  []string // all by one side
	}{
		{"STUN of another length", flow.UDP, 3478, []string{"\x00\x01\x00\x04" + stunID}},
		{"STUN without cookie, attributes cut", flow.UDP, 3478, []string{stunOld[:len(stunOld)-1]}},
		{"a method that SIP has not", flow.UDP, 5060, []string{"GREET sip:bob@example.com SIP/2.0\r\n\r\n"}},
		{"SIP 3", flow.UDP, 5060, []string{"INVITE sip:bob@example.com SIP/3.0\r\n\r\n"}},
		{"RTSP 3", flow.TCP, 554, []string{"PLAY rtsp://example.com/ RTSP/3.0\r\n\r\n"}},
		{"a report alone", flow.UDP, 5005, []string{rtcpReport[:28]}},
		{"a report of two sources", flow.UDP, 5005, []string{strings.Replace(rtcpReport, "\x81\xca\x00\x03SRC1", "\x81\xca\x00\x03SRC2", 1)}},
		{"three packets of RTP", flow.UDP, 5004, []string{rtp(1), rtp(2), rtp(3)}},
		{"RTP that stands still", flow.UDP, 5004, []string{rtp(1), rtp(1), rtp(1), rtp(1), rtp(1)}},
		{"RTP that jumps", flow.UDP, 5004, []string{rtp(1), rtp(2), rtp(3), rtp(90), rtp(91)}},
		{"a priority that is none", flow.UDP, 514, []string{"<192>Oct 11 22:14:15 mymachine su: x"}},
		{"binary with a priority", flow.UDP, 514, []string{"<13>\x00\x01\x02"}},
		{"a file without a mode", flow.UDP, 69, []string{"\x00\x01file\x00octets\x00"}},
		{"data of TFTP", flow.UDP, 69, []string{"\x00\x03\x00\x01octet\x00octet\x00"}},
		{"NetFlow 5 with a byte too many", flow.UDP, 2055, []string{netflow5 + "\x00"}},
		{"NetFlow 9 with a set that is cut", flow.UDP, 2055, []string{netflow9[:len(netflow9)-1]}},
		{"IPFIX of another length", flow.UDP, 4739, []string{ipfix + "\x01\x00\x00\x08abcd"}},
		{"sFlow with two samples of one", flow.UDP, 6343, []string{strings.Replace(sflow5, "\x00\x00\x00\x01\x00\x00\x00\x02", "\x00\x00\x00\x02\x00\x00\x00\x02", 1)}},
		{"an answer of HTTP over UDP", flow.UDP, 1900, []string{"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"}},
		{"another message of SOAP", flow.UDP, 3702, []string{strings.ReplaceAll(wsdProbe, "discovery", "addressing")}},
		{"WireGuard of another length", flow.UDP, 51820, []string{wireguardAsk + "\x00"}},
		{"WireGuard's data, once", flow.UDP, 51820, []string{wireguardData("\x01"), wireguardData("\x01")}},
		{"IKE of version 3", flow.UDP, 500, []string{strings.Replace(ike2, "\x21\x20\x22", "\x21\x30\x22", 1)}},
		{"IKE of another length", flow.UDP, 500, []string{ike2 + "x"}},
		{"ESP that stands still", flow.UDP, 4500, []string{esp("\x01"), esp("\x01"), esp("\x01"), esp("\x01")}},
		{"OpenVPN with a key nobody knows", flow.UDP, 1194, []string{openvpnAsk + strings.Repeat("x", 40)}},
		{"OpenVPN's server alone", flow.UDP, 1194, []string{openvpnAnswer}},
		{"GTP of another length", flow.UDP, 2123, []string{gtp1 + "x"}},
		{"GTP of version 3", flow.UDP, 2123, []string{"\x60" + gtp2[1:]}},
		{"RADIUS with an attribute that is cut", flow.UDP, 1812, []string{strings.Replace(radiusAsk, "\x01\x06", "\x01\x05", 1)}},
		{"RADIUS of a code nobody knows", flow.UDP, 1812, []string{"\x06" + radiusAsk[1:]}},
		{"BGP of version 3", flow.TCP, 179, []string{strings.Replace(bgpOpen, "\x01\x04", "\x01\x03", 1)}},
		{"BGP without a length", flow.TCP, 179, []string{bgpOpen[:16] + "\x00\x00\x04"}},
		{"a dictionary of something else", flow.UDP, 6881, []string{"d1:ai1e1:bi2e1:ci3e1:di4ee"}},
		{"Telnet that asks for nothing", flow.TCP, 23, []string{"\xff\xf0\x18"}},
		{"Zabbix without its bit", flow.TCP, 10051, []string{"ZBXD\x00" + zabbixAsk[5:]}},
		{"Cassandra's options alone", flow.TCP, 9042, []string{cqlOptions}},
		{"Cassandra of version 9", flow.TCP, 9042, []string{"\x09" + cqlStartup[1:]}},
	} {
		k := newTalk(tc.proto, tc.port)
		for _, s := range tc.said {
			k.say(0, 0, []byte(s))
		}
		if v := k.verdict(); l7.AppName(v.App) != "" {
			t.Errorf("%s is %s", tc.name, l7.AppName(v.App))
		}
	}
}

func TestNumbersOfSmallProtocolsB(t *testing.T) {
	for id, name := range map[uint16]string{
		appSTUN: "STUN", appSIP: "SIP", appRTP: "RTP", appRTCP: "RTCP", appRTSP: "RTSP",
		appSyslog: "Syslog", appTFTP: "TFTP", appNetFlow: "NetFlow", appSFlow: "sFlow", appSSDP: "SSDP", appWSD: "WSD",
		appWireGuard: "WireGuard", appIPsec: "IPsec", appOpenVPN: "OpenVPN",
		appGTP: "GTP", appGTPC: "GTP_C", appGTPU: "GTP_U", appRADIUS: "Radius", appBGP: "BGP", appBitTorrent: "BitTorrent", appTelnet: "Telnet",
		appZabbix: "Zabbix", appCassandra: "Cassandra",
	} {
		if got := l7.AppName(flow.App{Master: id}); got != name {
			t.Errorf("%d is %s, not %s", id, got, name)
		}
	}
}

func FuzzSTUN(f *testing.F)    { fuzzRecogniser(f, appSTUN, stunAsk, stunAnswer, stunOld) }
func FuzzSIP(f *testing.F)     { fuzzRecogniser(f, appSIP, sipInvite, sipTrying, sipOK) }
func FuzzRTSP(f *testing.F)    { fuzzRecogniser(f, appRTSP, rtspAsk, rtspOK) }
func FuzzRTCP(f *testing.F)    { fuzzRecogniser(f, appRTCP, rtcpReport) }
func FuzzRTP(f *testing.F)     { fuzzRecogniser(f, appRTP, rtp(1)) }
func FuzzSyslog(f *testing.F)  { fuzzRecogniser(f, appSyslog, syslogOld, syslogNew) }
func FuzzTFTP(f *testing.F)    { fuzzRecogniser(f, appTFTP, tftpRead, tftpOptions) }
func FuzzNetFlow(f *testing.F) { fuzzRecogniser(f, appNetFlow, netflow5, netflow9, ipfix) }
func FuzzSFlow(f *testing.F)   { fuzzRecogniser(f, appSFlow, sflow5) }
func FuzzSSDP(f *testing.F)    { fuzzRecogniser(f, appSSDP, ssdpSearch, ssdpAnswer) }
func FuzzWSD(f *testing.F)     { fuzzRecogniser(f, appWSD, wsdProbe) }
func FuzzWireGuard(f *testing.F) {
	fuzzRecogniser(f, appWireGuard, wireguardAsk, wireguardAnswer, wireguardData("\x01"))
}
func FuzzIPsec(f *testing.F)   { fuzzRecogniser(f, appIPsec, ike1, ike2, esp("\x01")) }
func FuzzOpenVPN(f *testing.F) { fuzzRecogniser(f, appOpenVPN, openvpnAsk, openvpnAnswer) }

func FuzzGTP(f *testing.F)    { fuzzRecogniser(f, appGTP, gtp1, gtp2, gtpu) }
func FuzzRADIUS(f *testing.F) { fuzzRecogniser(f, appRADIUS, radiusAsk) }
func FuzzBGP(f *testing.F)    { fuzzRecogniser(f, appBGP, bgpOpen) }
func FuzzBitTorrent(f *testing.F) {
	fuzzRecogniser(f, appBitTorrent, "\x13BitTorrent protocol", dhtPing, btTracker)
}
func FuzzTelnet(f *testing.F) { fuzzRecogniser(f, appTelnet, "\xff\xfd\x18\xff\xfd\x20") }
func FuzzZabbix(f *testing.F) { fuzzRecogniser(f, appZabbix, zabbixAsk) }
func FuzzCassandra(f *testing.F) {
	fuzzRecogniser(f, appCassandra, cqlOptions, cqlSupported, cqlStartup)
}
