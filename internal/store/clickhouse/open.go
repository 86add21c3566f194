package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/store"
)

// Open connects to the store that a DSN names (Parse), and creates its tables
// if there are none.
func Open(ctx context.Context, dsn string) (*Store, error) {
	c, err := Parse(dsn)
	if err != nil {
		return nil, err
	}
	return OpenConfig(ctx, c)
}

// OpenConfig is Open with a Config that was made by Parse, or by hand.
func OpenConfig(ctx context.Context, c Config) (_ *Store, err error) {
	s := &Store{config: c, shape: layout{
		Database: c.Database, Cluster: c.Cluster, Sync: c.Sync, TTL: c.TTL, RollupTTL: c.RollupTTL,
	}}
	var nonce [16]byte
	rand.Read(nonce[:])
	s.nonce = hex.EncodeToString(nonce[:])
	defer func() {
		if err != nil {
			s.disconnect()
		}
	}()
	if c.Create && !c.ReadOnly {
		if err := s.createDatabase(ctx); err != nil {
			return nil, c.explain(err)
		}
	}
	if s.db, err = driver.Open(c.driverOptions(c.Addrs)); err != nil {
		return nil, c.explain(err)
	}
	if err := s.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, c.explain(err)
	}
	return s, nil
}

// createDatabase creates the database where the address points to. Those of
// other shards come with the tables.
func (s *Store) createDatabase(ctx context.Context) error {
	o := s.config.driverOptions(s.config.Addrs)
	o.Auth.Database = ""
	db, err := driver.Open(o)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+s.config.Database)
}

// prepare looks at what there is, and makes it what this version needs.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return err
	}
	found, err := s.found(ctx)
	if err != nil {
		return err
	}
	if found > version {
		return fmt.Errorf("database %s is of version %d, known are those up to %d: %w", s.config.Database, found, version, store.ErrNewer)
	}
	if s.config.Cluster != "" {
		if err := s.findShards(ctx); err != nil {
			return err
		}
	}
	if s.config.ReadOnly {
		if found == 0 {
			return hinted(fmt.Errorf("database %s is empty: %w", s.config.Database, store.ErrNotStore),
				"open it once without read_only=true, by a user who may create tables")
		}
		return nil
	}
	if s.settings, err = s.knownSettings(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx, found); err != nil {
		return err
	}
	return s.setTTL(ctx)
}

// found returns the version of the tables that are there, 0 if there are none.
func (s *Store) found(ctx context.Context) (int, error) {
	rows, err := s.db.Query(ctx, "SELECT name FROM system.tables WHERE database = {p1:String}", named(1, s.config.Database))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	marked, ours := false, false
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return 0, err
		}
		marked = marked || name == "schema_version"
		ours = ours || name == "flows"
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if !marked {
		if ours {
			return 0, hinted(fmt.Errorf("database %s has a table flows that is not of this program: %w", s.config.Database, store.ErrNotStore),
				"name another database in the address: clickhouse://host/database")
		}
		return 0, nil
	}
	var found uint32
	if err := s.db.QueryRow(ctx, "SELECT max(version) FROM "+s.config.Database+".schema_version").Scan(&found); err != nil {
		return 0, err
	}
	return int(found), nil
}

// findShards asks which servers the cluster has, and whether they have a
// Keeper.
func (s *Store) findShards(ctx context.Context) error {
	rows, err := s.db.Query(ctx, `SELECT shard_num, host_name, port FROM system.clusters
		WHERE cluster = {p1:String} ORDER BY shard_num, replica_num`, named(1, s.config.Cluster))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var shard uint32
		var host string
		var port uint16
		if err := rows.Scan(&shard, &host, &port); err != nil {
			return err
		}
		s.servers = append(s.servers, server{shard: int(shard), addr: net.JoinHostPort(host, strconv.Itoa(int(port)))})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(s.servers) == 0 {
		return hinted(fmt.Errorf("the server knows no cluster %q", s.config.Cluster),
			"SELECT DISTINCT cluster FROM system.clusters lists those that it knows (remote_servers in its configuration)")
	}
	var keeper uint64
	if err := s.db.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = 'system' AND name = 'zookeeper'").Scan(&keeper); err != nil {
		return err
	}
	s.shape.OnCluster, s.shape.Replicated = keeper > 0, keeper > 0
	return nil
}

