package pipeline

import (
	"context"

	"github.com/portolan/portolan/internal/flow"
)

// queueBatches is how many batches may wait between the flow table and the
// store: enough that neither waits for the other's hiccups, few enough that a
// slow store is felt soon.
const queueBatches = 16

// A queue is a sink that hands batches to another sink in a goroutine of its
// own. WriteFlows copies the batch and waits while the queue is full.
type queue struct {
	full, free chan *flow.Batch
	stopped    chan struct{} // closed when the writer has ended
	err        error         // why it ended; read after stopped
}

// startQueue starts a queue before sink. The caller ends it with close.
func startQueue(ctx context.Context, sink flow.Sink) *queue {
	q := &queue{
		full:    make(chan *flow.Batch, queueBatches),
		free:    make(chan *flow.Batch, queueBatches),
		stopped: make(chan struct{}),
	}
	for range queueBatches {
		q.free <- new(flow.Batch)
	}
	go func() {
		defer close(q.stopped)
		for b := range q.full {
			if q.err = sink.WriteFlows(ctx, b); q.err != nil {
				return
			}
			b.Reset()
			q.free <- b
		}
	}()
	return q
}

func (q *queue) WriteFlows(_ context.Context, b *flow.Batch) error {
	select {
	case mine := <-q.free:
		mine.Records = append(mine.Records, b.Records...)
		q.full <- mine // never waits: there are as many places as batches
		return nil
	case <-q.stopped:
		return q.err
	}
}

// close waits until all batches are written.
func (q *queue) close() error {
	close(q.full)
	<-q.stopped
	return q.err
}
