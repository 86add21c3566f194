// Package daemon captures from interfaces, identifies, and writes into a store
// until it is told to stop.
//
//	interface -> ring -> worker -> spool -> store
//	                          |
//	                          +-> names that DNS told
package daemon

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/portolan/portolan/internal/capture/ring"
	"github.com/portolan/portolan/internal/config"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/pipeline"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/drivers"
	"github.com/portolan/portolan/internal/store/spool"
)

const (
	// flushEvery is what a crash may lose.
	flushEvery = 5 * time.Second
	// lossEvery is how often what was lost becomes data.
	lossEvery = 10 * time.Second
	// tidyEvery is how often the store is compacted and forgets.
	tidyEvery = 10 * time.Minute
	// stopWithin is how long what waits may go into the store when the daemon
	// stops; the rest goes to the disk.
	stopWithin = 3 * time.Second
)

// Options are what a daemon needs besides its configuration.
type Options struct {
	Version string
	Log     *slog.Logger
	Level   *slog.LevelVar // of Log; changed by Reload
	// Reload gives the configuration anew when the process gets SIGHUP; nil =
	// it is not to be had.
	Reload func() (*config.Loaded, error)
	// Ready is called when all interfaces are captured; nil = nobody waits.
	Ready func(Status)
}

// A Daemon is one that runs.
type daemon struct {
	cfg     *config.Loaded
	opts    Options
	log     *slog.Logger
	started time.Time

	store    store.Store
	spool    *spool.Spool
	ifaces   []*iface
	names    host.Learned
	identify pipeline.Identify
	journal  journal

	retention store.Policy // of the daemon's goroutine; changed by reload
}

// Run captures until ctx is done or all has failed. What was captured until
// then is stored, or waits on the disk for the next run.
func Run(ctx context.Context, cfg *config.Loaded, opts Options) (err error) {
	d := &daemon{cfg: cfg, opts: opts, log: opts.Log, started: time.Now(), retention: policy(cfg)}
	d.identify = pipeline.Identify{
		Off: !cfg.Identify, Protocols: cfg.Protocols, AppOnly: cfg.Learn == config.Nothing,
		Names: d.names.See,
	}
	if cfg.Learn == config.Nothing {
		d.identify.Names = nil
	}
	// Sockets first: they may need rights that are given up then.
	if err := d.openInterfaces(); err != nil {
		return errors.Join(err, d.closeInterfaces())
	}
	if err := becomeUser(cfg.User, d.folders()...); err != nil {
		return errors.Join(err, d.closeInterfaces())
	}
	if err := d.openStore(ctx); err != nil {
		return errors.Join(err, d.closeInterfaces())
	}
	server, err := d.listen()
	if err != nil {
		return errors.Join(err, d.closeInterfaces(), d.closeStore())
	}
	return d.run(ctx, server)
}

// folders are those that the daemon writes into.
func (d *daemon) folders() []string {
	f := []string{d.home()}
	// In a new store nothing may lie before the store itself makes it.
	if spill := d.spillFolder(); d.cfg.Spill.Budget > 0 && filepath.Dir(spill) != d.home() {
		f = append(f, spill)
	}
	return f
}

func (d *daemon) openInterfaces() error {
	names := d.cfg.Interfaces
	if len(names) == 0 {
		name, err := ring.DefaultInterface()
		if err != nil {
			return err
		}
		names = []string{name}
	}
	for i, name := range names {
		f := d.newInterface(uint32(i), name)
		if err := f.open(); err != nil {
			return err
		}
		d.ifaces = append(d.ifaces, f)
	}
	return nil
}

func (d *daemon) newInterface(number uint32, name string) *iface {
	cfg := d.cfg
	return &iface{
		ring: ring.Config{
			Interface: name, Filter: cfg.Filter, SnapLen: uint32(cfg.Snap), Promiscuous: cfg.Promiscuous,
			Direction: map[config.Direction]ring.Direction{config.Incoming: ring.In, config.Outgoing: ring.Out}[cfg.Direction],
			Iface:     number, BlockSize: int(cfg.Ring.BlockSize), Blocks: cfg.Ring.Blocks,
		},
		workers: cfg.Workers,
		newLive: func() (pipeline.LiveConfig, error) { return d.newLive(name) },
		log:     d.log.With("interface", name),
		quit:    make(chan struct{}),
	}
}

