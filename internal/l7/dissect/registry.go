package dissect

import (
	"slices"
	"sync"

	"github.com/portolan/portolan/internal/flow"
)

// A protocol is one line of the registry.
//
// To add one: write a file with its function and a fuzz target, and a line
// below. The function sees the first message of either side, whichever comes
// first. It answers no at the first byte that does not fit, more while what
// there is fits but does not suffice, and mine or done only when chance cannot
// have made these bytes: what no other protocol begins with, or lengths that
// agree. It never trusts a length, keeps nothing of m.data, and does not
// allocate until it knows.
type protocol struct {
	app       uint16                // nDPI's number
	over      transport             // what carries it
	ports     []uint16              // where it is usual: it is asked first there
	first     string                // the first bytes that a message may have, and ranges of them: "\x14-\x17"; "" = any
	recognise func(*message) answer // looks at one message
}

// A transport is a set of protocols that carry others.
type transport uint8

const (
	overTCP transport = 1 << iota
	overUDP
)

// protocols is the registry. Where several may begin alike, the stricter
// stands first.
var protocols = [...]protocol{
	{appTLS, overTCP, []uint16{443, 465, 563, 587, 636, 853, 989, 990, 992, 993, 995, 5061, 6697, 8443, 8883, 9443}, "\x14-\x17\x80-\xbf", recogniseTLS},
	{appHTTP, overTCP, []uint16{80, 591, 631, 3128, 5985, 8000, 8008, 8080, 8081, 8086, 8088, 8888, 9090, 9091, 9100, 9200}, "GPHDOCTMLURSN", recogniseHTTP},
	{appDTLS, overUDP, []uint16{443, 853, 2083, 5684, 10161}, "\x14-\x19", recogniseDTLS},
	{appQUIC, overUDP, []uint16{443, 80, 853, 8443}, "\x80-\xff\x09\x0d", recogniseQUIC},
	{appNetBIOS, overUDP, []uint16{137, 138}, "", recogniseNetBIOS},
	{appDNS, overTCP | overUDP, []uint16{53}, "", recogniseDNS},
	{appMDNS, overUDP, []uint16{5353}, "", recogniseMDNS},
	{appLLMNR, overTCP | overUDP, []uint16{5355}, "", recogniseLLMNR},
	{appSSH, overTCP, []uint16{22, 2222}, "S", recogniseSSH},
	{appVMware, overTCP, []uint16{902}, "2", recogniseVMware},
	{appSMTP, overTCP, []uint16{25, 587}, "2EeHhLl", recogniseSMTP},
	{appFTP, overTCP, []uint16{21}, "2", recogniseFTP},
	{appPOP3, overTCP, []uint16{110}, "+", recognisePOP3},
	{appIMAP, overTCP, []uint16{143}, "*", recogniseIMAP},
	{appRsync, overTCP, []uint16{873}, "@", recogniseRsync},
	{appMySQL, overTCP, []uint16{3306}, "", recogniseMySQL},
	{appPostgreSQL, overTCP, []uint16{5432}, "\x00", recognisePostgres},
	{appRedis, overTCP, []uint16{6379}, "*", recogniseRedis},
	{appNTP, overUDP, []uint16{123}, "", recogniseNTP},
	{appSNMP, overUDP, []uint16{161, 162}, "0", recogniseSNMP},
	{appSTUN, overTCP | overUDP, []uint16{3478, 19302}, "\x00\x01", recogniseSTUN},
	{appSIP, overTCP | overUDP, []uint16{5060}, "A-Z", recogniseSIP},
	{appRTSP, overTCP, []uint16{554, 8554}, "A-Z", recogniseRTSP},
	{appRTCP, overUDP, []uint16{5005}, "\x80-\xbf", recogniseRTCP},
	{appRTP, overUDP, []uint16{5004}, "\x80-\xbf", recogniseRTP},
	{appSyslog, overTCP | overUDP, []uint16{514, 601}, "<0-9", recogniseSyslog},
	{appTFTP, overUDP, []uint16{69}, "\x00", recogniseTFTP},
	{appNetFlow, overUDP, []uint16{2055, 4739, 9995, 9996}, "\x00", recogniseNetFlow},
	{appSFlow, overUDP, []uint16{6343}, "\x00", recogniseSFlow},
	{appSSDP, overUDP, []uint16{1900}, "MNH", recogniseSSDP},
	{appWSD, overUDP, []uint16{3702}, "<", recogniseWSD},
	{appWireGuard, overUDP, []uint16{51820}, "\x01-\x04", recogniseWireGuard},
	{appIPsec, overUDP, []uint16{500, 4500}, "", recogniseIPsec},
	{appOpenVPN, overTCP | overUDP, []uint16{1194}, "8@P\x00-\x04", recogniseOpenVPN},
	{appGTP, overUDP, []uint16{2123, 2152}, "0-7@HPX", recogniseGTP},
	{appRADIUS, overUDP, []uint16{1812, 1813, 1645, 1646, 3799}, "\x01-\x05\x0b-\x0d\x28-\x2d", recogniseRADIUS},
	{appBGP, overTCP, []uint16{179}, "\xff", recogniseBGP},
	{appBitTorrent, overTCP | overUDP, []uint16{6881, 6771, 6969}, "\x13d\x00B", recogniseBitTorrent},
	{appTelnet, overTCP, []uint16{23}, "\xff", recogniseTelnet},
	{appZabbix, overTCP, []uint16{10050, 10051}, "Z", recogniseZabbix},
	{appCassandra, overTCP, []uint16{9042}, "\x03-\x05\x83-\x85", recogniseCassandra},
	{appSMB1, overTCP, []uint16{445, 139}, "\x00", recogniseSMB},
	{appNetBIOS, overTCP, []uint16{139}, "\x81", recogniseNetBIOSSession},
	{appDHCP, overUDP, []uint16{67, 68}, "\x01\x02", recogniseDHCP},
	{appDHCPv6, overUDP, []uint16{546, 547}, "\x01-\x0d", recogniseDHCPv6},
	{appLDAP, overTCP | overUDP, []uint16{389, 3268}, "0", recogniseLDAP},
	{appKerberos, overTCP | overUDP, []uint16{88}, "\x00\x6a-\x6d\x7e", recogniseKerberos},
	{appRDP, overTCP, []uint16{3389}, "\x03", recogniseRDP},
	{appNFS, overTCP | overUDP, []uint16{2049}, "", recogniseNFS},
	{appTDS, overTCP, []uint16{1433}, "\x04\x10\x12", recogniseTDS},
	{appOracle, overTCP, []uint16{1521}, "", recogniseOracle},
	{appMongoDB, overTCP, []uint16{27017, 27018, 27019}, "", recogniseMongoDB},
	{appMemcached, overTCP | overUDP, []uint16{11211}, "", recogniseMemcached},
	{appAMQP, overTCP, []uint16{5672}, "A", recogniseAMQP},
	{appMQTT, overTCP, []uint16{1883}, "\x10", recogniseMQTT},
	{appNATS, overTCP, []uint16{4222}, "IC", recogniseNATS},
	{appVNC, overTCP, []uint16{5900, 5901, 5902}, "R", recogniseVNC},
}

