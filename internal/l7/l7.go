// Package l7 names what conversations carry: server ports, and applications in
// nDPI's numbering.
package l7

import (
	"slices"
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// A service is what usually listens on a port.
type service struct {
	port uint16
	name string // IANA's short name, or the field's where that is what people know
	app  uint16 // nDPI's number of the protocol, 0 = none
}

// services holds the ports that servers are known by, sorted: IANA's service
// name registry for those in common use, with the field's own where IANA's
// assignment is not what runs there (9100 is node_exporter's, not a printer's).
// Ports that stand here are "registered" when direction is decided.
var services = []service{
	{7, "echo", 0}, {13, "daytime", 0}, {20, "ftp-data", 175}, {21, "ftp", 1}, {22, "ssh", 92},
	{23, "telnet", 77}, {25, "smtp", 3}, {43, "whois", 170}, {49, "tacacs", 0}, {53, "dns", 5},
	{67, "dhcp", 18}, {69, "tftp", 96}, {80, "http", 7}, {88, "kerberos", 111}, {102, "iso-tsap", 0},
	{110, "pop3", 2}, {111, "rpcbind", 0}, {119, "nntp", 0}, {123, "ntp", 9}, {135, "msrpc", 127},
	{137, "netbios-ns", 10}, {138, "netbios-dgm", 10}, {139, "netbios-ssn", 10}, {143, "imap", 4},
	{161, "snmp", 14}, {162, "snmptrap", 14}, {179, "bgp", 13}, {389, "ldap", 112}, {427, "svrloc", 0},
	{443, "https", 91}, {445, "smb", 41}, {464, "kpasswd", 111}, {465, "smtps", 29}, {500, "isakmp", 79},
	{514, "syslog", 17}, {515, "printer", 0}, {520, "rip", 0}, {546, "dhcpv6-client", 103}, {547, "dhcpv6", 103},
	{548, "afp", 97}, {554, "rtsp", 50}, {587, "submission", 3}, {593, "http-rpc-epmap", 127}, {623, "ipmi", 0},
	{631, "ipp", 6}, {636, "ldaps", 112}, {873, "rsync", 166}, {902, "vsphere", 28}, {989, "ftps-data", 0},
	{990, "ftps", 0}, {993, "imaps", 51}, {995, "pop3s", 23}, {1080, "socks", 172}, {1194, "openvpn", 159},
	{1433, "ms-sql", 114}, {1434, "ms-sql-m", 114}, {1521, "oracle", 167}, {1701, "l2tp", 0}, {1812, "radius", 146},
	{1813, "radius-acct", 146}, {1883, "mqtt", 222}, {2049, "nfs", 11}, {2055, "netflow", 128}, {2181, "zookeeper", 0},
	{2375, "docker", 0}, {2376, "docker-tls", 0}, {2379, "etcd", 0}, {2380, "etcd-peer", 0}, {3000, "grafana", 0},
	{3128, "squid", 0}, {3260, "iscsi", 0}, {3268, "globalcat", 112}, {3269, "globalcat-tls", 112}, {3306, "mysql", 20},
	{3389, "rdp", 88}, {3478, "stun", 78}, {4369, "epmd", 0}, {4500, "ipsec-nat-t", 79}, {4739, "ipfix", 128},
	{4789, "vxlan", 0}, {5044, "beats", 0}, {5060, "sip", 100}, {5061, "sips", 100}, {5201, "iperf3", 0},
	{5222, "xmpp", 67}, {5353, "mdns", 8}, {5355, "llmnr", 154}, {5432, "postgresql", 19}, {5601, "kibana", 0},
	{5666, "nrpe", 0}, {5671, "amqps", 192}, {5672, "amqp", 192}, {5900, "vnc", 89}, {5985, "winrm", 0},
	{5986, "winrm-tls", 0}, {6343, "sflow", 129}, {6379, "redis", 182}, {6443, "kubernetes", 0}, {6514, "syslog-tls", 0},
	{8000, "http-alt", 7}, {8006, "proxmox", 0}, {8008, "http-alt", 7}, {8080, "http-alt", 7}, {8086, "influxdb", 7},
	{8123, "clickhouse", 7}, {8125, "statsd", 0}, {8181, "http-alt", 7}, {8443, "https-alt", 91}, {8472, "vxlan", 0},
	{8500, "consul", 0}, {8888, "http-alt", 7}, {9000, "clickhouse", 0}, {9080, "http-alt", 7}, {9090, "prometheus", 7},
	{9091, "pushgateway", 7}, {9092, "kafka", 0}, {9093, "alertmanager", 7}, {9100, "node-exporter", 7}, {9200, "elasticsearch", 7},
	{9300, "elasticsearch", 0}, {9418, "git", 226}, {10050, "zabbix-agent", 0}, {10051, "zabbix", 0}, {10250, "kubelet", 0},
	{11211, "memcached", 40}, {15672, "rabbitmq", 7}, {27017, "mongodb", 0}, {32400, "plex", 0}, {51820, "wireguard", 206},
}

func find(port uint16) (service, bool) {
	i, ok := slices.BinarySearchFunc(services, port, func(s service, p uint16) int { return int(s.port) - int(p) })
	if !ok {
		return service{}, false
	}
	return services[i], true
}

// ServiceName returns the usual name of a server port, "" if there is none.
func ServiceName(proto flow.Proto, port uint16) string {
	if s, ok := find(port); ok && proto.HasPorts() {
		return s.name
	}
	return ""
}

// Registered reports whether servers are known to listen on a port.
func Registered(proto flow.Proto, port uint16) bool { return ServiceName(proto, port) != "" }

// GuessApp returns what usually runs on a server port, as a guess; zero if
// nothing is known to.
func GuessApp(proto flow.Proto, serverPort uint16) flow.App {
	switch proto {
	case flow.ICMP:
		return flow.App{Master: 81}
	case flow.ICMPv6:
		return flow.App{Master: 102}
	}
	if s, ok := find(serverPort); ok && s.app != 0 && proto.HasPorts() {
		return flow.App{Master: s.app, Guess: true}
	}
	return flow.App{}
}

// AppName returns the application's name as nDPI prints it, "TLS" or
// "TLS.Google"; "" for the zero App and for numbers that have no name.
func AppName(a flow.App) string {
	master, app := appName(a.Master), appName(a.App)
	switch {
	case app == "" || a.App == a.Master:
		return master
	case master == "":
		return app
	}
	return master + "." + app
}

func appName(id uint16) string {
	if id == 0 || int(id) >= len(appNames) {
		return ""
	}
	return appNames[id]
}

// AppIDs returns the numbers of the applications of that name, without case;
// none if there is no such name.
func AppIDs(name string) []uint16 {
	if strings.EqualFold(name, "unknown") {
		return []uint16{0}
	}
	var ids []uint16
	for id, n := range appNames {
		if id > 0 && strings.EqualFold(n, name) {
			ids = append(ids, uint16(id))
		}
	}
	return ids
}
