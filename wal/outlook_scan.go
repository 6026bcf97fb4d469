package wal

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/raftctl/raftctl/internal/etcdwire"
	"github.com/raftctl/raftctl/raftpb"
)

// maxOutlookRecord is the largest record that the model of etcd's decoder takes in. etcd allocates
// whatever a damaged length says, up to the size of the file; the model says that it doesn't know.
const maxOutlookRecord = 1 << 26

// maxGoSlice is the largest number of bytes that Go allocates at once on 64-bit machines; asking
// for more is a panic.
const maxGoSlice = 1 << 48

// maxEtcdAlloc is how many bytes etcd is trusted to get for a record that a damaged length makes
// larger than its file: with more, it depends on the machine.
const maxEtcdAlloc = 1 << 30

// stepKind is what etcd's reader meets in a segment, as far as its verdict depends on it.
type stepKind uint8

const (
	stepEvents stepKind = iota // entries, hard states and snapshots
	stepCRC                    // a crc record: the chain is compared and seeded anew
	stepMetadata
	stepUnknown // a record of a type that doesn't exist: ReadAll refuses, ValidSnapshotEntries doesn't
	stepPanic   // a payload that doesn't decode: etcd panics
)

type etcdStep struct {
	kind            stepKind
	events          []event // stepEvents
	running, stored uint32  // stepCRC
	meta            etcdMeta
	text            string // stepPanic, stepUnknown: what etcd says
	state           bool   // stepPanic: in a hard state or snapshot, which every pass decodes
}

// etcdMeta is the metadata record that etcd saw last. A record without data doesn't count as one.
type etcdMeta struct {
	set   bool
	sum   [sha256.Size]byte
	node  uint64
	fault string // what etcd says when it can't decode it
}

func newEtcdMeta(data []byte, rel *etcdRelease) etcdMeta {
	m := etcdMeta{set: data != nil, sum: sha256.Sum256(data)}
	if fault := etcdwire.Metadata.Scalars(data, rel.decoder, &m.node); fault != nil {
		m.fault = unmarshalPanic(fault)
	}
	return m
}

// unmarshalPanic is etcd's panic over bytes that its decoder refuses.
func unmarshalPanic(f *etcdwire.Fault) string {
	return "unmarshal should never fail (" + f.Text + ")"
}

// maxSteps bounds what is kept of a segment that is full of records that break the history. A
// healthy segment has three.
const maxSteps = 1 << 12

// etcdSegment is a segment as etcd's decoder reads it.
type etcdSegment struct {
	steps []etcdStep
	sum   uint32     // the running CRC after it
	fault *etcdFault // why decoding ended there; nil: went on with the next segment
	end   int64      // offset behind the last record that was decoded
}

// etcdFault is an error of etcd's decoder.
type etcdFault struct {
	cause   etcdCause
	text    string // in etcd's words
	torn    bool   // it is an io.ErrUnexpectedEOF, which the server answers with a repair
	panics  bool   // no error comes back: Go's runtime ends the server
	unknown bool   // the model gave up
}

// etcdScanner decodes one segment by etcd's rules, with their defects: it takes a length of zero
// for the end of a segment, doesn't look at padding, skips unknown fields, and takes any damage in
// the last segment for a torn write if a sector of it is zero.
type etcdScanner struct {
	r    *bufio.Reader
	name string
	size int64
	last bool // last segment
	rel  *etcdRelease
	list *eventList
	buf  []byte
	seg  etcdSegment
}

// etcdScan says how a segment is scanned.
type etcdScan struct {
	rel   *etcdRelease
	start uint32 // the chain before it
	last  bool   // it is the last segment
}

