package mariadb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store/storetest"
)

func TestRecords(t *testing.T) { storetest.Records(t, fresh) }

// TestRecordsOfNtopng reads what every generation of ntopng wrote.
func TestRecordsOfNtopng(t *testing.T) {
	srv := need(t)
	for _, g := range generations {
		t.Run(g.name, func(t *testing.T) {
			c := srv.config(srv.database(t))
			c.ReadOnly = true
			g.make(t, srv.db(t, c.Database))
			s := open(t, c)
			row := g.want()
			want := record("10.0.0.1:50000", "10.0.0.2:443", func(r *flow.Record) {
				r.ID, r.Start, r.End = 1, row.First, row.Last
				r.ToServer, r.ToClient, r.App = row.ToServer, row.ToClient, row.App
				r.Evidence, r.Cause, r.Observer = row.Evidence, flow.NoCause, g.observer
				if g.observer == "3" { // had no INFO
					r.Info = ""
				}
			})
			for _, tt := range []struct {
				span flow.Span
				want []flow.Record
			}{
				{flow.Span{}, []flow.Record{want}},
				{flow.Span{Start: noon, End: noon + 1}, []flow.Record{want}},
				{flow.Span{End: noon}, nil},
				{flow.Span{Start: noon + 1}, nil},
			} {
				var got []flow.Record
				for r, err := range s.Records(t.Context(), tt.span) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, r)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%+v (-want +got):\n%s", tt.span, diff)
				}
			}
		})
	}
}
