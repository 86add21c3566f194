// Package packet decodes a captured frame into what the flow table needs, in
// place and without allocation.
package packet

// A Frame is one captured frame. Data is borrowed from the source: it is valid
// until the source's next ReadBatch and must not be changed.
type Frame struct {
	Data  []byte   // what was captured, from the link header on; may be cut
	Time  int64    // ns since 1970 UTC
	Wire  uint32   // length on the wire in bytes, link header included, FCS not; >= len(Data) in a sound file, not in every file
	Iface uint32   // index into the source's interfaces
	Link  LinkType // how Data begins
	VLAN  uint16   // VLAN identifier of a tag that the kernel had taken off, 0 = none
}

// A LinkType says how a frame begins: a LINKTYPE_ value of the tcpdump group's
// registry (https://www.tcpdump.org/linktypes.html), upper bits masked off.
type LinkType uint16
