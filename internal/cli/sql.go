package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/term"
)

func newSQL(env *Env, o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "sql STATEMENT",
		Short: "Ask the store in SQL (reading only)",
		Long: `SQL runs one SELECT on the store, in DuckDB's dialect. It cannot write, and it
cannot read other files. "portolan sql 'show tables'" and "describe flows" say
what there is.`,
		Example: `  portolan sql "select server, server_port, sum(bytes_to_client) as bytes from flows group by all order by bytes desc limit 10"
  portolan sql --json "select * from flows where server = '192.168.1.55'"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("quote it: portolan sql \"select count(*) from flows\"", "sql takes one statement: found %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openForReading(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			defer s.Close()
			asker, ok := s.(interface {
				SQL(ctx context.Context, statement string) ([]string, iter.Seq2[[]any, error], error)
			})
			if !ok {
				return hinted(errors.New("sql asks the embedded store only"), "ask the database with its own client: mariadb, clickhouse-client")
			}
			columns, rows, err := asker.SQL(cmd.Context(), args[0])
			if err != nil {
				return sqlError(err)
			}
			t := term.Table{Head: columns}
			for row, err := range rows {
				if err != nil {
					return sqlError(err)
				}
				if o.json {
					if err := printJSON(env.Out, object{columns, row}); err != nil {
						return err
					}
					continue
				}
				cells := make([]string, len(row))
				for i, v := range row {
					cells[i] = cell(v)
				}
				t.Rows = append(t.Rows, cells)
			}
			if o.json {
				return nil
			}
			_, err = t.WriteTo(env.Out)
			return err
		},
	}
}

// cell prints a value of a SQL answer.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return hex.EncodeToString(v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999999")
	}
	return fmt.Sprint(v)
}

// An object prints as a JSON object whose keys keep the order of the columns.
type object struct {
	keys   []string
	values []any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		v := o.values[i]
		if raw, ok := v.([]byte); ok {
			v = hex.EncodeToString(raw)
		}
		name, err := jsonText(key)
		if err != nil {
			return nil, err
		}
		value, err := jsonText(v)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