// scanAsEtcd reads segment k by etcd's rules.
func (l *Log) scanAsEtcd(k int, o etcdScan, b *budget) etcdSegment {
	r, release, err := l.reader(k)
	if err != nil {
		return etcdSegment{fault: &etcdFault{unknown: true, text: err.Error()}}
	}
	defer release()
	seg := l.segments[k]
	s := &etcdScanner{
		r:    bufio.NewReaderSize(io.NewSectionReader(r, 0, seg.Size), int(min(probeChunk, seg.Size))),
		name: seg.File, size: seg.Size, rel: o.rel, last: o.last, list: newEventList(0, b),
	}
	s.seg.sum = o.start
	return s.scan()
}

func (s *etcdScanner) scan() etcdSegment {
	for s.seg.fault == nil {
		if done := s.frame(); done {
			break
		}
	}
	s.flush()
	if s.list.budget.spent() {
		s.unknown(ErrTooManyEvents.Error())
	}
	return s.seg
}

func (s *etcdScanner) frame() (done bool) {
	var head [8]byte
	switch _, err := io.ReadFull(s.r, head[:]); err {
	case nil:
	case io.EOF:
		return true
	case io.ErrUnexpectedEOF:
		s.fault(causeLength, err.Error(), true)
		return true
	default:
		s.unknown(err.Error())
		return true
	}
	field := binary.LittleEndian.Uint64(head[:])
	if field == 0 {
		return true
	}
	size, pad := int64(field&(1<<56-1)), int64(0)
	if field>>63 != 0 {
		pad = int64(field >> 56 & 7)
	}
	if fault := s.checkLength(size, pad); fault != nil {
		s.seg.fault = fault
		return true
	}
	return s.record(size, pad)
}

// checkLength compares a record's length with the limits that etcd knows, and with what can be
// allocated.
func (s *etcdScanner) checkLength(size, pad int64) *etcdFault {
	rest := s.size - s.seg.end - pad // as etcd computes it, which forgets the frame's header
	left := s.size - s.seg.end - frameHeaderSize
	switch {
	case s.rel.maxRecord > 0 && size >= s.rel.maxRecord-pad:
		return &etcdFault{cause: causeLength, text: errMaxRecord}
	case s.rel.beyond != "" && size > rest:
		return &etcdFault{cause: causeLength, torn: s.rel.beyondTorn, text: fmt.Sprintf(
			s.rel.beyond, s.name, size, s.size, s.seg.end, pad, rest)}
	case size+pad > maxGoSlice:
		return &etcdFault{cause: causeLength, panics: true,
			text: "runtime error: makeslice: len out of range"}
	case size+pad > left && size+pad > maxEtcdAlloc:
		return &etcdFault{cause: causeLength, unknown: true, text: fmt.Sprintf(
			"etcd would ask for %d bytes of memory for a damaged record", size+pad)}
	case size+pad > left:
		return &etcdFault{cause: causeLength, torn: true, text: "unexpected EOF"}
	}
	return nil
}

func (s *etcdScanner) record(size, pad int64) (done bool) {
	if size > maxOutlookRecord {
		s.unknown(fmt.Sprintf("a record of %d bytes is too large to tell", size))
		return true
	}
	if n := int(size + pad); cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	b := s.buf[:size+pad]
	switch _, err := io.ReadFull(s.r, b); err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		s.fault(causeLength, "unexpected EOF", true)
		return true
	default:
		s.unknown(err.Error())
		return true
	}
	return s.decode(b, size)
}

// decode takes in a frame whose record has size bytes, and padding behind it.
func (s *etcdScanner) decode(b []byte, size int64) (done bool) {
	rec, fault := etcdwire.DecodeRecord(b[:size], s.rel.decoder)
	if fault != nil {
		if s.torn(b) {
			fault = etcdwire.Truncated
		}
		s.fault(causeDecode, fault.Text, fault.Torn)
		return true
	}
	if rec.Kind != int64(KindCRC) {
		sum := crc32.Update(s.seg.sum, castagnoli, rec.Data)
		if sum != rec.CRC {
			s.mismatch(rec.CRC, sum, s.torn(b))
			return true
		}
		s.seg.sum = sum
	}
	off := s.seg.end
	s.seg.end += frameHeaderSize + int64(len(b))
	s.take(&rec, off)
	return false
}

