package l7

import (
	"strings"

	"github.com/portolan/portolan/internal/flow"
)

// AppName returns the name of an application as nDPI writes it: "TLS",
// "TLS.Google". It is "" for an unknown one.
func AppName(a flow.App) string {
	master, app := appName(a.Master), appName(a.App)
	switch {
	case master == "":
		return app
	case app == "" || a.App == a.Master:
		return master
	}
	return master + "." + app
}

func appName(id uint16) string {
	if id == 0 || int(id) >= len(appNames) {
		return ""
	}
	return appNames[id]
}

// appAliases are words that nDPI has no name for, in lower case.
var appAliases = map[string][]uint16{
	"cifs":      {appSMB1, appSMB23},
	"ftp":       {appFTPControl, appFTPData},
	"icmp6":     {appICMPv6},
	"ipfix":     {appNetFlow},
	"memcache":  {appMemcached},
	"mssql":     {appMSSQL},
	"office365": {appMicrosoft365},
	"pop3s":     {appPOP3S},
	"postgres":  {appPostgreSQL},
	"rfb":       {appVNC},
	"smb":       {appSMB1, appSMB23},
	"sqlserver": {appMSSQL},
	"ssl":       {appTLS},
	"teams":     {appTeams, appSkypeTeams},
	"whois":     {appWhois},
	"xmpp":      {appJabber},
}

// AppIDs returns nDPI's numbers of what name stands for, upper and lower case
// alike: "dns" is 5, "smb" is 16 and 41, "unknown" is 0. It returns nil if
// there is no such name.
func AppIDs(name string) []uint16 {
	ids := append([]uint16(nil), appAliases[strings.ToLower(name)]...)
	if len(ids) > 0 {
		return ids
	}
	for id, s := range appNames {
		if strings.EqualFold(s, name) {
			ids = append(ids, uint16(id))
		}
	}
	return ids
}
