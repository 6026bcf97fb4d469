package wal

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// encoder turns what is appended into frames, and knows what the head of the next segment has to
// say.
type encoder struct {
	kinds    *Dialect
	flavor   raftpb.Flavor
	metadata []byte // data of the metadata record
	limit    int64  // size of a segment that makes it the last but one

	crc     uint32
	state   raftpb.HardState // the last one that was not empty
	carried []headRecord     // the last record of each kind that is carried over; see note
	last    uint64           // index of the last entry, or of a snapshot ahead of it
	seq     uint64           // of the segment that is written to
	flushed flushModel
	scratch []byte
}

// frame appends one record to the batch.
func (e *encoder) frame(b *batch, k Kind, data []byte) {
	e.crc = updateCRC(e.crc, data)
	lo := len(b.buf)
	b.buf = appendFrame(b.buf, k, e.crc, data)
	e.flushed.frame(len(b.buf) - lo)
}

// tagEntryData precedes the data in an encoded entry, in which it is the last field.
const tagEntryData = 0x22

// entry appends the record of an entry. It does what frame does with the entry's encoding, but
// copies the entry's data only once.
func (e *encoder) entry(b *batch, entry *raftpb.Entry) {
	head := raftpb.Entry{Type: entry.Type, Term: entry.Term, Index: entry.Index}
	e.scratch = head.AppendTo(e.scratch[:0], e.flavor)
	if entry.Data != nil {
		e.scratch = binary.AppendUvarint(append(e.scratch, tagEntryData), uint64(len(entry.Data)))
	}
	e.crc = updateCRC(updateCRC(e.crc, e.scratch), entry.Data)
	n := len(e.scratch) + len(entry.Data)
	size := 4 + uvarintSize(uint64(e.crc)) + uvarintSize(uint64(n)) + n
	h, pad := frameHeader(size)

	buf := binary.LittleEndian.AppendUint64(b.buf, h)
	buf = append(buf, tagRecordType, byte(KindEntry), tagRecordCRC)
	buf = binary.AppendUvarint(buf, uint64(e.crc))
	buf = binary.AppendUvarint(append(buf, tagRecordData), uint64(n))
	buf = append(buf, e.scratch...)
	buf = append(buf, entry.Data...)
	b.buf = append(buf, noPadding[:pad]...)
	e.flushed.frame(frameHeaderSize + size + pad)
	e.last = entry.Index
}

var noPadding [frameAlign]byte

// checkEntries refuses entries that no reader could place.
func (e *encoder) checkEntries(entries []raftpb.Entry) error {
	last := e.last
	for i := range entries {
		index := entries[i].Index
		if index == 0 || index > last+1 {
			return fmt.Errorf("entry index %d, want 1 to %d", index, last+1)
		}
		last = index
	}
	return nil
}

// save appends entries and a hard state, and begins a new segment where etcd would.
func (e *encoder) save(b *batch, state raftpb.HardState, entries []raftpb.Entry, durable bool) {
	for i := range entries {
		e.entry(b, &entries[i])
	}
	if !state.IsEmpty() {
		e.state = state
		e.hardState(b)
	}
	switch {
	case e.flushed.size >= e.limit:
		e.roll(b)
	case durable:
		e.flushed.sync()
	}
}

func (e *encoder) hardState(b *batch) {
	e.scratch = e.state.AppendTo(e.scratch[:0], e.flavor)
	e.frame(b, KindState, e.scratch)
}

// snapshot appends a snapshot record.
func (e *encoder) snapshot(b *batch, s *Snapshot) {
	e.scratch = s.AppendTo(e.scratch[:0], e.flavor)
	e.frame(b, KindSnapshot, e.scratch)
	e.last = max(e.last, s.Index)
	e.flushed.sync()
}

// raw appends a record with the data as it is.
func (e *encoder) raw(b *batch, k Kind, data []byte) error {
	if row := e.kinds.row(k); row == nil || k == KindMetadata || k == KindCRC {
		return fmt.Errorf("a %s record can't be appended", e.kinds.KindName(k))
	}
	if err := e.note(k, data); err != nil {
		return fmt.Errorf("%s record: %w", e.kinds.KindName(k), err)
	}
	e.frame(b, k, data)
	return nil
}

