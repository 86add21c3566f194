//go:build !cgo || no_duckdb

package parquet

import (
	"context"
	"iter"

	"github.com/portolan/portolan/internal/query"
)

// HasSQL reports whether this build has DuckDB: SQL, and fast questions.
const HasSQL = false

// An engine is what answers questions; here there is none.
type engine struct{}

func (*engine) close() error { return nil }

func (s *Store) answer(ctx context.Context, _ *plan, q *query.Query, each func(query.Row) bool) (bool, error) {
	return s.answerFromFlows(ctx, q, each)
}

// SQL returns ErrNoSQL.
func (s *Store) SQL(context.Context, string) ([]string, iter.Seq2[[]any, error], error) {
	return nil, nil, ErrNoSQL
}
