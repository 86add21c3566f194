package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/drivers"
	"github.com/portolan/portolan/internal/store/parquet"
	"github.com/portolan/portolan/internal/term"
)

const (
	day = int64(24 * time.Hour)
	// copyRecords and copyTexts bound a batch, and so the memory of a copy. Were
	// they changed, a copy that an older portolan began would count twice.
	copyRecords = 50_000
	copyTexts   = 16 << 20 // bytes
	// flushBatches is after how many an embedded store writes what waits.
	flushBatches = 5
)

// A copying holds the flags of "portolan store copy", and how far it is.
type copying struct {
	env      *Env
	o        *options
	from, to string
	when     question // since and until
	today    bool

	source store.Store
	target store.Store
	name   string // of the source in the names of what is written
	most   int    // records in a batch
	batch  flow.Batch
	texts  int // bytes in batch

	progress *term.Progress
	perByte  float64 // bytes on the source's disk for each record
	sum      copySummary
}

// copySummary is the line of "store copy --json".
type copySummary struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	Records uint64   `json:"records"` // read, and written where they were not yet
	Losses  int      `json:"losses"`
	Days    int      `json:"days"`
	Before  []string `json:"before,omitempty"`   // days that were copied before
	SumOnly []string `json:"sum_only,omitempty"` // days of which the source has no records any more
	Open    []string `json:"open,omitempty"`     // days that were left out since they are not over
}

func newStoreCopy(env *Env, o *options) *cobra.Command {
	c := copying{env: env, o: o, most: copyRecords}
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Copy the flows of a store into another one, of any kind",
		Long: `Copy writes all flows of the store --from into the store --to, and what was lost
on the way to the first. Both are given as --store takes them. The source may also
be a database that ntopng wrote.

It goes day by day (UTC), and each day once: a copy that was interrupted can be
started again, and nothing counts twice. That needs the same --from each time,
user and password apart. A day that is not over is left out; with --today it is
copied as it is, which is right if nothing writes into the source any more.

Sums that are older than the records they were made of are not copied; the days
are named, and the exit status is 3.`,
		Example: `  portolan store copy --from mariadb://ntopng:secret@192.168.1.65/ntopng --to /var/lib/portolan
  portolan store copy --from /var/lib/portolan --to clickhouse://default@localhost/portolan --since 30d`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	c.when.now = time.Now
	f := cmd.Flags()
	f.StringVar(&c.from, "from", "", "the store whose flows are copied")
	f.StringVar(&c.to, "to", "", "the store that takes them; it is made if it is not there")
	f.StringVar(&c.when.since, "since", "", "copy from the day of this time on: 2026-11-25, or 30d (ago)")
	f.StringVar(&c.when.until, "until", "", "copy no day that begins at this time or later")
	f.BoolVar(&c.today, "today", false, "copy the day that is not over, too")
	return cmd
}

func (c *copying) run(ctx context.Context) error {
	span, err := c.check()
	if err != nil {
		return err
	}
	if c.source, err = openForReading(ctx, c.env, &options{store: c.from, quiet: c.o.quiet}); err != nil {
		return err
	}
	defer c.source.Close()
	recorder, ok := c.source.(store.Recorder)
	if !ok {
		return fmt.Errorf("%s: this kind of store cannot be copied", shownAddress(c.from))
	}
	stats, err := c.source.Stats(ctx)
	if err != nil {
		return storeError(err)
	}
	if c.target, err = openForWriting(ctx, c.env, &options{store: c.to}); err != nil {
		return err
	}
	c.startProgress(&stats)
	err = c.copy(ctx, recorder, span)
	c.progress.Close()
	if compacter, ok := c.target.(store.Compacter); ok && err == nil {
		err = compacter.Compact(ctx)
	}
	if err = errors.Join(err, c.target.Close()); err != nil {
		return storeError(err)
	}
	if err := c.copyNames(); err != nil {
		return storeError(err)
	}
	if err := c.say(); err != nil {
		return err
	}
	if len(stats.Aside) > 0 || len(c.sum.SumOnly) > 0 {
		return errLoss
	}
	return nil
}

// check looks at the flags, and returns the span of days.
func (c *copying) check() (span flow.Span, err error) {
	if c.from == "" || c.to == "" {
		return span, usage("portolan store copy --from OLD --to NEW", "copy needs --from and --to")
	}
	from, to := identity(c.from), identity(c.to)
	if from == to {
		return span, usage("", "--from and --to are the same store: %s", shownAddress(c.to))
	}
	digest := sha256.Sum256([]byte(from))
	c.name = "copy-" + hex.EncodeToString(digest[:8])
	c.sum.From, c.sum.To = shownAddress(c.from), shownAddress(c.to)
	q, err := c.when.parse(nil)
	span = flow.Span{Start: dayOf(q.Span.Start), End: q.Span.End}
	if span.End > 0 {
		span.End = endOf(dayOf(span.End - 1))
	}
	return span, err
}

