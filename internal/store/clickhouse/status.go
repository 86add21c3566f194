package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	nativedriver "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/portolan/portolan/internal/store"
)

// A Status says what the servers hold, and which of them answer.
type Status struct {
	store.Stats
	Cluster    string         `json:"cluster,omitempty"`
	Replicated bool           `json:"replicated"`
	Waiting    int            `json:"waiting"` // records that are not written yet
	Servers    []ServerStatus `json:"servers"`
}

// A ServerStatus says how one server is.
type ServerStatus struct {
	Shard   int           `json:"shard"` // from 1; 0 without a cluster
	Addr    string        `json:"addr"`
	Version string        `json:"version"`
	Trouble string        `json:"trouble,omitempty"` // why it does not answer; "" = it does
	Tables  []TableStatus `json:"tables"`            // sorted by name
}

// A TableStatus says what a server holds of a table.
type TableStatus struct {
	Name   string `json:"name"`
	Rows   uint64 `json:"rows"`
	Bytes  uint64 `json:"bytes"`
	Parts  uint64 `json:"parts"`
	Oldest string `json:"oldest,omitempty"` // first partition: YYYYMMDD, or YYYYMM
	Latest string `json:"latest,omitempty"`
}

// Status asks every server. One that does not answer has Trouble; then there
// are no Stats if the answer to them needs it.
func (s *Store) Status(ctx context.Context) (Status, error) {
	st := Status{Cluster: s.config.Cluster, Replicated: s.shape.Replicated}
	if err := s.ready(ctx); err != nil {
		return st, err
	}
	s.mu.Lock()
	st.Waiting = len(s.records)
	for _, b := range s.sealed {
		st.Waiting += len(b.flows)
	}
	s.mu.Unlock()
	if s.config.Cluster == "" {
		st.Servers = append(st.Servers, s.serverStatus(ctx, s.db, ServerStatus{Addr: strings.Join(s.config.Addrs, ",")}))
	}
	for i := range s.servers {
		v := ServerStatus{Shard: s.servers[i].shard, Addr: s.servers[i].addr}
		db, err := s.servers[i].connect(&s.config)
		if err != nil {
			v.Trouble = err.Error()
			st.Servers = append(st.Servers, v)
			continue
		}
		st.Servers = append(st.Servers, s.serverStatus(ctx, db, v))
	}
	if ctx.Err() != nil {
		return st, ctx.Err()
	}
	if slices.ContainsFunc(st.Servers, func(v ServerStatus) bool { return v.Trouble != "" }) {
		return st, nil
	}
	var err error
	st.Stats, err = s.Stats(ctx)
	return st, err
}

// serverStatus adds to v what a server says.
func (s *Store) serverStatus(ctx context.Context, db nativedriver.Conn, v ServerStatus) ServerStatus {
	statement := `SELECT version(), table, sum(rows), sum(bytes_on_disk), count(), min(partition_id), max(partition_id) FROM system.parts
		WHERE active AND rows > 0 AND database = {p1:String} GROUP BY table ORDER BY table`
	rows, err := db.Query(ctx, statement, named(1, s.config.Database))
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			var t TableStatus
			if err = rows.Scan(&v.Version, &t.Name, &t.Rows, &t.Bytes, &t.Parts, &t.Oldest, &t.Latest); err != nil {
				break
			}
			v.Tables = append(v.Tables, t)
		}
		if err == nil {
			err = rows.Err()
		}
	}
	if err != nil {
		v.Trouble = firstLine(fmt.Sprint(err))
	}
	return v
}
