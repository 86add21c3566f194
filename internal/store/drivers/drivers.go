// Package drivers opens stores of every kind by their address.
package drivers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/clickhouse"
	"github.com/portolan/portolan/internal/store/mariadb"
	"github.com/portolan/portolan/internal/store/parquet"
)

// Options say how a store is opened. The zero value writes.
type Options struct {
	ReadOnly bool
	// SealAfter is how long records wait in memory at the most; 0 = until
	// Flush, or until there are many.
	SealAfter time.Duration
	// Instance is what the writer is called, where a store keeps that.
	Instance string
}

// IsFolder reports whether address is that of an embedded store, and its
// folder: a path, or parquet:// and a path.
func IsFolder(address string) (folder string, ok bool) {
	scheme, rest, found := strings.Cut(address, "://")
	switch {
	case !found:
		return address, true
	case scheme == "parquet":
		return rest, true
	}
	return "", false
}

// Open opens the store at address: a folder, parquet:///folder,
// mariadb://user:password@host/database or
// clickhouse://user:password@host/database. Errors do not hold the password.
func Open(ctx context.Context, address string, o Options) (store.Store, error) {
	if folder, ok := IsFolder(address); ok {
		return parquet.Open(folder, parquet.Options{ReadOnly: o.ReadOnly, SealAfter: o.SealAfter})
	}
	switch scheme, _, _ := strings.Cut(address, "://"); scheme {
	case "mariadb", "mysql":
		c, err := mariadb.Parse(address)
		if err != nil {
			return nil, err
		}
		c.ReadOnly, c.FlushAge = o.ReadOnly, o.SealAfter
		if c.Instance == "" {
			c.Instance = o.Instance
		}
		return mariadb.Open(ctx, c)
	case "clickhouse":
		c, err := clickhouse.Parse(address)
		if err != nil {
			return nil, err
		}
		c.ReadOnly = c.ReadOnly || o.ReadOnly
		return clickhouse.OpenConfig(ctx, c)
	default:
		return nil, fmt.Errorf("store %s://...: unknown kind of store: have a folder, mariadb://, clickhouse://", scheme)
	}
}
