package wal

import "github.com/raftctl/raftctl/internal/verdict"

// Class says what is wrong at a place in a log, spelled as in the JSON contract.
type Class string

// Classes of damage in the bytes of one segment. Where the class says that a field is wrong,
// everything else in the record is proven intact by its checksum, and the record is yielded after
// the damage.
const (
	ClassTorn         Class = "torn_end"
	ClassFrameLength  Class = "frame_length"
	ClassLengthField  Class = "length_field"
	ClassZeroedLength Class = "zeroed_length"
	ClassZeroedSector Class = "zeroed_sector"
	ClassPayload      Class = "payload"
	ClassCRCField     Class = "crc_field"
	ClassCRCMismatch  Class = "crc_mismatch"
	ClassKind         Class = "record_type"
	ClassUnknownKind  Class = "unknown_type"
	ClassPrefix       Class = "record_prefix"
	ClassMalformed    Class = "malformed"
	ClassPadding      Class = "padding"
	ClassCorrupt      Class = "corrupt"
	ClassGarbage      Class = "trailing_garbage"
	ClassTrailingZero Class = "trailing_zeros"
	ClassTruncated    Class = "truncated_segment"
	ClassSegmentHead  Class = "segment_head"
)

// Classes of how segments follow each other. Their findings have length 0 and lie at the head of
// the later segment.
const (
	ClassMissingSegment Class = "missing_segment"
	ClassSegmentOrder   Class = "segment_order"
	ClassCRCChain       Class = "crc_chain"
	ClassMetadata       Class = "metadata_mismatch"
	ClassEmptySegment   Class = "empty_segment"
)

// Classes of what intact records say. Only Verify gives them.
const (
	ClassForeign              Class = "foreign_records"
	ClassRecordForm           Class = "record_form"
	ClassRecordOrder          Class = "record_order"
	ClassEntryType            Class = "entry_type"
	ClassIndexGap             Class = "index_gap"
	ClassIndexBack            Class = "index_back"
	ClassSameTerm             Class = "same_term_overwrite"
	ClassCommittedOverwritten Class = "committed_overwritten"
	ClassTermBack             Class = "term_back"
	ClassVoteChange           Class = "vote_change"
	ClassCommitBeyond         Class = "commit_beyond"
	ClassCommitBack           Class = "commit_back"
	ClassNameIndex            Class = "name_index"
	ClassSnapshotConflict     Class = "snapshot_conflict"
	ClassSnapshotBeyond       Class = "snapshot_beyond_commit"
	ClassSnapshotFile         Class = "snapshot_missing"
	ClassGhost                Class = "ghost_entries"
	ClassEtcdStart            Class = "etcd_start"
)

// Classes of what lies beside the records. Only Verify gives them.
const (
	ClassUnpadded   Class = "unpadded_frames"
	ClassPurged     Class = "purged_start"
	ClassOddName    Class = "odd_name"
	ClassShortTail  Class = "short_tail"
	ClassLostEnd    Class = "lost_end"
	ClassSpare      Class = "spare_segment"
	ClassStaleSpare Class = "stale_spare"
	ClassIgnored    Class = "ignored_file"
	ClassUnchecked  Class = "unchecked"
)

// Severity tells how much a finding matters.
type Severity = verdict.Severity

// The severities. One error makes a log's verdict a problem; warnings and infos don't.
const (
	SeverityError   = verdict.Error   // no etcd writes this, or etcd would misread it
	SeverityWarning = verdict.Warning // odd, but nothing is lost by it
	SeverityInfo    = verdict.Info    // worth knowing
)

// ClassInfo describes a class.
type ClassInfo struct {
	Class    Class
	Severity Severity // of its findings, where they don't say otherwise
	Doc      string   // one line
}

// Classes returns all classes that this package gives, in the order of the documentation.
func Classes() []ClassInfo { return append([]ClassInfo(nil), classes...) }