// identity is the same for all addresses of a store that differ in who asks.
func identity(address string) string {
	if folder, ok := drivers.IsFolder(address); ok {
		if abs, err := filepath.Abs(folder); err == nil {
			folder = abs
		}
		if real, err := filepath.EvalSymlinks(folder); err == nil {
			folder = real
		}
		return folder
	}
	s, err := config.ParseStore(address)
	if err != nil {
		return address
	}
	_, rest, _ := strings.Cut(s.String(), "://")
	place, options, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(place, "/")
	values, _ := url.ParseQuery(options) //nolint:errcheck // what can be read counts
	return strings.Join([]string{s.Kind(), hosts[strings.LastIndexByte(hosts, '@')+1:], strings.Trim(database, "/"),
		values.Get("tables"), values.Get("socket")}, "|")
}

// dayOf returns the start of the UTC day of t, which is not before 1970.
func dayOf(t int64) int64 { return t - t%day }

// endOf returns the end of the day that begins at start; 0 = that of time.
func endOf(start int64) int64 {
	if start > math.MaxInt64-day {
		return 0
	}
	return start + day
}

func dayName(start int64) string { return time.Unix(0, start).UTC().Format(time.DateOnly) }

func (c *copying) startProgress(stats *store.Stats) {
	if !c.env.Terminal || c.o.quiet || stats.Records == 0 {
		return
	}
	// What is known of a store is its size on the disk; records take equal parts of it.
	size := int64(min(stats.Bytes, math.MaxInt64))
	c.perByte = max(float64(size)/float64(stats.Records), 1)
	if c.when.since != "" || c.when.until != "" {
		size = 0 // nobody knows how much of it
	}
	c.progress = term.NewProgress(c.env.Err, "copy", size)
}

// copy copies what lies in span.
func (c *copying) copy(ctx context.Context, from store.Recorder, span flow.Span) error {
	days, err := c.days(ctx, span)
	if err != nil {
		return err
	}
	losses := map[int64][]flow.Loss{} // by day
	for l, err := range c.source.Losses(ctx, span) {
		if err != nil {
			return err
		}
		if start := dayOf(max(l.Span.Start, 0)); span.Contains(l.Span.Start) {
			losses[start] = append(losses[start], l)
		}
	}
	all := slices.Clone(days)
	for start := range losses {
		all = append(all, start)
	}
	slices.Sort(all)
	for _, start := range slices.Compact(all) {
		if start >= dayOf(c.when.now().UnixNano()) && !c.today {
			c.sum.Open = append(c.sum.Open, dayName(start))
			continue
		}
		d := copyDay{c: c, start: start, losses: losses[start], summed: slices.Contains(days, start)}
		if err := d.copy(ctx, from); err != nil {
			return fmt.Errorf("copy %s: %w", dayName(start), err)
		}
	}
	return c.target.Flush(ctx)
}

// days returns the days that have flows, in order.
func (c *copying) days(ctx context.Context, span flow.Span) (days []int64, err error) {
	for row, err := range c.source.Top(ctx, query.Query{Span: span, Step: time.Duration(day), By: query.Proto}) {
		if err != nil {
			return nil, err
		}
		days = append(days, row.Bucket)
	}
	slices.Sort(days)
	return slices.Compact(days), nil
}

// A copyDay is what is copied once, and not again.
type copyDay struct {
	c      *copying
	start  int64
	losses []flow.Loss
	summed bool // the source answers about the day

	folder  *parquet.Import // into an embedded store, once there is something to write
	records uint64
	batches int
}

func (d *copyDay) name() string { return d.c.name + "-" + dayName(d.start) }

func (d *copyDay) copy(ctx context.Context, from store.Recorder) error {
	c := d.c
	if p, ok := c.target.(*parquet.Store); ok {
		if _, done := p.HasSource(d.name()); done {
			c.sum.Before = append(c.sum.Before, dayName(d.start))
			return nil
		}
	}
	c.batch.Reset()
	c.texts = 0
	for r, err := range from.Records(ctx, flow.Span{Start: d.start, End: endOf(d.start)}) {
		if err != nil {
			return err
		}
		if err := d.add(ctx, r); err != nil {
			return err
		}
	}
	if d.summed && d.records == 0 {
		c.sum.SumOnly = append(c.sum.SumOnly, dayName(d.start))
	}
	if err := d.send(ctx); err != nil {
		return err
	}
	if err := d.copyLosses(ctx); err != nil {
		return err
	}
	if d.folder != nil {
		if err := d.folder.Done(ctx); err != nil {
			return err
		}
	}
	if d.records > 0 {
		c.sum.Days++
	}
	c.sum.Losses += len(d.losses)
	return nil
}

