package flow

// Evidence says what decided which side is the client. A higher value is a
// better reason. The numbers are stored: they never change, and the gaps are
// for reasons yet to come.
type Evidence uint8

const (
	NoEvidence     Evidence = 0
	FirstPacket    Evidence = 10 // who spoke first
	LowerPort      Evidence = 20 // the lower port is the server's
	RegisteredPort Evidence = 30 // one port alone is registered (IANA)
	RecurringPort  Evidence = 40 // one side's port recurs over many peers
	KnownListener  Evidence = 50 // another conversation proved that this port listens
	ExporterSaid   Evidence = 60 // the exporter told it (RFC 5103 biflowDirection, a log's own column)
	RequestSeen    Evidence = 65 // a message said that it asks, or that it answers (ICMP echo)
	SYNACKSeen     Evidence = 70 // a SYN-ACK came from the server
	SYNSeen        Evidence = 80 // a SYN came from the client
)

var evidenceNames = map[Evidence]string{
	NoEvidence: "none", FirstPacket: "first-packet", LowerPort: "lower-port",
	RegisteredPort: "registered-port", RecurringPort: "recurring-port",
	KnownListener: "known-listener", ExporterSaid: "exporter",
	RequestSeen: "request", SYNACKSeen: "syn-ack", SYNSeen: "syn",
}

// String returns the word that stands for e in output and filters.
func (e Evidence) String() string {
	if s, ok := evidenceNames[e]; ok {
		return s
	}
	return "unknown"
}

// Cause says why a slice of a conversation was exported. The values are those
// of IPFIX flowEndReason (RFC 5102 section 5.11.3, IANA element 136).
type Cause uint8

const (
	NoCause       Cause = 0
	IdleTimeout   Cause = 1
	ActiveTimeout Cause = 2
	EndOfFlow     Cause = 3 // FIN on both sides, or RST
	Forced        Cause = 4 // the source ended, or somebody asked
	LackOfMemory  Cause = 5 // the flow table was full
)

// String returns the cause in words.
func (c Cause) String() string {
	switch c {
	case IdleTimeout:
		return "idle timeout"
	case ActiveTimeout:
		return "active timeout"
	case EndOfFlow:
		return "end of flow"
	case Forced:
		return "forced end"
	case LackOfMemory:
		return "lack of resources"
	}
	return "unknown"
}
