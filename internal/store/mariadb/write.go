package mariadb

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/portolan/portolan/internal/flow"
)

const (
	// tries is how often a unit is sent before its error is returned.
	tries = 6
	// firstPause is the pause before the second try; each one is twice as long
	// as that before it.
	firstPause = 50 * time.Millisecond
	// sendTimeout is how long one try may take: a server that says nothing for
	// so long is as good as gone.
	sendTimeout = 5 * time.Minute
	// rowsPerInsert and bytesPerInsert bound a statement where LOAD DATA is not
	// allowed: 65535 parameters, and 16 MiB, the usual max_allowed_packet.
	rowsPerInsert  = 1000
	bytesPerInsert = 8 << 20
	// knownObservers bounds the observers whose identifiers are remembered.
	knownObservers = 1 << 16
)

// A unit is what is written in one transaction: all of it or nothing, and only
// once, since its identifier stands in the ledger.
type unit struct {
	id      [16]byte
	named   bool // somebody may come back with it
	records []flow.Record
	losses  []flow.Loss
}

// A writer holds what waits to be written.
type writer struct {
	store *Store

	mu        sync.Mutex
	unit      *unit // being written, or failed; its contents never change
	records   []flow.Record
	losses    []flow.Loss
	since     time.Time // when the first of records came
	observers map[string]uint32
	rooms     map[string]*layout // by table, not quoted
	noLoad    bool               // the server forbids LOAD DATA LOCAL
}

// waiting returns how many records wait.
func (w *writer) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.records)
	if w.unit != nil {
		n += len(w.unit.records)
	}
	return n
}

func (w *writer) take(ctx context.Context, records []flow.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	age := w.store.config.FlushAge
	old := age > 0 && len(w.records) > 0 && time.Since(w.since) >= age
	if w.unit != nil || old || len(w.records) > 0 && len(w.records)+len(records) > w.store.config.FlushRows {
		if err := w.write(ctx); err != nil {
			return err
		}
	}
	if len(w.records) == 0 {
		w.since = time.Now()
	}
	w.records = append(w.records, records...)
	return nil
}

func (w *writer) takeLosses(l []flow.Loss) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, loss := range l {
		w.losses = append(w.losses, storedLoss(loss))
	}
}

func (w *writer) flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(ctx)
}

// write writes everything, in units of FlushRows records.
func (w *writer) write(ctx context.Context) error {
	for {
		if w.unit == nil {
			n := min(len(w.records), w.store.config.FlushRows)
			if n == 0 && len(w.losses) == 0 {
				return nil
			}
			w.unit = &unit{id: newID(), records: w.records[:n:n], losses: w.losses}
			w.records, w.losses = w.records[n:], nil
		}
		if err := w.writeUnit(ctx, w.unit); err != nil {
			return err
		}
		w.unit = nil
		if len(w.records) == 0 {
			w.records = nil
		}
	}
}

// WriteOnce writes b's records in one transaction, at once, under a name. If
// that was done before, by any process at any time, it changes nothing.
func (s *Store) WriteOnce(ctx context.Context, name string, b *flow.Batch) error {
	if err := s.writable(ctx); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte("portolan " + name))
	u := &unit{id: [16]byte(digest[:16]), named: true, records: b.Records}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return s.config.explain(s.writer.writeUnit(ctx, u))
}

func newID() (id [16]byte) {
	rand.Read(id[:]) // never fails
	return id
}

