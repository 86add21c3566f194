//go:build conformance && ndpi

package ndpi

// An odd is a known difference between our own identifier and ndpiReader.
type odd struct {
	file, ends string
	what       string // verdict or name
}

const (
	verdict = "protocol"
	name    = "name"
)

// Why we differ.
const (
	dnscrypt   = "DNSCrypt at port 5353: ndpiReader takes it for mDNS by the port"
	lustre     = "Lustre: no record of TLS begins there"
	notTLS     = "content type 0: no record of TLS (RFC 8446 section 5.1)"
	ooklaText  = "Ookla's own text protocol at port 8080, in which no HTTP is said"
	sipPort    = "HTTP from port 5060: ndpiReader takes the port for SIP"
	imapsNamed = "ndpiReader says TLS instead of IMAPS where it knows whose name the server has"
	noDNS      = "bytes of 0xaa: no header of DNS"
	noRequest  = "a damaged version in the request line (RFC 9112 section 2.3)"
	lastAsked  = "several questions and no answer: ndpiReader has one of the later names, we have the first"
	longName   = "ndpiReader keeps the last 79 bytes of a name"
	nulInHost  = "a zero byte in the Host header: ndpiReader stops there"
	noSign     = "a per cent sign, which no host's name has: ndpiReader writes an underscore"
	cutAnswer  = "an answer whose IP header counts more bytes than there are: ndpiReader has the name of the damaged question"
	notIP      = "a later question in a frame whose type is not that of IP: ndpiReader reads it all the same"
)

// odds are all differences in the common protocols, with the reason.
var odds = map[odd]string{
	{"dns_exfiltration.pcap", "udp 192.168.203.167:53 192.168.220.56:56373", name}:  longName,
	{"dnscrypt-v2.pcap", "udp 127.0.0.1:38650 127.0.0.2:5353", verdict}:             dnscrypt,
	{"dnscrypt-v2.pcap", "udp 127.0.0.1:42883 127.0.0.2:5353", verdict}:             dnscrypt,
	{"dnscrypt-v2.pcap", "udp 127.0.0.1:50893 127.0.0.2:5353", verdict}:             dnscrypt,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2716", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2722", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2732", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2740", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2750", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2754", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2758", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2760", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2762", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2766", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2796", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2800", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2804", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2806", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2810", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2812", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2814", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.34:2746", name}:     noSign,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2816", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2715", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2785", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2787", name}:      lastAsked,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2813", name}:      cutAnswer,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2815", verdict}:   noDNS,
	{"fuzz-2006-06-26-2594.pcap", "udp 192.168.1.1:53 192.168.1.2:2827", name}:      notIP,
	{"fuzz-2006-09-29-28586.pcap", "tcp 172.20.3.5:80 172.20.3.13:53132", name}:     nulInHost,
	{"fuzz-2006-09-29-28586.pcap", "tcp 172.20.3.5:9587 172.20.3.13:80", verdict}:   noRequest,
	{"http_on_sip_port.pcap", "tcp 45.58.148.2:8888 82.178.111.221:5060", verdict}:  sipPort,
	{"imaps.pcap", "tcp 167.99.215.164:993 192.168.1.8:50506", verdict}:             imapsNamed,
	{"lustre.pcapng", "tcp 192.168.88.118:1023 192.168.88.119:988", verdict}:        lustre,
	{"ookla.pcap", "tcp 185.157.229.246:8080 192.168.1.192:37790", verdict}:         ooklaText,
	{"telegram.pcap", "udp 192.168.1.53:5353 224.0.0.251:5353", name}:               lastAsked,
	{"telegram.pcap", "udp [fe80::18a0:a412:8935:c01b]:5353 [ff02::fb]:5353", name}: lastAsked,
	{"tls_invalid_reads.pcap", "tcp 67.217.77.28:443 74.80.160.99:3258", verdict}:   notTLS,
	{"wa_voice.pcap", "udp [fe80::414:409d:8afd:9f05]:5353 [ff02::fb]:5353", name}:  lastAsked,
	{"wa_voice.pcap", "udp 192.168.2.12:5353 224.0.0.251:5353", name}:               lastAsked,
}
