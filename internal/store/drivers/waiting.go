package drivers

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"sync"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/query"
	"github.com/portolan/portolan/internal/store"
)

// OpenWaiting is Open for a writer that must start although the server is down:
// then each call tries to open the store, and fails while that fails. down says
// why the server could not be reached; nil = it could. Other errors, such as a
// wrong password, are err.
func OpenWaiting(ctx context.Context, address string, o Options) (s store.Store, down, err error) {
	s, err = Open(ctx, address, o)
	if err == nil {
		return s, nil, nil
	}
	if _, isFolder := IsFolder(address); isFolder || !unreachable(err) {
		return nil, nil, err
	}
	return &waiting{open: func(ctx context.Context) (store.Store, error) { return Open(ctx, address, o) }}, err, nil
}

// unreachable reports whether err is about the way to a server.
func unreachable(err error) bool {
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// waiting is a store that could not be opened yet.
type waiting struct {
	open func(context.Context) (store.Store, error)

	mu     sync.Mutex
	store  store.Store // nil = not yet
	closed bool
}

func (w *waiting) get(ctx context.Context) (store.Store, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, store.ErrClosed
	}
	if w.store == nil {
		s, err := w.open(ctx)
		if err != nil {
			return nil, err
		}
		w.store = s
	}
	return w.store, nil
}

func (w *waiting) WriteFlows(ctx context.Context, b *flow.Batch) error {
	s, err := w.get(ctx)
	if err != nil {
		return err
	}
	return s.WriteFlows(ctx, b)
}

func (w *waiting) WriteOnce(ctx context.Context, name string, b *flow.Batch) error {
	s, err := w.get(ctx)
	if err != nil {
		return err
	}
	if once, ok := s.(store.OnceWriter); ok {
		return once.WriteOnce(ctx, name, b)
	}
	return s.WriteFlows(ctx, b)
}

func (w *waiting) WriteLoss(ctx context.Context, l []flow.Loss) error {
	s, err := w.get(ctx)
	if err != nil {
		return err
	}
	return s.WriteLoss(ctx, l)
}

func (w *waiting) Flush(ctx context.Context) error {
	s, err := w.get(ctx)
	if err != nil {
		return err
	}
	return s.Flush(ctx)
}

func (w *waiting) Top(ctx context.Context, q query.Query) iter.Seq2[query.Row, error] {
	s, err := w.get(ctx)
	if err != nil {
		return func(yield func(query.Row, error) bool) { yield(query.Row{}, err) }
	}
	return s.Top(ctx, q)
}

func (w *waiting) Losses(ctx context.Context, span flow.Span) iter.Seq2[flow.Loss, error] {
	s, err := w.get(ctx)
	if err != nil {
		return func(yield func(flow.Loss, error) bool) { yield(flow.Loss{}, err) }
	}
	return s.Losses(ctx, span)
}

func (w *waiting) Stats(ctx context.Context) (store.Stats, error) {
	s, err := w.get(ctx)
	if err != nil {
		return store.Stats{}, err
	}
	return s.Stats(ctx)
}

func (w *waiting) Prune(ctx context.Context, p store.Policy, now time.Time) (store.Pruned, error) {
	s, err := w.get(ctx)
	if err != nil {
		return store.Pruned{}, err
	}
	if pruner, ok := s.(store.Pruner); ok {
		return pruner.Prune(ctx, p, now)
	}
	return store.Pruned{}, nil
}

func (w *waiting) Compact(ctx context.Context) error {
	s, err := w.get(ctx)
	if err != nil {
		return err
	}
	if c, ok := s.(store.Compacter); ok {
		return c.Compact(ctx)
	}
	return nil
}

func (w *waiting) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return store.ErrClosed
	}
	w.closed = true
	if w.store == nil {
		return nil
	}
	return w.store.Close()
}
