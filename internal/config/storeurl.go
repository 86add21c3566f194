package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

// hidden stands for a password.
const hidden = "***"

// storeKinds are the schemes of store URLs, with what each is.
var storeKinds = map[string]string{
	"parquet":    "parquet",
	"file":       "parquet",
	"mariadb":    "mariadb",
	"mysql":      "mariadb",
	"clickhouse": "clickhouse",
}

// A StoreURL says where flows are kept: a folder, or a database. It prints
// without its password, whatever it is printed with; Reveal has it.
type StoreURL struct {
	kind  string // parquet, mariadb or clickhouse
	text  string // folder or URL
	shown string // the same without passwords
}

// ParseStore reads a folder, parquet:///folder, mariadb://user:password@host/db
// or clickhouse://user:password@host,host/db. What may stand behind a question
// mark is up to the store. Errors do not repeat the text, since it may hold a
// password.
func ParseStore(text string) (StoreURL, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return StoreURL{}, errors.New("holds a control character")
	}
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		if kind, _, found := strings.Cut(text, ";"); found && slices.Contains(dumpKinds, kind) {
			return StoreURL{}, hintf("give it to --dump-flows, or write mariadb://user:password@host/database", "is a target of ntopng's -F")
		}
		return folderStore(text), nil
	}
	kind := storeKinds[strings.ToLower(scheme)]
	switch kind {
	case "":
		return StoreURL{}, hintf("have: a folder, parquet://, mariadb://, clickhouse://", "unknown kind of store")
	case "parquet":
		if !strings.HasPrefix(rest, "/") {
			return StoreURL{}, hintf("write parquet:///var/lib/portolan, with three slashes", "the folder is not absolute")
		}
		return folderStore(rest), nil
	}
	return parseDatabase(kind, rest)
}

// folderStore is a parquet store.
func folderStore(folder string) StoreURL { return StoreURL{"parquet", folder, folder} }

// parseDatabase reads what stands behind "mariadb://". Several hosts may stand
// there, which net/url does not know.
func parseDatabase(kind, rest string) (StoreURL, error) {
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	at := strings.LastIndexByte(authority, '@') + 1
	hosts := authority[at:]
	u, err := url.Parse(kind + "://" + authority[:at] + "host" + path)
	// An @ behind the first / is one of a password that was not encoded.
	if err != nil || strings.Count(rest, "@") > 1 || strings.Contains(path, "@") || !areHosts(hosts) {
		return StoreURL{}, hintf("in a password, write %40 for @, %3A for :, %2F for /, %25 for %", "is no URL")
	}
	form := "write " + kind + "://user:password@host/database"
	if hosts == "" && u.Query().Get("socket") == "" {
		return StoreURL{}, hintf(form, "names no host")
	}
	if strings.Trim(u.Path, "/") == "" || u.Fragment != "" {
		return StoreURL{}, hintf(form, "names no database")
	}
	return StoreURL{kind, kind + "://" + authority + path, kind + "://" + shownUser(u.User) + hosts + u.EscapedPath() + shownQuery(u.RawQuery)}, nil
}

// areHosts reports whether each of hosts is a name or an address, with or
// without a port. None at all are hosts, too.
func areHosts(hosts string) bool {
	for host := range strings.SplitSeq(hosts, ",") {
		u, err := url.Parse("//" + host)
		if err != nil || u.Host != host || strings.ContainsAny(host, " \"<>\\^`{|}") {
			return false
		}
	}
	return true
}

// shownUser is user:***@, or nothing.
func shownUser(u *url.Userinfo) string {
	if u == nil {
		return ""
	}
	name := url.User(u.Username()).String()
	if _, set := u.Password(); set {
		name += ":" + hidden
	}
	return name + "@"
}

// shownQuery is the query of a URL with its question mark and without secrets.
func shownQuery(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if key, _, found := strings.Cut(pair, "="); found && isSecret(key) {
			pairs[i] = key + "=" + hidden
		}
	}
	return "?" + strings.Join(pairs, "&")
}

// Kind is parquet, mariadb or clickhouse; empty for the zero StoreURL.
func (s StoreURL) Kind() string { return s.kind }

// Folder is where a parquet store lies, else empty.
func (s StoreURL) Folder() string {
	if s.kind == "parquet" {
		return s.text
	}
	return ""
}

// Reveal returns the folder or the URL with its password: for the one who
// connects, not for people.
func (s StoreURL) Reveal() string { return s.text }

// String hides passwords.
func (s StoreURL) String() string { return s.shown }

// isSecret reports whether a parameter of a URL is not for everybody's eyes.
func isSecret(key string) bool {
	if plain, err := url.QueryUnescape(key); err == nil {
		key = plain
	}
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"pass", "pw", "secret", "token", "key"}, func(s string) bool { return strings.Contains(key, s) })
}

// GoString hides passwords from %#v.
func (s StoreURL) GoString() string { return fmt.Sprintf("config.StoreURL(%q)", s.String()) }

// MarshalText hides passwords from JSON and the like.
func (s StoreURL) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides passwords from logs.
func (s StoreURL) LogValue() slog.Value { return slog.StringValue(s.String()) }
