package config

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// dumpKinds are the targets that ntopng's -F knows.
var dumpKinds = []string{"mysql", "mysql-nprobe", "clickhouse", "clickhouse-cluster", "es", "logstash", "syslog", "nindex", "kafka"}

// dumpFlows makes a store of the value of ntopng's -F. Errors and notes do not
// repeat it: it holds a password.
func dumpFlows(text string) (effect, error) {
	const instead = "write -F=\"mysql;host;database;user;password\", or store: mariadb://user:password@host/database"
	kind, rest, _ := strings.Cut(text, ";")
	fields := strings.Split(rest, ";")
	switch kind {
	case "mysql":
		return dumpMySQL(fields)
	case "clickhouse":
		return dumpClickHouse(fields, false)
	case "clickhouse-cluster":
		return dumpClickHouse(fields, true)
	case "mysql-nprobe":
		return effect{}, hintf("leave it out, and name an interface", "Portolan does not read the tables of nProbe")
	case "es", "logstash", "syslog", "kafka":
		return effect{}, hintf("leave it out for a store of Portolan's own; or "+instead, "Portolan does not write flows to %s", kind)
	case "db":
		return effect{note: "Portolan's own store takes the place of SQLite"}, nil
	case "nindex":
		return effect{}, hintf("leave it out: Portolan's own store takes its place", "Portolan does not write nIndex")
	}
	return effect{}, hintf(instead, "unknown kind of target: have mysql and clickhouse")
}

// dumpMySQL reads host;database;user;password, or host;database;prefix of the
// tables;user;password as before ntopng 5.2.
func dumpMySQL(fields []string) (effect, error) {
	const forms = "write mysql;host;database;user;password, or mysql;host;database;tables;user;password"
	prefix, note := "", ""
	switch len(fields) {
	case 4:
	case 5:
		prefix = fields[2]
		fields = []string{fields[0], fields[1], fields[3], fields[4]}
		note = "read as host, database, tables, user, password, the form before ntopng 5.2"
	default:
		return effect{}, hintf(forms+"; for a password with semicolons, store: mariadb://…", "mysql: %d fields are too many or too few", len(fields)+1)
	}
	u, err := databaseURL("mariadb", fields, func(u *url.URL, port string, secure bool) {
		query := url.Values{}
		if strings.HasPrefix(fields[0], "/") {
			query.Set("socket", fields[0])
		} else if u.Host = fields[0]; port != "" || strings.Contains(u.Host, ":") {
			u.Host = joinPort(u.Host, cmp.Or(port, "3306"))
		}
		if secure {
			query.Set("tls", "skip-verify") // as ntopng
		}
		if prefix != "" && prefix != "flows" {
			query.Set("tables", prefix)
		}
		u.RawQuery = query.Encode()
	})
	return effect{"store", u, note}, err
}

// dumpClickHouse reads host;database;user;password, and a cluster's name behind
// that. The port that ntopng is given is the one of ClickHouse's MySQL protocol,
// or the native one, a comma and that.
func dumpClickHouse(fields []string, cluster bool) (effect, error) {
	form, want, query := "clickhouse;host;database;user;password", 4, url.Values{}
	if cluster {
		form, want = "clickhouse-cluster;host;database;user;password;cluster", 5
	}
	if len(fields) != want {
		return effect{}, hintf("write "+form, "%d fields are too many or too few", len(fields)+1)
	}
	if cluster {
		query.Set("cluster", fields[4])
	}
	note := ""
	u, err := databaseURL("clickhouse", fields, func(u *url.URL, port string, secure bool) {
		native, _, both := strings.Cut(port, ",")
		if !both {
			native = map[bool]string{false: "9000", true: "9440"}[secure]
			if port != "" && port != native {
				note = "port " + port + " is that of the MySQL protocol; Portolan connects to port " + native + " for the native one"
			}
		}
		u.Host = joinPort(fields[0], native)
		if secure {
			query.Set("secure", "true")
		}
		u.RawQuery = query.Encode()
	})
	return effect{"store", u, note}, err
}

// databaseURL makes a URL of host[@port[s]], database, user and password; place
// puts in the host, which fields[0] is without its port by then.
func databaseURL(scheme string, fields []string, place func(u *url.URL, port string, secure bool)) (string, error) {
	host, port, hasPort := strings.Cut(fields[0], "@")
	port, secure := strings.CutSuffix(port, "s")
	for one := range strings.SplitSeq(port, ",") {
		if n, err := strconv.ParseUint(one, 10, 16); hasPort && (err != nil || n == 0) {
			return "", fmt.Errorf("%s: %q is no port", scheme, one)
		}
	}
	if host == "" || strings.ContainsAny(host, " \t?#") || fields[2] == "" {
		return "", hintf("write "+scheme+"://user:password@host/database", "%s: no host or no user", scheme)
	}
	fields[0] = host
	u := &url.URL{Scheme: scheme, Path: "/" + cmp.Or(fields[1], "ntopng"), User: url.User(fields[2])}
	if fields[3] != "" {
		u.User = url.UserPassword(fields[2], fields[3])
	}
	place(u, port, secure)
	return u.String(), nil
}
