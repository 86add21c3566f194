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
	kind   string // parquet, mariadb or clickhouse
	folder string // of parquet
	url    *url.URL
}

// ParseStore reads a folder, parquet:///folder, mariadb://user:password@host/db
// or clickhouse://user:password@host/db. Errors do not repeat the text, since it
// may hold a password.
func ParseStore(text string) (StoreURL, error) {
	if strings.ContainsRune(text, 0) {
		return StoreURL{}, errors.New("holds a zero byte")
	}
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		if kind, _, found := strings.Cut(text, ";"); found && slices.Contains(dumpKinds, kind) {
			return StoreURL{}, hintError{errors.New("is a target of ntopng's -F"), "give it to --dump-flows, or write mariadb://user:password@host/database"}
		}
		return StoreURL{kind: "parquet", folder: text}, nil
	}
	kind := storeKinds[strings.ToLower(scheme)]
	switch kind {
	case "":
		return StoreURL{}, hintError{errors.New("unknown kind of store"), "have: a folder, parquet://, mariadb://, clickhouse://"}
	case "parquet":
		if !strings.HasPrefix(rest, "/") {
			return StoreURL{}, hintError{errors.New("the folder is not absolute"), "write parquet:///var/lib/portolan, with three slashes"}
		}
		return StoreURL{kind: kind, folder: rest}, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return StoreURL{}, hintError{errors.New("is no URL"), "in a password, write %40 for @, %3A for :, %2F for /, %25 for %"}
	}
	u.Scheme = kind
	if u.Host == "" && u.Query().Get("socket") == "" {
		return StoreURL{}, hintError{errors.New("names no host"), "write " + kind + "://user:password@host/database"}
	}
	if strings.Trim(u.Path, "/") == "" || u.Fragment != "" {
		return StoreURL{}, hintError{errors.New("names no database"), "write " + kind + "://user:password@host/database"}
	}
	return StoreURL{kind: kind, url: u}, nil
}

// Kind is parquet, mariadb or clickhouse; empty for the zero StoreURL.
func (s StoreURL) Kind() string { return s.kind }

// Folder is where a parquet store lies, else empty.
func (s StoreURL) Folder() string { return s.folder }

// Reveal returns the folder or the URL with its password: for the one who
// connects, not for people.
func (s StoreURL) Reveal() string {
	if s.url == nil {
		return s.folder
	}
	return s.url.String()
}

// String hides passwords.
func (s StoreURL) String() string {
	if s.url == nil {
		return s.folder
	}
	var b strings.Builder
	b.WriteString(s.url.Scheme + "://")
	if u := s.url.User; u != nil {
		b.WriteString(url.User(u.Username()).String())
		if _, set := u.Password(); set {
			b.WriteString(":" + hidden)
		}
		b.WriteString("@")
	}
	b.WriteString(s.url.Host + s.url.EscapedPath())
	separator := "?"
	for pair := range strings.SplitSeq(s.url.RawQuery, "&") {
		if key, _, found := strings.Cut(pair, "="); found && isSecret(key) {
			pair = key + "=" + hidden
		}
		if pair != "" {
			b.WriteString(separator + pair)
			separator = "&"
		}
	}
	return b.String()
}

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