// begins reports whether a message of p may have b as its first byte.
func (p *protocol) begins(b byte) bool {
	if p.first == "" {
		return true
	}
	for i := 0; i < len(p.first); i++ {
		if i+2 < len(p.first) && p.first[i+1] == '-' {
			if b >= p.first[i] && b <= p.first[i+2] {
				return true
			}
			i += 2
			continue
		}
		if p.first[i] == b {
			return true
		}
	}
	return false
}

// usual reports whether one of the message's ports is usual for p.
func (p *protocol) usual(m *message) bool {
	for _, port := range p.ports {
		if port == m.sender || port == m.receiver {
			return true
		}
	}
	return false
}

// A table finds the protocols to ask.
type table struct{ tcp, udp hints }

// hints are for one transport.
type hints struct {
	port    [1 << 16]uint8 // index in byPort
	byPort  [][]uint8      // protocols that are usual at a port; the first is for ports without
	byFirst [256][]uint8   // protocols that may begin with a byte
}

// of returns the hints of a transport, nil if there are none.
func (t *table) of(p flow.Proto) *hints {
	switch p {
	case flow.TCP:
		return &t.tcp
	case flow.UDP, flow.UDPLite:
		return &t.udp
	}
	return nil
}

// dispatch makes the table of the registry, once.
var dispatch = sync.OnceValue(func() *table {
	t := new(table)
	t.tcp.fill(overTCP)
	t.udp.fill(overUDP)
	return t
})

func (h *hints) fill(over transport) {
	at := map[uint16][]uint8{}
	for i := range protocols {
		p := &protocols[i]
		if p.over&over == 0 {
			continue
		}
		for _, port := range p.ports {
			at[port] = append(at[port], uint8(i))
		}
		for b := range h.byFirst {
			if p.begins(byte(b)) {
				h.byFirst[b] = append(h.byFirst[b], uint8(i))
			}
		}
	}
	h.byPort = [][]uint8{nil}
	for port, list := range at {
		n := slices.IndexFunc(h.byPort, func(x []uint8) bool { return slices.Equal(x, list) })
		if n < 0 {
			n = len(h.byPort)
			h.byPort = append(h.byPort, list)
		}
		h.port[port] = uint8(n)
	}
}
