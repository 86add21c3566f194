package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/portolan/portolan/internal/flow"
	"github.com/portolan/portolan/internal/store"
	"github.com/portolan/portolan/internal/store/parquet"
)

// An importer writes the flows of one file into a store. A file that was
// written before is not written again.
type importer interface {
	flow.Sink
	// done says that nothing of the file is missing.
	done(ctx context.Context) error
}

// begin starts an import. before is when the file was read, if it was.
func begin(ctx context.Context, s store.Store, src parquet.Source, again bool) (i importer, before time.Time, err error) {
	if p, ok := s.(*parquet.Store); ok {
		if old, ok := p.HasSource(src.Fingerprint); ok && !again {
			return nil, old.Time, nil
		}
		imp, err := p.Begin(ctx, src)
		return folderImport{imp}, before, err
	}
	name := "file-" + src.Fingerprint
	if again {
		name += time.Now().Format("-20060102T150405.000")
	}
	return &serverImport{store: s, name: name}, before, nil
}

// A folderImport is kept in the ledger of an embedded store.
type folderImport struct{ *parquet.Import }

func (i folderImport) done(ctx context.Context) error { return i.Done(ctx) }

// A serverImport writes large batches, each under a name of its own: the same
// file gives the same batches, so that reading it again adds nothing.
type serverImport struct {
	store store.Store
	name  string
	batch flow.Batch
	count int
}

// serverBatch is how many records a server gets at a time.
const serverBatch = 50_000

func (i *serverImport) WriteFlows(ctx context.Context, b *flow.Batch) error {
	once, ok := i.store.(store.OnceWriter)
	if !ok {
		return i.store.WriteFlows(ctx, b)
	}
	i.batch.Records = append(i.batch.Records, b.Records...)
	if len(i.batch.Records) < serverBatch {
		return nil
	}
	return i.send(ctx, once)
}

func (i *serverImport) send(ctx context.Context, once store.OnceWriter) error {
	err := once.WriteOnce(ctx, fmt.Sprintf("%s-%d", i.name, i.count), &i.batch)
	i.count++
	i.batch.Reset()
	return err
}

func (i *serverImport) done(ctx context.Context) error {
	if once, ok := i.store.(store.OnceWriter); ok && len(i.batch.Records) > 0 {
		return i.send(ctx, once)
	}
	return nil
}
