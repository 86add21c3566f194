package clickhouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	chtest "github.com/portolan/portolan/e2e/clickhouse"

	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store/storetest"
)

// TestClusterStore asks the contract of a store on two shards.
func TestClusterStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, opener(chtest.StartCluster(t, "lab", 2)[0], "&cluster=lab"))
}

func TestClusterDifferential(t *testing.T) {
	t.Parallel()
	storetest.Differential(t, opener(chtest.StartCluster(t, "lab", 2)[0], "&cluster=lab"))
}

// TestStoppedShard writes while one of two shards is down: nothing is lost,
// nothing is doubled.
func TestStoppedShard(t *testing.T) {
	const size = 10_000
	servers := chtest.StartCluster(t, "lab", 2)
	dsn := newDatabase(servers[0], "&cluster=lab&retry=2s")
	s := open(t, dsn)
	defer s.Close()
	if err := write(t.Context(), s, records(0, size)); err != nil {
		t.Fatal(err)
	}
	for i := range s.servers {
		var rows uint64
		if err := s.servers[i].db.QueryRow(t.Context(), "SELECT count() FROM "+s.shape.local("flows")).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows < size/4 {
			t.Errorf("shard %d has %d of %d rows", s.servers[i].shard, rows, size)
		}
	}

	servers[1].Kill()
	err := write(t.Context(), s, records(size, size))
	if e, ok := err.(*Error); !ok || !passes(err) || e.Hint == "" {
		t.Errorf("a shard is down: got %v", err)
	}
	for _, err := range s.Top(t.Context(), query.Query{}) {
		if err == nil {
			t.Error("a shard is down: a part of the rows is taken for all")
		}
	}
	other := open(t, dsn) // a store can be opened nevertheless
	if st, err := other.Status(t.Context()); err != nil || len(st.Servers) != 2 || st.Servers[0].Trouble != "" || st.Servers[1].Trouble == "" {
		t.Errorf("status %+v, %v", st, err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := servers[1].Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all(2*size), sumsOf(t, s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
