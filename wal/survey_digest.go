package wal

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/raftctl/raftctl/internal/wirefield"
	"github.com/raftctl/raftctl/raftpb"
)

// maxMetadata is how much of a metadata record is kept. What etcd writes has 22 bytes at most.
const maxMetadata = 4 << 10

// maxSnapshotRecord is how large a snapshot record is taken for one: its membership takes 10 bytes a
// member, and a cluster has a handful.
const maxSnapshotRecord = 16 << 10

// digest is what a pass over one segment leaves behind: its history in a few events, what was found
// wrong with it, and what the segments beside it must agree with. Segments are digested in
// parallel, so it holds nothing that depends on another segment.
type digest struct {
	ord   int // the segment's place in the log
	found findings
	list  *eventList

	records  int64
	seed     uint32 // the chain before, by the first crc record
	seeded   bool
	ended    chainEnd // the chain behind the last record
	meta     []byte   // not nil if there was a metadata record
	metaOff  int64
	end      int64 // offset behind the last record
	longest  int64 // bytes of the longest record with its frame
	unpadded bool  // some frame has no padding
	tidy     bool  // every byte is as a writer puts it, so etcd reads it as we do
	err      error // it could not be read, or not all of it could be checked

	before    uint32 // the chain before the segment, if chained
	chained   bool
	damagedAt int64 // offset of the first damage

	deep  func(*raftpb.Entry) error
	keep  func([]byte) bool
	from  uint64 // index of the first entry that may be kept
	kept  []keptRecord
	entry raftpb.Entry
}

// keptRecord is an entry record that was asked for.
type keptRecord struct {
	off  int64
	data []byte
}

func newDigest(ord int, b *budget, o *VerifyOptions) *digest {
	return &digest{ord: ord, list: newEventList(ord, b), tidy: true, deep: o.Deep, keep: o.Keep, from: o.KeepFrom,
		damagedAt: math.MaxInt64}
}

// fail adds an error found in the record at off.
func (d *digest) fail(off int64, c Class, detail string) {
	d.found.add(place{d.ord, off}, c, detail)
}

// record takes in one record, in file order.
func (d *digest) record(r *Record) {
	off := r.Pos.Off
	if r.Kind == KindDamage {
		d.takeDamage(r)
		return
	}
	d.records++
	d.longest = max(d.longest, r.Len)
	if r.Kind == KindEntry && r.normal && r.Len%frameAlign == 0 && d.deep == nil {
		// As nearly all are: there is nothing to say about it.
		if d.keep != nil && r.ID.Index >= d.from && d.keep(r.payload) {
			d.keepEntry(r)
		}
		d.list.entry(r.ID, off, false)
		return
	}
	if r.Len%frameAlign != 0 {
		d.takeUnpadded(off)
	}
	if r.otherForm {
		d.tidy = false
		d.found.add(place{d.ord, off}, ClassRecordForm, fmt.Sprintf(
			"the fields of this %v record are encoded as no etcd does; its crc %08x is right",
			r.Kind, r.CRC))
	}
	switch r.Kind {
	case KindEntry:
		d.takeEntry(r, off)
	case KindState:
		d.takeState(r, off)
	case KindSnapshot:
		d.takeSnapshot(r.Data, off)
	case KindMetadata:
		d.takeMetadata(r.Data, off)
	case KindCRC:
		d.takeCRC(r, off)
	}
}

// takeDamage takes in damage. Records may be missing where it takes up bytes of its own; zeros at a
// segment's end are left to the checksum at the head of the next one.
func (d *digest) takeDamage(r *Record) {
	dm := r.Damage
	d.found.insert(placed{place{d.ord, dm.Pos.Off}, *dm})
	d.tidy = false
	d.damagedAt = min(d.damagedAt, dm.Pos.Off)
	if r.Len > 0 && dm.Class != ClassTrailingZero || dm.Class == ClassCRCChain {
		d.list.gap(r.Pos.Off, dm, !r.unlinked)
	}
}

// takeUnpadded notes the first frame that has no padding although its size wants some.
func (d *digest) takeUnpadded(off int64) {
	if !d.unpadded {
		d.unpadded = true
		d.found.add(place{d.ord, off}, ClassUnpadded,
			"frames from here on have no padding, as etcd 2.x wrote them; every etcd reads them")
	}
}

func (d *digest) takeEntry(r *Record, off int64) {
	if r.ID.Index == 0 || d.deep != nil || !knownEntryType(r.Data) {
		if !d.checkEntry(r.Data, off) {
			return
		}
	}
	if d.keep != nil && r.ID.Index >= d.from && d.wants(r) {
		d.keepEntry(r)
	}
	d.list.entry(r.ID, off, r.Unchecked)
}

// keepEntry keeps a copy of an entry record, if there is room for it.
func (d *digest) keepEntry(r *Record) {
	if d.list.budget.kept.Add(-int64(len(r.Data)+keptCost)) >= 0 {
		d.kept = append(d.kept, keptRecord{r.Pos.Off, slices.Clone(r.Data)})
	}
}

