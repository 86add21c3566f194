package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/portolan/portolan/internal/capture"
	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/host"
	"github.com/portolan/portolan/internal/meter"
	"github.com/portolan/portolan/internal/packet"
	"github.com/portolan/portolan/internal/pipeline"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/parquet"
	"github.com/portolan/portolan/internal/term"
)

// unnamedObserver is where flows were seen when neither the file nor the user
// says it: all such files are one observation point, so that the files of a
// rotated capture add up.
const unnamedObserver = "capture"

// A reading holds the flags of "portolan read".
type reading struct {
	env      *Env
	o        *options
	observer string
	again    bool

	identify  bool
	protocols string
	learn     string
	names     host.Learned
}

func newRead(env *Env, o *options) *cobra.Command {
	r := reading{env: env, o: o}
	cmd := &cobra.Command{
		Use:   "read FILE...",
		Short: "Read captures into the flow store",
		Long: `Read takes the packets of capture files (pcap and pcapng, plain or compressed
with gzip or zstd; - is standard input), makes flows of them and writes these
into the store, which it makes if there is none.

A file that was read before is skipped, so that nothing counts twice; --again
reads it all the same. What can be read of a damaged file is kept, and the exit
status is 3.

Flows carry the name of the interface that a pcapng file gives, else "capture".
Captures of the same traffic from several places do not count twice when each
has an observer of its own: --observer says it.`,
		Example: `  portolan read lab.pcap other.pcapng.gz
  portolan read --observer esx1 esx1.pcap
  tcpdump -i eth0 -w - -c 100000 | portolan read -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("portolan read lab.pcap", "read takes at least one capture file")
			}
			if r.learn != "names" && r.learn != "nothing" {
				return usage("have: names, nothing", "--learn: unknown: %q", r.learn)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) },
	}
	f := cmd.Flags()
	f.StringVar(&r.observer, "observer", "", "name of the place where the files were captured")
	f.BoolVar(&r.again, "again", false, "read files that were read before once more")
	f.BoolVar(&r.identify, "identify", true, "tell applications by what conversations say")
	f.StringVarP(&r.protocols, "ndpi-protocols", "p", "", "file with custom protocols, in nDPI's form")
	f.StringVar(&r.learn, "learn", "names", "what may be kept of payloads: names (of hosts and services) or nothing")
	return cmd
}

func (r *reading) run(ctx context.Context, files []string) error {
	// A file that is not there should not make a store.
	sources := make([]*capture.File, len(files))
	errs := make([]error, len(files))
	opened := 0
	for i, file := range files {
		if sources[i], errs[i] = capture.Open(file); errs[i] == nil {
			opened++
			defer sources[i].Close()
		}
	}
	if opened == 0 {
		return captureError(errs[0], errs[1:])
	}
	s, err := openForWriting(ctx, r.env, r.o)
	if err != nil {
		return err
	}
	lost := false
	for i, src := range sources {
		if errs[i] != nil {
			r.complain(errs[i])
			lost = true
			continue
		}
		cut, err := r.readOne(ctx, s, files[i], src)
		if err != nil {
			s.Close() //nolint:errcheck // what it could not write has been said
			return err
		}
		lost = lost || cut
	}
	if c, ok := s.(store.Compacter); ok {
		err = c.Compact(ctx)
	}
	err = errors.Join(err, s.Close(), r.names.Save(filepath.Join(homeFolder(r.env, r.o), host.LearnedFile)))
	if err != nil {
		return storeError(err)
	}
	if !r.o.quiet && !r.o.json {
		fmt.Fprintf(r.env.Out, "stored in %s\n", shownAddress(storeAddress(r.env, r.o)))
	}
	if lost {
		return errLoss
	}
	return nil
}

// captureError is the error of a command none of whose files could be opened.
func captureError(first error, more []error) error {
	err := hinted(first, captureHint(first))
	if len(more) > 0 {
		err = hinted(fmt.Errorf("%w (and %d more)", first, len(more)), captureHint(first))
	}
	return err
}

func captureHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "is the name right? ls shows what is there"
	case errors.Is(err, fs.ErrPermission):
		return "may you read it? captures made by root often belong to root"
	case errors.Is(err, capture.ErrDirectory):
		return "name the files in it: portolan read folder/*.pcap"
	case errors.Is(err, capture.ErrEmpty):
		return "nothing was captured, or the capture is still being written"
	}
	return "portolan reads pcap and pcapng, plain, .gz or .zst; editcap -F pcap converts other formats"
}

// complain says what is wrong with one file of many.
func (r *reading) complain(err error) {
	fmt.Fprintf(r.env.Err, "portolan: %v\nhint: %s\n", err, captureHint(err))
}

// readOne reads one file into s, and says what it found. cut reports that
// something of it is missing.
func (r *reading) readOne(ctx context.Context, s store.Store, name string, src *capture.File) (cut bool, err error) {
	source := parquet.Source{Name: name, Fingerprint: src.Fingerprint()}
	imp, before, err := begin(ctx, s, source, r.again)
	if err != nil {
		return false, storeError(err)
	}
	if imp == nil {
		if !r.o.quiet {
			fmt.Fprintf(r.env.Err, "%s: read before (%s): skipped; --again reads it once more\n", name, before.UTC().Format("2006-01-02 15:04 MST"))
		}
		return false, nil
	}
	cfg, closer, err := r.meterConfig(src)
	if err != nil {
		return false, err
	}
	defer closer()
	var progress *term.Progress
	if r.env.Terminal && !r.o.quiet {
		progress = term.NewProgress(r.env.Err, name, src.Size())
	}
	counts, stats, readErr := pipeline.Read(ctx, src, cfg, imp, func(*pipeline.Counts) { progress.Set(src.Offset()) })
	progress.Close()

	observer := cmp.Or(r.observer, unnamedObserver)
	losses := counts.Losses(observer)
	damaged := readErr != nil && ctx.Err() == nil && isDamage(readErr)
	if damaged {
		losses = append(losses, flow.Loss{
			Span: flow.Span{Start: counts.Start, End: counts.End + 1}, Observer: observer,
			Where: "capture", Reason: readErr.Error(), Count: 1, Unit: "files",
		})
	}
	if err := errors.Join(s.WriteLoss(context.WithoutCancel(ctx), losses), imp.done(context.WithoutCancel(ctx))); err != nil {
		return false, storeError(err)
	}
	r.say(name, &counts, &stats, readErr)
	switch {
	case readErr == nil:
		return counts.Lost() > 0, nil
	case damaged:
		r.complainDamage(readErr, &counts)
		return true, nil
	}
	return false, storeError(readErr)
}

// isDamage reports whether err is about the file, not about us.
func isDamage(err error) bool {
	_, ok := errors.AsType[*capture.Error](err)
	return ok
}

func (r *reading) complainDamage(err error, c *pipeline.Counts) {
	fmt.Fprintf(r.env.Err, "portolan: %v\nhint: the %s packets before that are kept\n", err, term.Count(c.Frames))
}

// meterConfig is how files are metered: memory for more flows than live, since
// nothing waits for a file.
func (r *reading) meterConfig(src *capture.File) (cfg meter.Config, closer func(), err error) {
	cfg = meter.Default()
	cfg.Observer = func(iface uint32) string {
		if r.observer != "" {
			return r.observer
		}
		if ifaces := src.Interfaces(); int(iface) < len(ifaces) && ifaces[iface].Name != "" {
			return ifaces[iface].Name
		}
		return unnamedObserver
	}
	id := pipeline.Identify{Off: !r.identify, Protocols: r.protocols, AppOnly: r.learn == "nothing"}
	if !id.AppOnly {
		id.Names = r.names.See
	}
	closer, err = id.Apply(&cfg)
	return cfg, closer, err
}

// readSummary is the line of "read --json".
type readSummary struct {
	File      string            `json:"file"`
	Frames    uint64            `json:"frames"`
	Decoded   uint64            `json:"decoded"`
	NotIP     uint64            `json:"not_ip"`
	Undecoded map[string]uint64 `json:"undecoded,omitempty"`
	Bytes     uint64            `json:"bytes"`
	Flows     uint64            `json:"flows"`
	First     string            `json:"first,omitempty"`
	Last      string            `json:"last,omitempty"`
	Error     string            `json:"error,omitempty"`
}

func (r *reading) say(name string, c *pipeline.Counts, m *meter.Stats, readErr error) {
	sum := readSummary{
		File: name, Frames: c.Frames, Decoded: c.Decoded, NotIP: c.Undecoded[packet.NonIP],
		Bytes: c.Bytes, Flows: m.Created,
	}
	for reason, n := range c.Undecoded {
		if n > 0 && packet.Reason(reason) != packet.NonIP {
			if sum.Undecoded == nil {
				sum.Undecoded = map[string]uint64{}
			}
			sum.Undecoded[packet.Reason(reason).String()] = n
		}
	}
	if c.Decoded > 0 {
		sum.First, sum.Last = stamp(c.Start), stamp(c.End)
	}
	if readErr != nil {
		sum.Error = readErr.Error()
	}
	if r.o.json {
		printJSON(r.env.Out, sum) //nolint:errcheck // a summary that cannot be printed changes nothing
		return
	}
	if r.o.quiet {
		return
	}
	fmt.Fprintf(r.env.Out, "%s: %s packets, %s flows, %s", name, term.Count(c.Frames), term.Count(m.Created), term.Bytes(c.Bytes))
	if c.Decoded > 0 {
		fmt.Fprintf(r.env.Out, ", %s to %s UTC", term.Time(c.Start), term.Time(c.End))
	}
	fmt.Fprintln(r.env.Out)
	if sum.NotIP > 0 {
		fmt.Fprintf(r.env.Out, "  not IP: %s packets\n", term.Count(sum.NotIP))
	}
	for reason := range packet.Reason(packet.NumReasons) {
		if n := sum.Undecoded[reason.String()]; n > 0 {
			fmt.Fprintf(r.env.Out, "  not decoded: %s packets, %s\n", term.Count(n), reason)
		}
	}
}