// newLive says how one worker meters.
func (d *daemon) newLive(name string) (pipeline.LiveConfig, error) {
	m := meter.Default()
	m.MaxFlows = d.cfg.MaxFlows()
	t := d.cfg.Timeouts
	m.Idle, m.TCPIdle, m.TCPOpening, m.Active = t.Idle, t.TCPIdle, t.TCPOpening, t.Active
	m.Observer = func(uint32) string { return name }
	closer, err := d.identify.Apply(&m)
	if err != nil {
		return pipeline.LiveConfig{}, err
	}
	return pipeline.LiveConfig{
		Meter: m, Close: closer, IgnoreVLANs: d.cfg.IgnoreVLANs, Sampling: d.cfg.Sampling,
		// The interfaces are opened before the store is.
		Sink: func(b *flow.Batch) { d.spool.Put(b) },
	}, nil
}

func (d *daemon) openStore(ctx context.Context) error {
	s, down, err := drivers.OpenWaiting(ctx, d.cfg.Store.Reveal(), drivers.Options{SealAfter: 0, Instance: d.cfg.Instance})
	if err != nil {
		return err
	}
	d.store = s
	if down != nil {
		d.log.Warn("the store cannot be reached; flows wait", "store", d.cfg.Store, "err", down)
	}
	c := spool.Config{FlushEvery: flushEvery, Log: d.log}
	if d.cfg.Spill.Budget > 0 {
		c.Dir, c.Budget = d.spillFolder(), int64(d.cfg.Spill.Budget)
	}
	if d.spool, err = spool.Open(s, c); err != nil {
		return errors.Join(err, s.Close())
	}
	if err := os.MkdirAll(d.home(), 0o755); err != nil {
		return errors.Join(err, d.closeStore())
	}
	if err := d.saveGiven(); err != nil {
		return errors.Join(err, d.closeStore())
	}
	d.journal = journal{path: filepath.Join(d.home(), journalFile)}
	gap, err := d.journal.begin(d.started)
	if err != nil {
		return errors.Join(err, d.closeStore())
	}
	if gap.Count > 0 {
		d.log.Warn("the last run was killed; what was said since is not known",
			"from", time.Unix(0, gap.Span.Start).UTC(), "to", time.Unix(0, gap.Span.End).UTC())
		d.spool.WriteLoss(gap)
	}
	return nil
}

// run waits, with all running, until ctx is done.
func (d *daemon) run(ctx context.Context, server *server) error {
	ended := make(chan struct{})
	for _, f := range d.ifaces {
		go func() {
			f.run()
			ended <- struct{}{}
		}()
	}
	go server.serve()
	hangup, stopSignals := onHangup()
	defer stopSignals()
	watchdog := notify(d.log, "READY=1")
	st := d.status()
	d.log.Info("capturing", "interfaces", len(d.ifaces), "store", d.cfg.Store, "identify", st.Identify)
	if d.opts.Ready != nil {
		d.opts.Ready(st)
	}
	d.tick(ctx, hangup, watchdog)

	notify(d.log, "STOPPING=1")
	d.log.Info("stopping")
	var errs []error
	for _, f := range d.ifaces {
		errs = append(errs, f.stop())
	}
	for range d.ifaces {
		<-ended
	}
	d.writeLosses(time.Now())
	errs = append(errs, server.close(), d.closeStore(), d.journal.end(time.Now()))
	d.log.Info("stopped", "records", d.spool.Stats().Written)
	return errors.Join(errs...)
}

// tick does what is to be done now and then.
func (d *daemon) tick(ctx context.Context, hangup <-chan os.Signal, watchdog time.Duration) {
	loss, tidy := time.NewTicker(lossEvery), time.NewTicker(tidyEvery)
	defer loss.Stop()
	defer tidy.Stop()
	alive := make(<-chan time.Time)
	if watchdog > 0 {
		t := time.NewTicker(watchdog)
		defer t.Stop()
		alive = t.C
	}
	tidying := make(chan struct{}, 1) // holds a token while the store is tidied
	for {
		select {
		case <-ctx.Done():
			tidying <- struct{}{} // it ends with ctx
			return
		case <-alive:
			notify(d.log, "WATCHDOG=1")
		case now := <-loss.C:
			d.writeLosses(now)
			if err := errors.Join(d.journal.alive(now), d.saveNames()); err != nil {
				d.log.Error("cannot write", "err", err)
			}
		case <-tidy.C:
			select {
			case tidying <- struct{}{}:
				policy := d.retention
				go func() {
					defer func() { <-tidying }()
					d.tidy(ctx, policy)
				}()
			default:
			}
		case <-hangup:
			d.reload()
		}
	}
}

func (d *daemon) writeLosses(now time.Time) {
	for _, f := range d.ifaces {
		s := f.status()
		span := flow.Span{Start: f.lossAt.UnixNano(), End: now.UnixNano()}
		if f.lossAt.IsZero() {
			span.Start = d.started.UnixNano()
		}
		d.spool.WriteLoss(s.losses(&f.lossSeen, span)...)
		f.lossAt, f.lossSeen = now, s
	}
}

