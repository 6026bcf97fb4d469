package wal

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

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
	Data   []byte   // aliases the reader's buffer: valid until the next record is read
	Damage *Finding // set when Kind is KindDamage

	// Unchecked says that the data could not be verified: the checksum of what came before is lost
	// with the damage that precedes the record. What follows proves that it was written here.
	Unchecked bool

	payload   []byte           // of the entry in Data, if normal
	normal    bool             // Data is a normal entry with data, in the form that etcd writes
	state     raftpb.HardState // in Data, if its term is not 0
	otherForm bool             // encoded as no etcd encodes a record, yet intact
	unlinked  bool             // of damage: nothing proves that what follows continues the log
}

// AppendFrame appends the record's frame in its canonical form: header, record and padding as etcd
// writes them, with the checksum that the record stores. For an intact record of etcd 3.4 or later
// these are the bytes that lie in the segment. A damage has no frame: dst is returned as it is.
func (r *Record) AppendFrame(dst []byte) []byte {
	if r.Kind == KindDamage {
		return dst
	}
	return appendFrame(dst, r.Kind, r.CRC, r.Data)
}