// note takes in what a record says that a later one depends on.
func (e *encoder) note(k Kind, data []byte) error {
	switch k {
	case KindEntry:
		var entry raftpb.Entry
		if err := entry.UnmarshalAlias(data); err != nil {
			return err
		}
		e.last = entry.Index
	case KindState:
		var state raftpb.HardState
		if err := state.Unmarshal(data); err != nil {
			return err
		}
		e.state = state
	case KindSnapshot:
		var s Snapshot
		if err := s.Unmarshal(data); err != nil {
			return err
		}
		e.last = max(e.last, s.Index)
	default:
		return e.noteOwn(e.kinds.row(k), data)
	}
	return nil
}

// noteOwn is note for a kind that is not etcd's.
func (e *encoder) noteOwn(row *kindRow, data []byte) error {
	if row == nil || row.kind < KindOwn {
		return nil
	}
	if !row.decodes(data) {
		return fmt.Errorf("%d bytes are no %s", len(data), row.name)
	}
	if !row.carried {
		return nil
	}
	i := slices.IndexFunc(e.carried, func(c headRecord) bool { return c.kind == row.kind })
	if i < 0 {
		i = len(e.carried)
		e.carried = append(e.carried, headRecord{kind: row.kind})
	}
	e.carried[i].data = append(e.carried[i].data[:0], data...)
	return nil
}

// roll ends the segment here and appends the head of the next one.
func (e *encoder) roll(b *batch) {
	e.rollBare(b, e.last+1)
	if !e.state.IsEmpty() {
		e.hardState(b)
	}
	for _, r := range e.carried {
		e.frame(b, r.kind, r.data)
	}
	e.flushed.sync()
	b.rolls[len(b.rolls)-1].hi = len(b.buf)
}

// rollBare ends the segment here and begins one of the given index with its crc record and metadata.
func (e *encoder) rollBare(b *batch, index uint64) {
	e.seq++
	c := segmentRoll{name: SegmentName{Seq: e.seq, Index: index}, lo: len(b.buf)}
	e.flushed = flushModel{}
	e.head(b)
	e.flushed.sync()
	c.hi = len(b.buf)
	b.rolls = append(b.rolls, c)
}

// head appends what every segment begins with: the checksum so far, and whose log it is.
func (e *encoder) head(b *batch) {
	e.frame(b, KindCRC, nil)
	e.frame(b, KindMetadata, e.metadata)
}

// flushModel tells how large etcd would find the segment. etcd begins a new one after the save that
// finds it at SegmentSize, but looks before it syncs, so that bytes which its page writer still
// buffers don't count. Following it makes our segments end where its would: counting all bytes, the
// second segment of a log that a real etcd 3.6 filled begins with another entry
// (TestAppendedAnewIsIdentical).
type flushModel struct {
	size     int64 // bytes in the file
	buffered int64
}

const (
	etcdBuffer = 128 << 10
	etcdPage   = 4096
)

// frame takes in a frame of n bytes, whose header etcd writes by itself.
func (m *flushModel) frame(n int) {
	m.write(frameHeaderSize)
	m.write(int64(n - frameHeaderSize))
}

// write takes in one write to the page writer. It buffers up to etcdBuffer bytes; a write that
// doesn't fit first fills the current page of the file, then all whole pages go out.
func (m *flushModel) write(n int64) {
	if m.buffered+n <= etcdBuffer {
		m.buffered += n
		return
	}
	gap := -(m.size + m.buffered) & (etcdPage - 1)
	if gap > n {
		m.buffered += n
		return
	}
	m.size += m.buffered + gap
	m.buffered = n - gap
	if m.buffered > etcdPage {
		m.size += m.buffered &^ (etcdPage - 1)
		m.buffered &= etcdPage - 1
	}
}

// sync takes in that the page writer was emptied.
func (m *flushModel) sync() { m.size, m.buffered = m.size+m.buffered, 0 }