// saveGiven puts what the configuration says of hosts and networks where
// questions look for it.
func (d *daemon) saveGiven() error {
	names := host.NewNames()
	for _, file := range d.cfg.Hosts {
		if err := names.ReadFile(file); err != nil {
			return err
		}
	}
	for _, n := range d.cfg.LocalNetworks {
		names.AddNetwork(n.Prefix, n.Title)
	}
	return names.SaveGiven(d.home())
}

func (d *daemon) saveNames() error {
	return d.names.Save(filepath.Join(d.home(), host.LearnedFile))
}

// spillFolder is where flows wait for the store. Unless somebody named it, each
// store has its own: what waits for one must not go into another.
func (d *daemon) spillFolder() string {
	if d.cfg.Spill.Folder != filepath.Join(d.cfg.DataDir, "portolan-spill") {
		return d.cfg.Spill.Folder
	}
	if d.cfg.Store.Kind() == "parquet" {
		return filepath.Join(d.cfg.Store.Folder(), "spill")
	}
	h := fnv.New64a()
	h.Write([]byte(d.cfg.Store.String())) // without its password
	return filepath.Join(d.cfg.Spill.Folder, fmt.Sprintf("%016x", h.Sum64()))
}

// home is where the daemon keeps what it notes beside flows: where these are,
// if they lie in a folder.
func (d *daemon) home() string {
	if d.cfg.Store.Kind() == "parquet" {
		return d.cfg.Store.Folder()
	}
	return filepath.Join(d.cfg.DataDir, "portolan")
}

// policy says what the store may forget. A database may hold what others wrote,
// and forgets nothing unless somebody said so.
func policy(cfg *config.Loaded) store.Policy {
	r := cfg.Retention
	p := store.Policy{Raw: r.Raw, RollUp: r.RollUp, Size: uint64(r.Size)}
	if cfg.Store.Kind() == "parquet" {
		return p
	}
	if cfg.Origin("retention.raw").Layer == config.Default {
		p.Raw = 0
	}
	if cfg.Origin("retention.roll-up").Layer == config.Default {
		p.RollUp = 0
	}
	return p
}

func (d *daemon) tidy(ctx context.Context, policy store.Policy) {
	if c, ok := d.store.(store.Compacter); ok {
		if err := c.Compact(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("cannot tidy the store", "err", err)
		}
	}
	p, ok := d.store.(store.Pruner)
	if !ok || policy == (store.Policy{}) {
		return
	}
	pruned, err := p.Prune(ctx, policy, time.Now())
	if err != nil && ctx.Err() == nil {
		d.log.Error("cannot prune the store", "err", err)
	}
	if pruned.Parts > 0 || pruned.Records > 0 {
		d.log.Info("the store forgot what is old", "parts", pruned.Parts, "records", pruned.Records, "before", pruned.Before)
	}
}

// reload takes what can change while the daemon runs.
func (d *daemon) reload() {
	if d.opts.Reload == nil {
		return
	}
	cfg, err := d.opts.Reload()
	if err != nil {
		d.log.Error("the configuration is wrong; going on with the old one", "err", err)
		return
	}
	old := d.cfg.Values()
	for i, v := range cfg.Values() {
		if fmt.Sprint(v.Value) == fmt.Sprint(old[i].Value) {
			continue
		}
		switch v.Key {
		case "log.level", "retention.raw", "retention.roll-up", "retention.size":
			d.log.Info("taken", "setting", v.Key, "value", v.Text)
		default:
			d.log.Warn("needs a restart", "setting", v.Key, "value", v.Text)
		}
	}
	d.cfg.Retention, d.cfg.Log.Level = cfg.Retention, cfg.Log.Level
	d.retention = policy(cfg)
	if d.opts.Level != nil {
		d.opts.Level.Set(cfg.Log.Level)
	}
}

func (d *daemon) closeInterfaces() error {
	var errs []error
	for _, f := range d.ifaces {
		for _, r := range f.rings {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}

func (d *daemon) closeStore() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return errors.Join(d.saveNames(), d.spool.Close(ctx), d.store.Close())
}

// status says how the daemon stands.
func (d *daemon) status() Status {
	s := Status{
		Version: d.opts.Version, Instance: d.cfg.Instance, PID: os.Getpid(),
		Started: d.started, Now: time.Now(), Store: d.cfg.Store.String(), Identify: d.identify.String(),
		Queue: d.spool.Stats(),
	}
	for _, f := range d.ifaces {
		s.Sources = append(s.Sources, f.status())
	}
	return s
}
