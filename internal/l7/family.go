package l7

import "github.com/portolan/portolan/internal/flow"

// A Family groups services that people think of together: the one thing that
// colour means on a chart.
type Family uint8

const (
	Other     Family = iota
	Web              // HTTP in all its forms
	Database         // relational, document, time series, search
	File             // files, blocks, backup
	Messaging        // caches and queues
	Mail
	Admin // remote shells and desktops
	Core  // DNS, NTP, directory, monitoring
)

var familyNames = [...]string{
	Other: "other", Web: "web", Database: "database", File: "file",
	Messaging: "messaging", Mail: "mail", Admin: "admin", Core: "core",
}

// String returns the family's word in filters and files.
func (f Family) String() string {
	if int(f) >= len(familyNames) {
		return familyNames[Other]
	}
	return familyNames[f]
}

// FamilyOf returns the family of a service. The port decides if it is a usual
// one and the application was guessed or is unknown; an application that was
// seen decides before the port, unless it only carries something else, as TLS
// and HTTP do.
func FamilyOf(proto flow.Proto, port uint16, app flow.App) Family {
	if !app.Guess {
		for _, id := range []uint16{app.App, app.Master} {
			if f, ok := appFamilies[id]; ok {
				return f
			}
		}
	}
	if !proto.HasPorts() {
		switch proto {
		case flow.ICMP, flow.ICMPv6, flow.IGMP, flow.OSPF, flow.VRRP, flow.PIM:
			return Core
		}
		return Other
	}
	if f, ok := portFamilies[port]; ok {
		return f
	}
	switch app.Master {
	case appHTTP, appHTTPProxy, appTLS, appQUIC:
		return Web
	}
	return Other
}

// appFamilies holds applications that tell the family whatever the port is.
// What is not here is told by the port.
var appFamilies = map[uint16]Family{
	appPostgreSQL: Database, appMySQL: Database, appMSSQL: Database, appOracle: Database, appMongoDB: Database, appCassandra: Database,
	appFTPControl: File, appFTPData: File, appNFS: File, appSMB1: File, appSMB23: File, appAFP: File, appTFTP: File, appRsync: File,
	appRedis: Messaging, appMemcached: Messaging, appAMQP: Messaging, appMQTT: Messaging, appNATS: Messaging,
	appSMTP: Mail, appSMTPS: Mail, appPOP3: Mail, appPOP3S: Mail, appIMAP: Mail, appIMAPS: Mail,
	appSSH: Admin, appTelnet: Admin, appRDP: Admin, appVNC: Admin, appTeamViewer: Admin, appXDMCP: Admin,
	appDNS: Core, appMDNS: Core, appLLMNR: Core, appNTP: Core, appDHCP: Core, appDHCPv6: Core, appSNMP: Core, appSyslog: Core,
	appSSDP: Core, appKerberos: Core, appLDAP: Core, appRADIUS: Core, appNetFlow: Core, appSFlow: Core, appZabbix: Core,
	appCheckmk: Core, appCollectd: Core, appDoHDoT: Core, appBGP: Core, appNetBIOS: Core,
}

var portFamilies = map[uint16]Family{
	80: Web, 443: Web, 591: Web, 3000: Web, 3128: Web, 4000: Web, 5000: Web, 5601: Web, 7777: Web, 8000: Web, 8006: Web, 8008: Web,
	8080: Web, 8081: Web, 8088: Web, 8181: Web, 8443: Web, 8888: Web, 9443: Web, 32400: Web,
	1433: Database, 1434: Database, 1521: Database, 1527: Database, 3050: Database, 3306: Database, 5432: Database,
	5433: Database, 6432: Database, 7000: Database, 7474: Database, 7687: Database, 8086: Database, 8123: Database,
	9000: Database, 9042: Database, 9160: Database, 9200: Database, 9300: Database, 26257: Database, 27017: Database,
	27018: Database, 50000: Database,
	20: File, 21: File, 69: File, 111: File, 137: File, 138: File, 139: File, 445: File, 548: File, 873: File, 902: File,
	989: File, 990: File, 2049: File, 3260: File, 9101: File, 9102: File, 9103: File, 9392: File, 10000: File, 13724: File, 20048: File,
	1883: Messaging, 2181: Messaging, 4222: Messaging, 5222: Messaging, 5269: Messaging, 5671: Messaging, 5672: Messaging,
	6379: Messaging, 8883: Messaging, 9092: Messaging, 11211: Messaging, 15672: Messaging, 61613: Messaging, 61616: Messaging,
	25: Mail, 110: Mail, 143: Mail, 465: Mail, 587: Mail, 993: Mail, 995: Mail, 4190: Mail,
	22: Admin, 23: Admin, 512: Admin, 513: Admin, 623: Admin, 2222: Admin, 3389: Admin, 5800: Admin, 5900: Admin,
	5901: Admin, 5985: Admin, 5986: Admin, 8291: Admin,
	42: Core, 53: Core, 67: Core, 68: Core, 88: Core, 123: Core, 135: Core, 161: Core, 162: Core, 389: Core, 464: Core,
	514: Core, 546: Core, 547: Core, 636: Core, 853: Core, 1812: Core, 1813: Core, 1900: Core, 2055: Core, 2379: Core, 2380: Core,
	3268: Core, 3269: Core, 3478: Core, 4739: Core, 5044: Core, 5353: Core, 5355: Core, 5666: Core, 6343: Core, 6443: Core,
	6514: Core, 9090: Core, 9091: Core, 9093: Core, 9100: Core, 9104: Core, 9115: Core, 9182: Core, 9995: Core, 9996: Core,
	10050: Core, 10051: Core, 10250: Core,
}