// migrate brings the tables from version found to ours. What is there already
// stays: a server that joined the cluster gets its tables, too.
func (s *Store) migrate(ctx context.Context, found int) error {
	if found == version && (s.config.Cluster == "" || s.shape.OnCluster) {
		return nil
	}
	all := []string{s.shape.mark("VIEW IF NOT EXISTS", 0)} // so that what is half done is known as ours
	if s.config.Cluster != "" {
		all = append([]string{"CREATE DATABASE IF NOT EXISTS " + s.config.Database + s.shape.onCluster()}, all...)
	}
	for n := 1; n <= version; n++ {
		statements, err := s.shape.statements(n)
		if err != nil {
			return err
		}
		all = append(all, statements...)
	}
	all = append(all, s.shape.mark("OR REPLACE VIEW", version))
	if s.config.Cluster == "" || s.shape.OnCluster {
		for _, statement := range all {
			if err := s.db.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range s.servers {
		err := s.servers[i].exec(ctx, &s.config, all...)
		if found == version && lost(err) && ctx.Err() == nil {
			continue // it is down, and has its tables
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setTTL lets the server drop old days, if that is wanted and not so already.
func (s *Store) setTTL(ctx context.Context) error {
	for _, t := range []struct {
		table, column string
		ttl           time.Duration
	}{
		{"flows", "end_time", s.config.TTL},
		{"edges_hour", "from_time", s.config.RollupTTL},
		{"edges_day", "from_time", s.config.RollupTTL},
		{"days", "from_time", s.config.RollupTTL},
	} {
		if t.ttl == 0 {
			continue
		}
		var is uint64
		err := s.db.QueryRow(ctx, "SELECT countIf(position(create_table_query, {p3:String}) > 0) FROM system.tables WHERE database = {p1:String} AND name = {p2:String}",
			named(1, s.config.Database), named(2, s.shape.localName(t.table)), named(3, fmt.Sprintf(" + toIntervalDay(%d)", days(t.ttl)))).Scan(&is)
		if err != nil {
			return err
		}
		if is > 0 {
			continue
		}
		if err := s.everywhere(ctx, "ALTER TABLE "+s.shape.local(t.table)+s.shape.onCluster()+" MODIFY TTL "+ttl(t.column, t.ttl)); err != nil {
			return err
		}
	}
	return nil
}

// everywhere runs a statement on every server. Where the servers do not pass
// statements on, each is asked.
func (s *Store) everywhere(ctx context.Context, statement string) error {
	if s.shape.OnCluster || s.config.Cluster == "" {
		return s.db.Exec(ctx, statement)
	}
	for i := range s.servers {
		if err := s.servers[i].exec(ctx, &s.config, statement); err != nil {
			return err
		}
	}
	return nil
}

// A server is one of a cluster.
type server struct {
	shard int
	addr  string
	db    nativedriver.Conn // nil until it is needed
}

// connect returns the connection to the server. The database may be missing
// there yet.
func (v *server) connect(c *Config) (nativedriver.Conn, error) {
	if v.db != nil {
		return v.db, nil
	}
	o := c.driverOptions([]string{v.addr})
	o.Auth.Database = ""
	db, err := driver.Open(o)
	v.db = db
	return db, err
}

// exec runs statements on the server.
func (v *server) exec(ctx context.Context, c *Config, statements ...string) error {
	db, err := v.connect(c)
	for _, statement := range statements {
		if err == nil {
			err = db.Exec(ctx, statement)
		}
	}
	if err != nil {
		return fmt.Errorf("shard %d, %s: %w", v.shard, v.addr, err)
	}
	return nil
}

// disconnect closes what was opened.
func (s *Store) disconnect() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	for _, v := range s.servers {
		if v.db != nil {
			errs = append(errs, v.db.Close())
		}
	}
	return errors.Join(errs...)
}

// named is the n-th parameter, {pN:Type} in a statement.
func named(n int, value any) any { return driver.Named("p"+strconv.Itoa(n), value) }
