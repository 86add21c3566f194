package mariadb

import (
	"context"
	"database/sql"
	"iter"
	"strings"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
)

// killTimeout is how long the end of an abandoned question may take.
const killTimeout = 10 * time.Second

// Top answers q from what was committed when the loop begins.
func (s *Store) Top(ctx context.Context, q query.Query) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = q.Check()
		}
		if err != nil {
			yield(query.Row{}, err)
			return
		}
		for try := 1; ; try++ {
			yielded := false
			going, err := s.answer(ctx, &q, func(r query.Row) bool {
				yielded = true
				return yield(r, nil)
			})
			if err == nil || !going {
				return
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			} else if !yielded && again(err) && try < tries && wait(ctx, firstPause<<(try-1)) == nil {
				continue
			}
			yield(query.Row{}, s.config.explain(err))
			return
		}
	}
}

// answer gives each row of the answer to q to f, until that returns false.
func (s *Store) answer(ctx context.Context, q *query.Query, f func(query.Row) bool) (going bool, err error) {
	// When the loop ends early, the connection ends with it rather than read the rest.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// One snapshot for the number of observers and for what they saw.
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return true, err
	}
	defer tx.Rollback()
	var connection int64
	if err := tx.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&connection); err != nil {
		return true, err
	}
	defer context.AfterFunc(ctx, func() { s.kill(connection) })()
	observers := 0
	if s.own {
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+s.names.observers).Scan(&observers); err != nil {
			return true, err
		}
	}
	p := s.plan(q, observers)
	if len(p.parts) == 0 {
		return true, nil
	}
	text, args := p.statement(q)
	text = strings.ReplaceAll(text, observersTable, s.names.observers)
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return true, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return true, err
		}
		row.App.Guess = row.App.Guess && q.Dims().Has(query.App)
		if !f(row) {
			cancel()
			return false, nil
		}
	}
	return true, rows.Err()
}

// kill ends what the server does for a connection that is gone from here: it
// would go on until it has an answer for nobody.
func (s *Store) kill(connection int64) {
	ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
	defer cancel()
	// If that fails, the server works on: nobody waits for it.
	s.db.ExecContext(ctx, "KILL ?", connection)
}

// scan reads a row of plan.statement's answer.
func scan(rows *sql.Rows) (row query.Row, err error) {
	var client, server []byte
	var proto, evidence uint8
	err = rows.Scan(&row.Bucket, &client, &server, &proto, &row.Port, &row.App.Master, &row.App.App, &row.VLAN, &row.Observer,
		&row.ToServer.Packets, &row.ToServer.Bytes, &row.ToClient.Packets, &row.ToClient.Bytes, &row.Flows,
		&row.App.Guess, &evidence, &row.First, &row.Last)
	copy(row.Client[:], client)
	copy(row.Server[:], server)
	row.Proto, row.Evidence = flow.Proto(proto), flow.Evidence(evidence)
	row.Flows = max(row.Flows, 1)
	return row, err
}