// writeUnit sends u until it is committed, some times.
func (w *writer) writeUnit(ctx context.Context, u *unit) error {
	pause := firstPause
	for try := 1; ; try++ {
		sending, cancel := context.WithTimeout(ctx, sendTimeout)
		err := w.send(sending, u)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !w.noLoad && forbidsLoad(err) {
			w.noLoad = true
			continue
		}
		if !again(err) || try == tries {
			return fmt.Errorf("write %d records: %w", len(u.records), err)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// forbidsLoad reports whether err says that LOAD DATA LOCAL is not allowed.
func forbidsLoad(err error) bool {
	switch number(err) {
	case commandNotAllowed, localInfileOff, localInfileDisabled:
		return true
	}
	return false
}

// send writes u in one transaction.
func (w *writer) send(ctx context.Context, u *unit) error {
	s := w.store
	roll := newRollUp(len(u.records))
	ids := make([]uint32, len(u.records))
	for i := range u.records {
		r := &u.records[i]
		id, err := w.observer(ctx, r.Observer)
		if err != nil {
			return err
		}
		ids[i] = id
		roll.add(r, id)
	}
	if err := w.makeRoom(ctx, roll); err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing

	// The ledger comes first: while a try whose connection was lost is not
	// decided, the server lets nobody else have this identifier.
	_, err = tx.ExecContext(ctx, "INSERT INTO "+s.names.units+" (id, written, records, named) VALUES (?, ?, ?, ?)",
		u.id[:], time.Now().Unix(), len(u.records), u.named)
	if number(err) == duplicateKey {
		return nil
	}
	if err != nil {
		return err
	}
	for _, six := range []bool{false, true} {
		if err := w.writeRows(ctx, tx, u, ids, six); err != nil {
			return err
		}
	}
	if err := roll.write(ctx, tx, &s.names, !w.noLoad); err != nil {
		return err
	}
	if err := roll.writeDays(ctx, tx, &s.names); err != nil {
		return err
	}
	if err := writeLosses(ctx, tx, &s.names, u.losses); err != nil {
		return err
	}
	return tx.Commit()
}

// makeRoom sees to it that every day of the unit has its partition.
func (w *writer) makeRoom(ctx context.Context, roll *rollUp) error {
	if w.rooms == nil {
		w.rooms = map[string]*layout{}
	}
	n := &w.store.names
	flows := withDaysAhead(roll.flowDays(), time.Now())
	for table, days := range map[string][]int64{
		n.prefix + "v4": flows, n.prefix + "v6": flows,
		n.side + "edges": withDaysAhead(roll.edgeDays(), time.Now()),
	} {
		l := w.rooms[table]
		if l == nil {
			read, err := partitions(ctx, w.store.db, table)
			if err != nil {
				return err
			}
			l = &read
			w.rooms[table] = l
		}
		if err := w.store.makeRoom(ctx, table, l, days); err != nil {
			return err
		}
	}
	return nil
}

// observer returns the identifier of an observer. A new one is committed
// before its first row is.
func (w *writer) observer(ctx context.Context, name string) (id uint32, err error) {
	if id, ok := w.observers[name]; ok {
		return id, nil
	}
	text := stored(name)
	digest := sha256.Sum256([]byte(text))
	s := w.store
	_, err = s.db.ExecContext(ctx, "INSERT IGNORE INTO "+s.names.observers+" (digest, name) SELECT ?, ? FROM DUAL"+
		" WHERE NOT EXISTS (SELECT 1 FROM "+s.names.observers+" WHERE digest = ?)", digest[:], text, digest[:])
	if err != nil {
		return 0, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT id FROM "+s.names.observers+" WHERE digest = ?", digest[:]).Scan(&id)
	if err != nil {
		return 0, err
	}
	if w.observers == nil || len(w.observers) >= knownObservers {
		w.observers = map[string]uint32{}
	}
	w.observers[strings.Clone(name)] = id
	return id, nil
}

// writeRows writes the records of one family.
func (w *writer) writeRows(ctx context.Context, q queryer, u *unit, ids []uint32, six bool) error {
	table := w.store.names.v4
	if six {
		table = w.store.names.v6
	}
	instance := w.store.config.instanceName()
	if w.noLoad {
		return insert(ctx, q, target{table, rowColumns, ""}, func(c cells, full func() error) error {
			for i := range u.records {
				if isSix(&u.records[i].Key) != six {
					continue
				}
				appendRow(c, &u.records[i], rowContext{instance, ids[i]})
				if err := full(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var text tsv
	for i := range u.records {
		if isSix(&u.records[i].Key) == six {
			appendRow(&text, &u.records[i], rowContext{instance, ids[i]})
		}
	}
	return load(ctx, q, table, rowColumns, &text)
}

// load sends rows by LOAD DATA LOCAL INFILE.
func load(ctx context.Context, q queryer, table string, columns []string, text *tsv) error {
	if text.rows == 0 {
		return nil
	}
	id := newID()
	name := "portolan-" + hex.EncodeToString(id[:])
	mysql.RegisterReaderHandler(name, func() io.Reader { return bytes.NewReader(text.b) })
	defer mysql.DeregisterReaderHandler(name)
	result, err := q.ExecContext(ctx, "LOAD DATA LOCAL INFILE 'Reader::"+name+"' INTO TABLE "+table+
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (`+strings.Join(columns, ", ")+")")
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	// With LOCAL the server changes values that do not fit rather than refuse
	// them: whatever it warns of is an error here.
	var level, message string
	var code int
	err = each(ctx, q, "SHOW WARNINGS LIMIT 1", nil, func(rows *sql.Rows) error {
		return rows.Scan(&level, &code, &message)
	})
	if err != nil {
		return err
	}
	if n != int64(text.rows) || message != "" {
		return fmt.Errorf("the server took %d of %d rows: %s", n, text.rows, message)
	}
	return nil
}

// A target is a table that rows are inserted into.
type target struct {
	table   string // quoted
	columns []string
	tail    string // of the statement
}

// insert sends rows by INSERT, many at a time. The function rows gives cells
// to its first argument, and calls the second after each row.
func insert(ctx context.Context, q queryer, to target, rows func(c cells, full func() error) error) error {
	var a arguments
	send := func() error {
		if a.rows == 0 {
			return nil
		}
		text := "INSERT INTO " + to.table + " (" + strings.Join(to.columns, ", ") + ") VALUES " + marks(len(to.columns), a.rows) + to.tail
		_, err := q.ExecContext(ctx, text, a.values...)
		a = arguments{values: a.values[:0]}
		return err
	}
	err := rows(&a, func() error {
		if a.rows < rowsPerInsert && a.size < bytesPerInsert {
			return nil
		}
		return send()
	})
	if err != nil {
		return err
	}
	return send()
}

// writeLosses adds losses.
func writeLosses(ctx context.Context, q queryer, n *names, losses []flow.Loss) error {
	for chunk := range slices.Chunk(losses, 100) {
		var args []any
		for _, l := range chunk {
			args = append(args, l.Span.Start, l.Span.End, l.Observer, l.Where, l.Reason, l.Unit, l.Count)
		}
		_, err := q.ExecContext(ctx, "INSERT INTO "+n.losses+" (start_time, end_time, observer, stage, reason, unit, `count`) VALUES "+
			marks(7, len(chunk)), args...)
		if err != nil {
			return err
		}
	}
	return nil
}
