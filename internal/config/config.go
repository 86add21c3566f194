// Package config holds the settings of the daemon and where each came from.
//
// A setting comes from the first of these that names it: a flag, an environment
// variable, the configuration file, the default. The file is YAML, or one that
// was written for ntopng.
package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// flowBytes is what a conversation takes in the flow table at the most.
const flowBytes = 340

// A Config is what "portolan run" is told. Get one from a Loader; then every
// value is within its range, and nothing is left to be computed.
type Config struct {
	// Interfaces are the names of the network interfaces to listen on.
	Interfaces []string
	// Filter is a pcap-filter expression; packets that do not match are not
	// looked at. Empty = all packets.
	Filter      string
	Promiscuous bool
	Direction   Direction
	// IgnoreVLANs makes conversations of several VLANs one.
	IgnoreVLANs bool
	// Snap is how much of a packet is looked at, in bytes.
	Snap int
	// Sampling N looks at one of N packets; counts are multiplied by it. 1 = all.
	Sampling uint32
	Ring     Ring
	// Workers is how many threads share an interface.
	Workers int
	// Memory bounds the flow table of one worker.
	Memory   Size
	Timeouts Timeouts

	// Instance is what this Portolan is called where several write into one
	// store.
	Instance      string
	LocalNetworks []Network
	// Hosts are files with names of addresses.
	Hosts []string
	// Identify tells whether applications are told by payload.
	Identify bool
	// Protocols is a file with custom protocols in nDPI's form; empty = none.
	Protocols string
	Learn     Learn

	// DataDir holds what Portolan keeps, unless Store or Spill say otherwise.
	DataDir   string
	Store     StoreURL
	Retention Retention
	Spill     Spill

	// Listen is host:port of the status page and the metrics; empty = none.
	Listen string
	// User is who to become once the interfaces are open; empty = nobody else.
	User string
	Log  Log
}

// A Ring is the buffer that a worker shares with the kernel: Blocks times
// BlockSize bytes.
type Ring struct {
	BlockSize Size // a power of two, 64KiB to 16MiB
	Blocks    int  // 4 to 1024
}

// Timeouts say when a conversation ends, 1s or more; see meter.Config.
type Timeouts struct {
	Idle       time.Duration
	TCPIdle    time.Duration
	TCPOpening time.Duration
	Active     time.Duration
}

// Retention bounds the store. Zero means no bound. The defaults are for the
// embedded store: a database forgets nothing unless somebody said so.
type Retention struct {
	Raw    time.Duration // age of flows
	RollUp time.Duration // age of hourly and daily sums
	Size   Size
}

// Spill says where flows wait while a database does not answer.
type Spill struct {
	Folder string
	Budget Size // 0 = they do not wait, they are lost and counted
}

// Log says what is logged and how.
type Log struct {
	Level  slog.Level
	Format string // text or json
}

// A Direction says which packets of an interface count.
type Direction string

// What Direction may be.
const (
	Both     Direction = "both"
	Incoming Direction = "in"
	Outgoing Direction = "out"
)

// Learn says what may be kept of what payloads say.
type Learn string

// What Learn may be.
const (
	Names   Learn = "names"   // names of hosts, from DNS, TLS, HTTP and the like
	Nothing Learn = "nothing" // nothing that a payload says is kept
)

// A Network is one of ours. An empty title is the prefix itself.
type Network struct {
	Prefix netip.Prefix
	Title  string
}

func (n Network) String() string {
	if n.Title == "" {
		return n.Prefix.String()
	}
	return n.Prefix.String() + "=" + n.Title
}

// MaxFlows is how many conversations fit into Memory, per worker.
func (c *Config) MaxFlows() int {
	const most = 1 << 26 // what meter.Config takes
	return int(min(max(c.Memory/flowBytes, 1), most))
}
