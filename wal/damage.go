package wal

import (
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// Class is a verdict on a place in a log, spelled as in the JSON contract.
type Class string

// Verdicts on the bytes of one segment. Where the class says that a field is wrong, everything else
// in the record is proven intact by its checksum, and the record is yielded after the damage.
const (
	ClassTorn         Class = "torn_end"          // the last write of the log is incomplete
	ClassFrameLength  Class = "frame_length"      // a length that no writer writes, or beyond the file
	ClassLengthField  Class = "length_field"      // only a frame's length is wrong
	ClassZeroedLength Class = "zeroed_length"     // only a frame's length is wrong: it is 0
	ClassZeroedSector Class = "zeroed_sector"     // whole 512-byte sectors are zero, with records after
	ClassPayload      Class = "payload"           // a record's data changed after it was written
	ClassCRCField     Class = "crc_field"         // only the stored checksum is wrong
	ClassCRCMismatch  Class = "crc_mismatch"      // data or stored checksum: nothing tells which
	ClassKind         Class = "record_type"       // only the record's type is wrong
	ClassUnknownKind  Class = "unknown_type"      // intact, but of a type that no etcd writes
	ClassPrefix       Class = "record_prefix"     // only a tag or the data's length in a record is wrong
	ClassMalformed    Class = "malformed"         // an intact checksum over data that can't be decoded
	ClassPadding      Class = "padding"           // padding that is not zero
	ClassCorrupt      Class = "corrupt"           // bytes from which nothing could be recovered
	ClassGarbage      Class = "trailing_garbage"  // bytes after the last record that are not zero
	ClassTrailingZero Class = "trailing_zeros"    // zeros after the last record of a finished segment
	ClassTruncated    Class = "truncated_segment" // a finished segment ends within a record
	ClassSegmentHead  Class = "segment_head"      // a segment doesn't begin with a crc record
)

// Verdicts on how segments follow each other. Their damage has length 0 and lies at the head of the
// later segment.
const (
	ClassMissingSegment Class = "missing_segment"   // the sequence numbers leave some out
	ClassSegmentOrder   Class = "segment_order"     // a sequence number twice or going back
	ClassCRCChain       Class = "crc_chain"         // a segment doesn't continue the one before
	ClassMetadata       Class = "metadata_mismatch" // another member's or another cluster's segment
	ClassEmptySegment   Class = "empty_segment"     // a finished segment without a single record
)

// Verdicts on what intact records say. Verify gives them.
const (
	ClassIndexGap     Class = "index_gap"        // an entry's index is above the last one plus one
	ClassIndexBack    Class = "index_back"       // entries overwritten by a new leader; legal
	ClassTermBack     Class = "term_back"        // a term below one that came before
	ClassCommitBeyond Class = "commit_beyond"    // the hard state's commit is above the last entry
	ClassCommitBack   Class = "commit_back"      // the hard state's commit is below an earlier one
	ClassNameIndex    Class = "name_index"       // a segment's name and its first entry disagree
	ClassSnapshotFile Class = "snapshot_missing" // a snapshot record without its file
	ClassGhost        Class = "ghost_entries"    // overwritten entries that etcd's reader brings back
	ClassSpare        Class = "spare_segment"    // a prepared segment (.tmp) left behind
	ClassStaleSpare   Class = "stale_spare"      // a prepared segment that holds an old header
	ClassPurged       Class = "purged_start"     // the first segments were removed; legal
)

// Damage is a place in a log where the bytes are not what a writer wrote, and what is known about
// it.
type Damage struct {
	Class Class
	Pos   Position // of the first byte that is wrong or can't be read
	Len   int64    // bytes that are wrong or can't be read; 0 for a place between segments

	// Before and After are the last entry before and the first entry after the place, in the order
	// of the bytes. Zero: there is none, or it could not be told.
	Before, After raftpb.EntryID

	Evidence string // one line: what was found, what was expected, and what proves it
}

// String returns position, class and evidence on one line.
func (d *Damage) String() string { return fmt.Sprintf("%v: %s: %s", d.Pos, d.Class, d.Evidence) }

// Err returns the damage as an error: one that is ErrTorn for a torn end, else a *CorruptError.
func (d *Damage) Err() error {
	if d.Class == ClassTorn {
		return fmt.Errorf("%v: %w: %s", d.Pos, ErrTorn, d.Evidence)
	}
	return &CorruptError{File: d.Pos.Segment, Off: d.Pos.Off, Err: errors.New(d.Evidence)}
}