// add takes a record, and writes the batch when it is full. The same records
// give the same batches.
func (d *copyDay) add(ctx context.Context, r flow.Record) error {
	c := d.c
	c.batch.Records = append(c.batch.Records, r)
	c.texts += len(r.Observer) + len(r.Info)
	if r.Details != nil {
		c.texts += len(r.Details.JA4) + len(r.Details.Software)
	}
	d.records++
	if len(c.batch.Records) < c.most && c.texts < copyTexts {
		return nil
	}
	return d.send(ctx)
}

// send writes the batch.
func (d *copyDay) send(ctx context.Context) error {
	c := d.c
	if len(c.batch.Records) == 0 {
		return nil
	}
	sink, err := d.sink(ctx)
	if err != nil {
		return err
	}
	if err := sink.WriteFlows(ctx, &c.batch); err != nil {
		return err
	}
	d.batches++
	if d.folder != nil && d.batches%flushBatches == 0 { // hours that are over need not wait in memory
		if err := c.target.Flush(ctx); err != nil {
			return err
		}
	}
	c.sum.Records += uint64(len(c.batch.Records))
	c.progress.Set(int64(float64(c.sum.Records) * c.perByte))
	c.batch.Reset()
	c.texts = 0
	return nil
}

// sink returns what takes the next batch: what it took before, it does not
// take again.
func (d *copyDay) sink(ctx context.Context) (flow.Sink, error) {
	switch s := d.c.target.(type) {
	case *parquet.Store:
		if d.folder != nil {
			return d.folder, nil
		}
		var err error
		d.folder, err = s.Begin(ctx, parquet.Source{Name: "copy of " + d.c.sum.From + ", " + dayName(d.start), Fingerprint: d.name()})
		return d.folder, err
	case store.OnceWriter:
		name := fmt.Sprintf("%s-%d", d.name(), d.batches)
		return flow.SinkFunc(func(ctx context.Context, b *flow.Batch) error { return s.WriteOnce(ctx, name, b) }), nil
	}
	return d.c.target, nil
}

// copyLosses writes the losses that the target does not hold.
func (d *copyDay) copyLosses(ctx context.Context) error {
	if len(d.losses) == 0 {
		return nil
	}
	if _, ok := d.c.target.(*parquet.Store); ok {
		if _, err := d.sink(ctx); err != nil { // the import knows whether they were written
			return err
		}
		return d.c.target.WriteLoss(ctx, d.losses)
	}
	held := map[flow.Loss]int{}
	for l, err := range d.c.target.Losses(ctx, flow.Span{Start: d.start, End: endOf(d.start)}) {
		if err != nil {
			return err
		}
		held[l]++
	}
	var missing []flow.Loss
	for _, l := range d.losses {
		if held[l]--; held[l] < 0 {
			missing = append(missing, l)
		}
	}
	if err := d.c.target.WriteLoss(ctx, missing); err != nil {
		return err
	}
	return d.c.target.Flush(ctx)
}

// copyNames takes along the names that traffic told, where the target has none.
func (c *copying) copyNames() error {
	from := filepath.Join(homeFolder(c.env, &options{store: c.from}), host.LearnedFile)
	to := filepath.Join(homeFolder(c.env, &options{store: c.to}), host.LearnedFile)
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to+".tmp", text, 0o644)
	}
	if err == nil {
		err = os.Rename(to+".tmp", to)
	}
	return err
}

// say prints what was done.
func (c *copying) say() error {
	if c.o.json {
		return printJSON(c.env.Out, c.sum)
	}
	if c.o.quiet {
		return nil
	}
	fmt.Fprintf(c.env.Out, "copied %s records of %s days from %s to %s\n",
		term.Count(c.sum.Records), term.Count(uint64(c.sum.Days)), c.sum.From, c.sum.To)
	for _, days := range []struct {
		names []string
		what  string
	}{
		{c.sum.Before, "copied before"},
		{c.sum.SumOnly, "not copied: the source holds sums only"},
		{c.sum.Open, "left out: not over; --today copies it as it is"},
	} {
		if len(days.names) > 0 {
			fmt.Fprintf(c.env.Out, "  %s: %s\n", dayRange(days.names), days.what)
		}
	}
	return nil
}

// dayRange names days in few words.
func dayRange(names []string) string {
	first, last := names[0], names[len(names)-1]
	switch len(names) {
	case 1:
		return first
	case 2:
		return first + ", " + last
	}
	return fmt.Sprintf("%s days, %s to %s", term.Count(uint64(len(names))), first, last)
}
