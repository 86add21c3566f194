package chart

import (
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// A Style is how one family looks on a light page: #rrggbb.
type Style struct{ Line, Fill string }

// styles holds the colours of every family. They were chosen to stay apart for
// people who do not tell red from green; Fill is 9 % of Line on white.
var styles = [...]Style{
	Other:     {"#3f6b1f", "#eef2eb"},
	Web:       {"#1f63d6", "#ebf1fb"},
	Database:  {"#7a45c4", "#f3eefa"},
	File:      {"#925200", "#f6f0e8"},
	Messaging: {"#0b7a6b", "#e9f3f2"},
	Mail:      {"#b8326f", "#f9edf2"},
	Admin:     {"#c0341d", "#f9edeb"},
	Core:      {"#5c6879", "#f0f2f4"},
	Neutral:   {"#4a5568", "#ffffff"},
}

// Style returns the colours of f.
func (f Family) Style() Style {
	if int(f) >= len(styles) {
		f = Other
	}
	return styles[f]
}

var familyNames = [...]string{
	Other: "Other", Web: "Web", Database: "Database", File: "File and backup",
	Messaging: "Cache and queue", Mail: "Mail", Admin: "Remote admin", Core: "Core services", Neutral: "",
}

// String returns the family's name for a legend.
func (f Family) String() string {
	if int(f) >= len(familyNames) {
		return familyNames[Other]
	}
	return familyNames[f]
}

var familyPorts = map[uint16]Family{
	80: Web, 443: Web, 591: Web, 3000: Web, 3128: Web, 4000: Web, 5000: Web, 5601: Web, 7777: Web, 8000: Web, 8008: Web,
	8080: Web, 8081: Web, 8088: Web, 8181: Web, 8443: Web, 8888: Web, 9443: Web, 32400: Web,
	1433: Database, 1434: Database, 1521: Database, 1527: Database, 3050: Database, 3306: Database, 5432: Database,
	5433: Database, 6432: Database, 7000: Database, 7474: Database, 7687: Database, 8086: Database, 8123: Database,
	9000: Database, 9042: Database, 9160: Database, 9200: Database, 9300: Database, 27017: Database, 27018: Database,
	50000: Database, 26257: Database,
	20: File, 21: File, 69: File, 111: File, 137: File, 138: File, 139: File, 445: File, 548: File, 873: File, 902: File,
	989: File, 990: File, 2049: File, 3260: File, 9101: File, 9102: File, 9103: File, 10000: File, 13724: File, 20048: File,
	1883: Messaging, 2181: Messaging, 4222: Messaging, 5222: Messaging, 5269: Messaging, 5671: Messaging, 5672: Messaging,
	6379: Messaging, 8883: Messaging, 9092: Messaging, 11211: Messaging, 15672: Messaging, 61613: Messaging, 61616: Messaging,
	25: Mail, 110: Mail, 143: Mail, 465: Mail, 587: Mail, 993: Mail, 995: Mail, 4190: Mail,
	22: Admin, 23: Admin, 512: Admin, 513: Admin, 623: Admin, 2222: Admin, 3389: Admin, 5800: Admin, 5900: Admin,
	5901: Admin, 5985: Admin, 5986: Admin, 8291: Admin,
	42: Core, 53: Core, 67: Core, 68: Core, 88: Core, 123: Core, 135: Core, 161: Core, 162: Core, 389: Core, 464: Core,
	514: Core, 546: Core, 547: Core, 636: Core, 853: Core, 1812: Core, 1813: Core, 1900: Core, 2055: Core, 3268: Core,
	3269: Core, 3478: Core, 4739: Core, 5044: Core, 5353: Core, 5355: Core, 5666: Core, 6343: Core, 6514: Core, 9090: Core,
	9091: Core, 9093: Core, 9100: Core, 9104: Core, 9115: Core, 9182: Core, 9995: Core, 10050: Core, 10051: Core,
}

// familyWords tells the family of a service on an unusual port by its name.
var familyWords = []struct {
	word   string
	family Family
}{
	{"http", Web}, {"quic", Web}, {"sql", Database}, {"mongo", Database}, {"oracle", Database}, {"influx", Database},
	{"smb", File}, {"nfs", File}, {"ftp", File}, {"backup", File}, {"iscsi", File}, {"rsync", File},
	{"mqtt", Messaging}, {"amqp", Messaging}, {"kafka", Messaging}, {"redis", Messaging}, {"memcache", Messaging},
	{"smtp", Mail}, {"imap", Mail}, {"pop3", Mail}, {"ssh", Admin}, {"rdp", Admin}, {"vnc", Admin}, {"telnet", Admin},
	{"dns", Core}, {"ntp", Core}, {"ldap", Core}, {"kerberos", Core}, {"snmp", Core}, {"syslog", Core}, {"dhcp", Core},
	{"radius", Core}, {"prometheus", Core}, {"netflow", Core}, {"ipfix", Core}, {"sflow", Core},
}

// FamilyOf returns the family of a service: by its port, or by the name when
// the port is not known.
func FamilyOf(proto flow.Proto, port uint16, name string) Family {
	if !proto.HasPorts() {
		switch proto {
		case flow.ICMP, flow.ICMPv6, flow.IGMP, flow.OSPF, flow.VRRP, flow.PIM:
			return Core
		}
		return Other
	}
	if f, ok := familyPorts[port]; ok {
		return f
	}
	name = strings.ToLower(name)
	for _, w := range familyWords {
		if strings.Contains(name, w.word) {
			return w.family
		}
	}
	return Other
}