var classes = []ClassInfo{
	{ClassTorn, SeverityError, "the log ends in an incomplete write"},
	{ClassFrameLength, SeverityError, "a length that no writer writes, or beyond the file"},
	{ClassLengthField, SeverityError, "only a frame's length is wrong"},
	{ClassZeroedLength, SeverityError, "only a frame's length is wrong: it is 0"},
	{ClassZeroedSector, SeverityError, "whole 512-byte sectors are zero, with records after"},
	{ClassPayload, SeverityError, "a record's data changed after it was written"},
	{ClassCRCField, SeverityError, "only the stored checksum is wrong"},
	{ClassCRCMismatch, SeverityError, "data or stored checksum: nothing tells which"},
	{ClassKind, SeverityError, "only the record's type is wrong"},
	{ClassUnknownKind, SeverityError, "intact, but of a type that no etcd writes"},
	{ClassPrefix, SeverityError, "only a tag or the data's length in a record is wrong"},
	{ClassMalformed, SeverityError, "an intact checksum over data that can't be decoded"},
	{ClassPadding, SeverityError, "padding that is not zero"},
	{ClassCorrupt, SeverityError, "bytes from which nothing could be recovered"},
	{ClassGarbage, SeverityError, "bytes after the last record that are not zero"},
	{ClassTrailingZero, SeverityError, "zeros after the last record of a finished segment"},
	{ClassTruncated, SeverityError, "a finished segment ends within a record"},
	{ClassSegmentHead, SeverityError, "a segment doesn't begin with a crc record"},

	{ClassMissingSegment, SeverityError, "the sequence numbers leave some out"},
	{ClassSegmentOrder, SeverityError, "a sequence number twice or going back"},
	{ClassCRCChain, SeverityError, "a segment doesn't continue the one before"},
	{ClassMetadata, SeverityError, "another member's or another cluster's segment"},
	{ClassEmptySegment, SeverityError, "a segment without a single record"},

	{ClassForeign, SeverityError, "intact records of another log: they count for nothing"},
	{ClassRecordForm, SeverityWarning, "an intact record encoded as no etcd encodes it"},
	{ClassRecordOrder, SeverityError, "a record where no writer puts it"},
	{ClassEntryType, SeverityError, "an entry of a type that raft doesn't have"},
	{ClassIndexGap, SeverityError, "an entry's index is above the last one plus one"},
	{ClassIndexBack, SeverityInfo, "entries replaced by a new leader; legal"},
	{ClassSameTerm, SeverityError, "an entry replaces one of its own term: no leader does"},
	{ClassCommittedOverwritten, SeverityError, "an entry replaces a committed one"},
	{ClassTermBack, SeverityError, "a term below one that came before"},
	{ClassVoteChange, SeverityError, "two votes in one term"},
	{ClassCommitBeyond, SeverityError, "the hard state's commit is above the last entry"},
	{ClassCommitBack, SeverityError, "the hard state's commit is below an earlier one"},
	{ClassNameIndex, SeverityError, "a segment's name and its first entry disagree"},
	{ClassSnapshotConflict, SeverityError, "a snapshot's term isn't that of its entry"},
	{ClassSnapshotBeyond, SeverityInfo, "a snapshot above the last commit: etcd ignores it"},
	{ClassSnapshotFile, SeverityInfo, "a snapshot record without its file"},
	{ClassGhost, SeverityError, "etcd's reader brings overwritten entries back"},
	{ClassEtcdStart, SeverityError, "etcd doesn't start on the log as it is"},

	{ClassUnpadded, SeverityInfo, "frames without padding, as etcd 2.x wrote them"},
	{ClassPurged, SeverityInfo, "the first segments were removed; legal"},
	{ClassOddName, SeverityWarning, "a segment under a name that etcd reads, but doesn't give"},
	{ClassShortTail, SeverityInfo, "the last segment has no space ahead"},
	{ClassLostEnd, SeverityError, "the last segment is full, and its successor is missing"},
	{ClassSpare, SeverityInfo, "a prepared segment (.tmp) left behind"},
	{ClassStaleSpare, SeverityInfo, "a prepared segment that holds an old header"},
	{ClassIgnored, SeverityInfo, "a file that is no segment"},
	{ClassUnchecked, SeverityWarning, "something could not be checked"},
}

var severities = func() map[Class]Severity {
	m := make(map[Class]Severity, len(classes))
	for _, c := range classes {
		m[c.Class] = c.Severity
	}
	return m
}()
