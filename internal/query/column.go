package query

// A Column names what a store keeps of a record. String is the name that a
// table of our own uses for it.
type Column uint8

// The columns that questions and filters look at.
const (
	ClientColumn          Column = iota // client address, 16 bytes, IPv4 as 4-in-6
	ServerColumn                        // server address, 16 bytes
	ClientPortColumn                    // 16 bits
	ServerPortColumn                    // 16 bits
	ProtoColumn                         // 8 bits
	VLANColumn                          // 16 bits, 0 = untagged
	MasterColumn                        // App.Master, 16 bits
	AppColumn                           // App.App, 16 bits
	GuessColumn                         // App.Guess, boolean
	InfoColumn                          // text
	ObserverColumn                      // text
	StartColumn                         // ns since 1970 UTC
	EndColumn                           // ns since 1970 UTC
	PacketsToServerColumn               // 64 bits, as are the next three
	BytesToServerColumn
	PacketsToClientColumn
	BytesToClientColumn
	EvidenceColumn // 8 bits
	FlowColumn     // Record.ID, 64 bits
	SliceColumn    // 32 bits
	columnCount
)

var columnNames = [columnCount]string{
	ClientColumn: "client", ServerColumn: "server",
	ClientPortColumn: "client_port", ServerPortColumn: "server_port",
	ProtoColumn: "proto", VLANColumn: "vlan",
	MasterColumn: "app_master", AppColumn: "app", GuessColumn: "app_guess",
	InfoColumn: "info", ObserverColumn: "observer",
	StartColumn: "start_time", EndColumn: "end_time",
	PacketsToServerColumn: "packets_to_server", BytesToServerColumn: "bytes_to_server",
	PacketsToClientColumn: "packets_to_client", BytesToClientColumn: "bytes_to_client",
	EvidenceColumn: "evidence", FlowColumn: "flow_id", SliceColumn: "slice",
}

// String returns the canonical name: lower case, words joined by "_".
func (c Column) String() string {
	if c < columnCount {
		return columnNames[c]
	}
	return "unknown"
}
