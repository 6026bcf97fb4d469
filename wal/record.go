package wal

import (
	"fmt"
	"strconv"

	"github.com/raftctl/raftctl/raftpb"
)

// Kind tells what a record's data is.
type Kind uint8

// The kinds of records that etcd writes, with its numbers, and the kind that stands for a gap.
const (
	KindMetadata Kind = 1    // who wrote the log: see Metadata
	KindEntry    Kind = 2    // a raftpb.Entry
	KindState    Kind = 3    // a raftpb.HardState
	KindCRC      Kind = 4    // no data; CRC carries the chain over from the segment before
	KindSnapshot Kind = 5    // a snapshot was taken or received: see Snapshot
	KindDamage   Kind = 0xff // no record: bytes that no intact frame accounts for
)

// String returns the kind as the JSON contract spells it.
func (k Kind) String() string {
	switch k {
	case KindMetadata:
		return "metadata"
	case KindEntry:
		return "entry"
	case KindState:
		return "state"
	case KindCRC:
		return "crc"
	case KindSnapshot:
		return "snapshot"
	case KindDamage:
		return "damage"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Position is a place in a log: a byte offset within a segment.
type Position struct {
	Segment string // file name, without directory
	Off     int64
}

// String formats the position as errors print it.
func (p Position) String() string { return fmt.Sprintf("%s: offset %d", p.Segment, p.Off) }

// Record is one record as it lies in a segment, or damage.
//
// The Len of all records of a segment, in order, add up to the offset where its last record ends:
// every byte belongs to one of them. A damage that is about the record that follows it has a Len of
// 0 for that reason; Damage.Len then tells how many bytes are wrong.
type Record struct {
	Kind Kind
	Pos  Position // where the frame begins
	Len  int64    // bytes of the whole frame: header, record and padding
	Pad  int      // bytes of padding at its end
	CRC  uint32   // the checksum stored in the record
	Sum  uint32   // the checksum computed over the chain; CRC == Sum in an intact record
	// ID is the position of the entry in Data when Kind is KindEntry; zero if it can't be decoded.
	ID     raftpb.EntryID
	Data   []byte  // aliases the reader's buffer: valid until the next record is read
	Damage *Damage // set when Kind is KindDamage

	// Unchecked says that the data could not be verified: the checksum of what came before is lost
	// with the damage that precedes the record. What follows proves that it was written here.
	Unchecked bool

	state raftpb.HardState // in Data, if its term is not 0
}