func (s *etcdScanner) fault(cause etcdCause, text string, torn bool) {
	s.seg.fault = &etcdFault{cause: cause, text: text, torn: torn}
}

// unknown gives up on telling what etcd does.
func (s *etcdScanner) unknown(text string) {
	s.seg.fault = &etcdFault{text: text, unknown: true}
}

func (s *etcdScanner) mismatch(stored, sum uint32, torn bool) {
	text := "walpb: crc mismatch"
	if s.rel.detailed {
		text = fmt.Sprintf("walpb: crc mismatch: expected: %x computed: %x", stored, sum)
	}
	if torn {
		text = "unexpected EOF"
	}
	if s.rel.detailed {
		text = fmt.Sprintf("%s: in file '%s' at position: %d", text, s.name, s.seg.end)
	}
	s.fault(causeChecksum, text, torn)
}

// torn reports whether some 512-byte sector of the frame that begins at the current end is all
// zero; etcd asks so in the last segment only.
func (s *etcdScanner) torn(b []byte) bool {
	for off := s.seg.end + 8; s.last && len(b) > 0; {
		n := min(sectorSize-int(off%sectorSize), len(b))
		if allZero(b[:n]) {
			return true
		}
		b, off = b[n:], off+int64(n)
	}
	return false
}

// take sorts in a record that was decoded.
func (s *etcdScanner) take(r *etcdwire.Record, off int64) {
	switch r.Kind {
	case int64(KindEntry):
		var typ uint64
		var id raftpb.EntryID
		if s.payload(&etcdwire.Entry, r.Data, &typ, &id.Term, &id.Index) {
			s.list.entry(id, off, false)
		}
	case int64(KindState):
		var st raftpb.HardState
		if s.payload(&etcdwire.HardState, r.Data, &st.Term, &st.Vote, &st.Commit) {
			s.list.state(st, off)
		}
	case int64(KindSnapshot):
		var snap Snapshot
		if s.payload(&etcdwire.Snapshot, r.Data, &snap.Index, &snap.Term) {
			s.list.snapshot(&snap, off)
		}
	case int64(KindCRC):
		s.step(etcdStep{kind: stepCRC, running: s.seg.sum, stored: r.CRC})
		s.seg.sum = r.CRC
	case int64(KindMetadata):
		s.step(etcdStep{kind: stepMetadata, meta: newEtcdMeta(r.Data, s.rel)})
	default:
		s.step(etcdStep{kind: stepUnknown, text: "unexpected block type " + s.typeText(r.Kind)})
	}
}

// typeText is how etcd prints a record's type: 3.7 prints the address where it lies.
func (s *etcdScanner) typeText(kind int64) string {
	if s.rel.decoder == etcdwire.Google {
		return "(an address)"
	}
	return fmt.Sprint(kind)
}

func (s *etcdScanner) payload(m *etcdwire.Message, data []byte, out ...*uint64) bool {
	fault := m.Scalars(data, s.rel.decoder, out...)
	if fault != nil {
		s.step(etcdStep{kind: stepPanic, state: m != &etcdwire.Entry, text: unmarshalPanic(fault)})
	}
	return fault == nil
}

// step ends the history so far and appends a step behind it.
func (s *etcdScanner) step(st etcdStep) {
	s.flush()
	s.seg.steps = append(s.seg.steps, st)
	if len(s.seg.steps) > maxSteps {
		s.unknown("too many records out of place to tell")
	}
}

func (s *etcdScanner) flush() {
	s.seg.steps = append(s.seg.steps, etcdStep{kind: stepEvents, events: s.list.events})
	s.list = newEventList(s.list.seg, s.list.budget)
}

func allZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