// wants reports whether an entry record is to be kept.
func (d *digest) wants(r *Record) bool {
	e := &d.entry
	if err := e.UnmarshalAlias(r.Data); err != nil || e.Type != raftpb.EntryNormal {
		return true
	}
	return len(e.Data) > 0 && d.keep(e.Data)
}

// keptCost is about what a kept record takes besides its data.
const keptCost = 64

// knownEntryType reports whether an entry begins with a type that raft has, or with another field.
func knownEntryType(data []byte) bool {
	return len(data) < 2 || data[0] != 0x08 || data[1] <= byte(raftpb.EntryConfChangeV2)
}

// checkEntry decodes an entry in full.
func (d *digest) checkEntry(data []byte, off int64) bool {
	e := &d.entry
	if err := e.UnmarshalAlias(data); err != nil {
		d.fail(off, ClassMalformed, fmt.Sprintf("entry: %v", err))
		d.tidy = false
		d.list.gap(off, &Finding{Class: ClassMalformed, Pos: Position{Off: off}, Len: int64(len(data))}, true)
		return false
	}
	if e.Type > raftpb.EntryConfChangeV2 {
		d.fail(off, ClassEntryType, fmt.Sprintf("%s is of type %d, want 0 to %d",
			entryName(e.ID()), e.Type, raftpb.EntryConfChangeV2))
	}
	if d.deep != nil {
		if err := d.deep(e); err != nil {
			d.fail(off, ClassMalformed, fmt.Sprintf("%s: %v", entryName(e.ID()), err))
		}
	}
	return true
}

// takeState takes in a hard state. One that can't be checked counts for nothing: it may say anything.
func (d *digest) takeState(r *Record, off int64) {
	if r.Unchecked {
		return
	}
	st := r.state
	if st.Term == 0 {
		var err error
		if err = st.UnmarshalStrict(r.Data); err != nil {
			d.fail(off, ClassMalformed, fmt.Sprintf("hard state: %v", err))
			d.tidy = false
			return
		}
	}
	if c, detail := d.list.state(st, off); detail != "" {
		d.fail(off, c, detail)
	}
}

func (d *digest) takeSnapshot(data []byte, off int64) {
	var s Snapshot
	if len(data) > maxSnapshotRecord {
		d.fail(off, ClassMalformed, fmt.Sprintf("snapshot record of %d bytes, want at most %d",
			len(data), maxSnapshotRecord))
		d.tidy = false
		return
	}
	if err := parseSnapshot(&s, data); err != nil {
		d.fail(off, ClassMalformed, fmt.Sprintf("snapshot: %v", err))
		d.tidy = false
		return
	}
	d.list.snapshot(&s, off)
}

func (d *digest) takeMetadata(data []byte, off int64) {
	switch {
	case len(data) > maxMetadata:
		d.fail(off, ClassMalformed, fmt.Sprintf("metadata of %d bytes, want at most %d",
			len(data), maxMetadata))
		d.tidy = false
	case d.meta == nil && d.records == 2:
		d.meta, d.metaOff = append([]byte{}, data...), off
	default:
		d.misplaced(off, "metadata")
		if d.meta == nil {
			d.meta, d.metaOff = append([]byte{}, data...), off
		} else if !bytes.Equal(d.meta, data) {
			d.fail(off, ClassMetadata, metadataText(data, d.meta))
			d.list.tail().foreign = true
		}
	}
}

func (d *digest) takeCRC(r *Record, off int64) {
	if d.records == 1 {
		d.seed, d.seeded = r.Sum, true
		return
	}
	d.misplaced(off, "crc")
}

func (d *digest) misplaced(off int64, what string) {
	d.tidy = false
	d.fail(off, ClassRecordOrder, fmt.Sprintf("a %s record as number %d of the segment", what,
		d.records))
}

// finish checks what a segment must hold. Without damage before it, a crc and a metadata record
// come first.
func (d *digest) finish() {
	if d.records == 0 && d.tidy {
		d.fail(0, ClassEmptySegment, emptyText)
	}
	if d.records > 0 && d.seeded && d.meta == nil {
		d.fail(0, ClassRecordOrder, "no metadata record behind the crc record")
		d.tidy = false
	}
	d.tidy = d.tidy && d.seeded && d.meta != nil
}

// parseSnapshot parses a snapshot record strictly: the checksum doesn't cover a record's
// type, so that an entry may pass for one.
func parseSnapshot(s *Snapshot, b []byte) error {
	if err := s.Unmarshal(b); err != nil {
		return err
	}
	return wirefield.Each(b, func(f wirefield.Field) error {
		if f.Num > 3 {
			return fmt.Errorf("field %d, want 1..3", f.Num)
		}
		return nil
	})
}
