package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// journalFile says when a daemon was alive, so that the next one knows what
// time was missed when it was killed.
const journalFile = "run.json"

type journal struct {
	path string
	note journalNote
}

type journalNote struct {
	Started time.Time `json:"started"`
	Alive   time.Time `json:"alive"`
	Ended   bool      `json:"ended"` // as it should
}

// begin notes that a run begins, and returns what the last one missed: a Loss
// of no packets if it ended as it should.
func (j *journal) begin(now time.Time) (gap flow.Loss, err error) {
	var last journalNote
	text, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return gap, err
	}
	// A note that a crash cut says no more than that there was one.
	if err == nil && json.Unmarshal(text, &last) == nil && !last.Ended && last.Alive.Before(now) {
		gap = flow.Loss{
			Span:  flow.Span{Start: last.Alive.UnixNano(), End: now.UnixNano()},
			Where: "capture", Reason: "portolan was killed, and did not run", Count: 1, Unit: "gaps",
		}
	}
	j.note = journalNote{Started: now, Alive: now}
	return gap, j.write()
}

func (j *journal) alive(now time.Time) error {
	j.note.Alive = now
	return j.write()
}

func (j *journal) end(now time.Time) error {
	j.note.Ended = true
	return j.alive(now)
}

func (j *journal) write() error {
	text, err := json.Marshal(j.note)
	if err != nil {
		return err
	}
	if err := os.WriteFile(j.path+".tmp", text, 0o644); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return os.Rename(j.path+".tmp", j.path)
}
