package l7

import "github.com/portolan/portolan/internal/flow"

// nDPI's numbers of applications that ports stand for.
const (
	appFTPControl   = 1
	appPOP3         = 2
	appSMTP         = 3
	appIMAP         = 4
	appDNS          = 5
	appIPP          = 6
	appHTTP         = 7
	appMDNS         = 8
	appNTP          = 9
	appNetBIOS      = 10
	appNFS          = 11
	appSSDP         = 12
	appBGP          = 13
	appSNMP         = 14
	appXDMCP        = 15
	appSMB1         = 16
	appSyslog       = 17
	appDHCP         = 18
	appPostgreSQL   = 19
	appMySQL        = 20
	appPOP3S        = 23
	appCoAP         = 27
	appVMware       = 28
	appSMTPS        = 29
	appMemcached    = 40
	appSMB23        = 41
	appModbus       = 44
	appRTSP         = 50
	appIMAPS        = 51
	appMongoDB      = 60
	appIRC          = 65
	appJabber       = 67
	appNATS         = 68
	appVRRP         = 73
	appTelnet       = 77
	appSTUN         = 78
	appIPsec        = 79
	appGRE          = 80
	appICMP         = 81
	appIGMP         = 82
	appEGP          = 83
	appSCTP         = 84
	appOSPF         = 85
	appIPinIP       = 86
	appRDP          = 88
	appVNC          = 89
	appTLS          = 91
	appSSH          = 92
	appUsenet       = 93
	appTFTP         = 96
	appAFP          = 97
	appSIP          = 100
	appICMPv6       = 102
	appDHCPv6       = 103
	appKerberos     = 111
	appLDAP         = 112
	appMSSQL        = 114
	appPPTP         = 115
	appSkypeTeams   = 125
	appDCERPC       = 127
	appNetFlow      = 128
	appSFlow        = 129
	appHTTPProxy    = 131
	appCitrix       = 132
	appCheckmk      = 138
	appAJP          = 139
	appRADIUS       = 146
	appTeamViewer   = 148
	appWSD          = 153
	appLLMNR        = 154
	appH323         = 158
	appOpenVPN      = 159
	appRsync        = 166
	appOracle       = 167
	appWhois        = 170
	appCollectd     = 171
	appSOCKS        = 172
	appFTPData      = 175
	appRedis        = 182
	appQUIC         = 188
	appAMQP         = 192
	appDoHDoT       = 196
	appWireGuard    = 206
	appTeredo       = 214
	appMicrosoft365 = 219
	appMQTT         = 222
	appGit          = 226
	appDiameter     = 237
	appDNP3         = 244
	appIEC60870     = 245
	appCAPWAP       = 247
	appZabbix       = 248
	appS7           = 249
	appTeams        = 250
	appCassandra    = 264
	appGTPU         = 271
	appGTPC         = 272
	appEtherNetIP   = 278
)

// GuessApp returns the application that usually runs on a server's port, with
// Guess set, or the zero App if there is no usual one. For IP protocols without
// ports it returns what the protocol number says; that is not a guess. It does
// not allocate.
func GuessApp(proto flow.Proto, port uint16) flow.App {
	switch proto {
	case flow.ICMP:
		return flow.App{Master: appICMP}
	case flow.IGMP:
		return flow.App{Master: appIGMP}
	case 4, 41:
		return flow.App{Master: appIPinIP}
	case 8:
		return flow.App{Master: appEGP}
	case flow.GRE:
		return flow.App{Master: appGRE}
	case flow.ESP, flow.AH:
		return flow.App{Master: appIPsec}
	case flow.ICMPv6:
		return flow.App{Master: appICMPv6}
	case flow.OSPF:
		return flow.App{Master: appOSPF}
	case flow.VRRP:
		return flow.App{Master: appVRRP}
	case flow.SCTP:
		return flow.App{Master: appSCTP}
	case flow.TCP:
		return guessed(tcpApps[port])
	case flow.UDP, flow.UDPLite:
		return guessed(udpApps[port])
	}
	return flow.App{}
}

func guessed(a portApp) flow.App {
	return flow.App{Master: a.master, App: a.app, Guess: a.master != 0}
}

// A portApp is what usually runs on a port; app is 0 if master is all.
type portApp struct{ master, app uint16 }

