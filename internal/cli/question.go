package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/l7"
	"github.com/portolan/portolan/internal/query"
)

// question holds the flags of commands that ask the store.
type question struct {
	since, until string
	hosts        []string
	now          func() time.Time
}

func (q *question) flags(cmd *cobra.Command) {
	q.now = time.Now
	f := cmd.Flags()
	f.StringVar(&q.since, "since", "", "only flows that ended at or after this time: 2026-11-25, 2026-11-25T07:00:00Z, or 2h (ago)")
	f.StringVar(&q.until, "until", "", "only flows that ended before this time")
	f.StringArrayVar(&q.hosts, "hosts", nil, "file with names of addresses: hosts format, or CSV address,name[,kind] (repeatable)")
}

// parse returns the question without its dimensions: filter and span.
func (q *question) parse(args []string) (query.Query, error) {
	var out query.Query
	var err error
	if text := strings.Join(args, " "); strings.TrimSpace(text) != "" {
		if out.Filter, err = query.Parse(text, l7.AppIDs); err != nil {
			return out, filterError(err)
		}
	}
	if out.Span.Start, err = q.moment("--since", q.since); err != nil {
		return out, err
	}
	if out.Span.End, err = q.moment("--until", q.until); err != nil {
		return out, err
	}
	if out.Span.End != 0 && out.Span.End <= out.Span.Start {
		return out, usage("", "--until %s is not after --since %s", q.until, q.since)
	}
	return out, nil
}

// filterError makes an error of the filter language one for people: the hint
// shows where it stands.
func filterError(err error) error {
	e, ok := errors.AsType[*query.SyntaxError](err)
	if !ok {
		return &statusError{err, StatusUsage, "see: portolan top --help"}
	}
	return &statusError{err, StatusUsage, e.Excerpt()}
}

// moment reads a time or a duration before now; "" is 0.
func (q *question) moment(name, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.UTC); err == nil {
			return t.UnixNano(), nil
		}
	}
	d := strings.TrimSuffix(s, " ago")
	if days, ok := strings.CutSuffix(d, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return q.now().Add(-time.Duration(n) * 24 * time.Hour).UnixNano(), nil
		}
	}
	if d, err := time.ParseDuration(d); err == nil && d >= 0 {
		return q.now().Add(-d).UnixNano(), nil
	}
	return 0, usage("write 2026-11-25, 2026-11-25T07:00:00Z, or how long ago: 90m, 2h, 7d", "%s: no time: %q", name, s)
}

// names reads what is known beside the flows, and over that the files of --hosts.
func (q *question) names(env *Env, o *options) (*host.Names, error) {
	names := host.NewNames()
	if err := names.LoadFolder(homeFolder(env, o)); err != nil {
		fmt.Fprintf(env.Err, "portolan: some names are left out: %v\n", err)
	}
	for _, file := range q.hosts {
		if err := names.ReadFile(file); err != nil {
			return nil, hinted(err, "a line is \"192.168.1.66 ubuntu-nuc\" (hosts format) or \"192.168.1.66,ubuntu-nuc,vm\" (CSV)")
		}
	}
	return names, nil
}

// appName names the application of a row; a guess by port is still the best
// that there is.
func appName(a flow.App) string {
	if name := l7.AppName(a); name != "" {
		return name
	}
	return "unknown"
}
