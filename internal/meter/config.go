package meter

import (
	"errors"
	"fmt"
	"time"

	"github.com/portolan/portolan/internal/flow"
)

// maxFlows bounds Config.MaxFlows: a place in the index names a record with 32
// bits, and 2^26 flows already take 22 GB.
const maxFlows = 1 << 26

// Config says how packets become flows. Start from Default.
type Config struct {
	// MaxFlows is how many conversations the table holds, 1 to 2^26. Each takes
	// 340 bytes at the most, and memory is taken as it is needed. When the table
	// is full, the one of sixteen neighbours that was quiet the longest is
	// exported early.
	MaxFlows int

	// Idle ends conversations that are not TCP when they were quiet so long.
	Idle time.Duration
	// TCPIdle ends TCP connections that said nothing so long and did not close.
	TCPIdle time.Duration
	// TCPOpening ends TCP connections whose handshake stands still.
	TCPOpening time.Duration
	// Linger keeps TCP connections after their end, so that a stray segment
	// does not look like a conversation of its own.
	Linger time.Duration
	// Active is how long a slice of a conversation lasts before it is exported.
	Active time.Duration

	// Observer names the place where an interface of the source listens; nil =
	// no name. It is called once for each interface. Interfaces of one name are
	// one observer; packets seen by several observers count for each of them.
	Observer func(iface uint32) string

	// Registered reports whether a service is registered for a port; nil = none
	// is.
	Registered func(proto flow.Proto, port uint16) bool

	// Guess tells the application from addresses and the server's port alone,
	// for conversations that the Identifier could not name; nil = no guesses. It
	// returns the zero App if it does not know.
	Guess func(k flow.Key) flow.App

	// Identifier looks into payloads; nil = nobody does.
	Identifier Identifier
	// MaxPending is how many conversations may wait for the Identifier's
	// verdict at a time. Those beyond are never shown to it, and counted.
	MaxPending int

	// Seed goes into all hashes, so that nobody can aim at one place of the
	// table. 0 = a random one. Records do not depend on it.
	Seed uint64
}

// Default returns the configuration for live capture and for files.
//
// Timeouts cost memory alone: what a conversation has counted is exported after
// Active at the latest, and a full table gives up the quiet ones first. So TCP
// may be quiet for 15 minutes, longer than connection pools keep idle
// connections to a database unused; it rarely ends without FIN or RST.
// Opening takes 30 seconds: four SYNs without an answer, sent after 1, 3, 7 and
// 15 seconds, stay one attempt. UDP and ICMP have no end that can be seen;
// 30 seconds is what firewalls give them.
func Default() Config {
	return Config{
		MaxFlows:   1 << 19,
		Idle:       30 * time.Second,
		TCPIdle:    15 * time.Minute,
		TCPOpening: 30 * time.Second,
		Linger:     5 * time.Second,
		Active:     time.Minute,
		MaxPending: 1 << 16,
	}
}

// check returns all that is wrong with c.
func (c *Config) check() error {
	var errs []error
	if c.MaxFlows < 1 || c.MaxFlows > maxFlows {
		errs = append(errs, fmt.Errorf("meter: MaxFlows is %d: must be 1 to %d", c.MaxFlows, maxFlows))
	}
	if c.MaxPending < 0 {
		errs = append(errs, fmt.Errorf("meter: MaxPending is %d: must be 0 or more", c.MaxPending))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"Idle", c.Idle}, {"TCPIdle", c.TCPIdle}, {"TCPOpening", c.TCPOpening}, {"Linger", c.Linger}, {"Active", c.Active},
	} {
		if d.value < time.Second {
			errs = append(errs, fmt.Errorf("meter: %s is %v: must be 1s or more", d.name, d.value))
		}
	}
	return errors.Join(errs...)
}