var tcpApps = map[uint16]portApp{
	20: {master: appFTPData}, 21: {master: appFTPControl}, 22: {master: appSSH}, 23: {master: appTelnet},
	25: {master: appSMTP}, 43: {master: appWhois}, 53: {master: appDNS}, 80: {master: appHTTP}, 88: {master: appKerberos},
	102: {master: appS7}, 110: {master: appPOP3}, 119: {master: appUsenet}, 135: {master: appDCERPC}, 139: {master: appNetBIOS},
	143: {master: appIMAP}, 179: {master: appBGP}, 389: {master: appLDAP}, 443: {master: appTLS}, 445: {master: appSMB23},
	464: {master: appKerberos}, 465: {master: appSMTPS}, 502: {master: appModbus}, 514: {master: appSyslog}, 548: {master: appAFP},
	554: {master: appRTSP}, 587: {master: appSMTP}, 631: {master: appIPP}, 636: {appTLS, appLDAP}, 853: {appTLS, appDoHDoT},
	873: {master: appRsync}, 902: {master: appVMware}, 993: {master: appIMAPS}, 995: {master: appPOP3S}, 1080: {master: appSOCKS},
	1194: {master: appOpenVPN}, 1433: {master: appMSSQL}, 1494: {master: appCitrix}, 1521: {master: appOracle}, 1720: {master: appH323},
	1723: {master: appPPTP}, 1883: {master: appMQTT}, 2049: {master: appNFS}, 2404: {master: appIEC60870}, 2598: {master: appCitrix},
	3128: {master: appHTTPProxy}, 3268: {master: appLDAP}, 3269: {appTLS, appLDAP}, 3306: {master: appMySQL}, 3389: {master: appRDP},
	3868: {master: appDiameter}, 4222: {master: appNATS}, 5060: {master: appSIP}, 5061: {appTLS, appSIP}, 5222: {master: appJabber},
	5269: {master: appJabber}, 5432: {master: appPostgreSQL}, 5671: {appTLS, appAMQP}, 5672: {master: appAMQP}, 5900: {master: appVNC},
	5901: {master: appVNC}, 5938: {master: appTeamViewer}, 5985: {master: appHTTP}, 5986: {master: appTLS}, 6379: {master: appRedis},
	6443: {master: appTLS}, 6514: {appTLS, appSyslog}, 6556: {master: appCheckmk}, 6667: {master: appIRC}, 8000: {master: appHTTP},
	8008: {master: appHTTP}, 8009: {master: appAJP}, 8080: {master: appHTTP}, 8086: {master: appHTTP}, 8443: {master: appTLS},
	8883: {appTLS, appMQTT}, 9042: {master: appCassandra}, 9090: {master: appHTTP}, 9200: {master: appHTTP}, 9418: {master: appGit},
	9443: {master: appTLS}, 10050: {master: appZabbix}, 10051: {master: appZabbix}, 11211: {master: appMemcached},
	20000: {master: appDNP3}, 27017: {master: appMongoDB}, 44818: {master: appEtherNetIP},
}

var udpApps = map[uint16]portApp{
	53: {master: appDNS}, 67: {master: appDHCP}, 68: {master: appDHCP}, 69: {master: appTFTP}, 80: {master: appQUIC},
	88: {master: appKerberos}, 123: {master: appNTP}, 137: {master: appNetBIOS}, 138: {master: appNetBIOS}, 161: {master: appSNMP},
	162: {master: appSNMP}, 177: {master: appXDMCP}, 389: {master: appLDAP}, 443: {master: appQUIC}, 464: {master: appKerberos},
	500: {master: appIPsec}, 514: {master: appSyslog}, 546: {master: appDHCPv6}, 547: {master: appDHCPv6}, 902: {master: appVMware},
	1194: {master: appOpenVPN}, 1434: {master: appMSSQL}, 1645: {master: appRADIUS}, 1646: {master: appRADIUS}, 1812: {master: appRADIUS},
	1813: {master: appRADIUS}, 1900: {master: appSSDP}, 2049: {master: appNFS}, 2055: {master: appNetFlow}, 2123: {master: appGTPC},
	2152: {master: appGTPU}, 3389: {master: appRDP}, 3478: {master: appSTUN}, 3544: {master: appTeredo}, 3702: {master: appWSD},
	4500: {master: appIPsec}, 4739: {master: appNetFlow}, 5060: {master: appSIP}, 5246: {master: appCAPWAP}, 5247: {master: appCAPWAP},
	5353: {master: appMDNS}, 5355: {master: appLLMNR}, 5683: {master: appCoAP}, 6343: {master: appSFlow}, 9995: {master: appNetFlow},
	9996: {master: appNetFlow}, 11211: {master: appMemcached}, 20000: {master: appDNP3}, 25826: {master: appCollectd},
	44818: {master: appEtherNetIP}, 51820: {master: appWireGuard},
}
