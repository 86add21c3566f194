package capture

// A Block is a kind of pcapng block that holds no packet.
type Block uint8

// Kinds of blocks that are skipped.
const (
	NameResolution Block = iota
	InterfaceStatistics
	DecryptionSecrets
	SystemdJournal
	CustomBlock
	OtherBlock
	blocks // how many there are; stands last
)

// NumBlocks is the length of an array that counts by Block.
const NumBlocks = int(blocks)

var blockTexts = [blocks]string{
	"name resolution", "interface statistics", "decryption secrets", "systemd journal", "custom", "other",
}

// String returns the kind in words.
func (b Block) String() string {
	if b < blocks {
		return blockTexts[b]
	}
	return "unknown"
}

// Types of blocks (draft-ietf-opsawg-pcapng).
const (
	blockInterface  = 1
	blockPacket     = 2 // obsolete
	blockSimple     = 3
	blockNames      = 4
	blockStatistics = 5
	blockEnhanced   = 6
	blockJournal    = 9
	blockSecrets    = 10
	blockCustom     = 0x00000bad
	blockCustomKeep = 0x40000bad // not to be copied
	blockSection    = 0x0a0d0d0a
)

// skippedBlock returns the kind of a block by its type.
func skippedBlock(kind uint32) Block {
	switch kind {
	case blockNames:
		return NameResolution
	case blockStatistics:
		return InterfaceStatistics
	case blockSecrets:
		return DecryptionSecrets
	case blockJournal:
		return SystemdJournal
	case blockCustom, blockCustomKeep:
		return CustomBlock
	}
	return OtherBlock
}
