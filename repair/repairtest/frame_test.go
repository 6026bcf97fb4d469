package repairtest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// part is a part of a frame.
type part int

const (
	partSize    part = iota // the seven bytes of the header that hold the size
	partPad                 // the header's byte for the padding
	partKindTag             // the tag before the kind
	partKind
	partCRCTag
	partCRC
	partLenTag // from here on empty in a record without data
	partLen
	partHead // of an entry: its type, term and index; else empty
	partData // the rest
	partPadding
	parts
)

var partNames = [parts]string{"size", "pad bits", "type's tag", "type", "checksum's tag", "checksum",
	"data's tag", "data's length", "entry's head", "data", "padding"}

func (p part) String() string { return partNames[p] }

// frame is a frame as a writer put it: where its parts begin, and what they say.
type frame struct {
	begins [parts + 1]int // in the segment
	kind   wal.Kind
	crc    uint32
	data   []byte         // nil if there is none; aliases the segment
	entry  raftpb.Entry   // of an entry record; its data aliases the segment
	id     raftpb.EntryID // of the entry, or of the snapshot
}

func (f *frame) lo() int { return f.begins[0] }
func (f *frame) hi() int { return f.begins[parts] }

// span returns where a part lies.
func (f *frame) span(p part) (lo, hi int) { return f.begins[p], f.begins[p+1] }

// frameAlign is what frames begin at multiples of.
const frameAlign = 8

// appendFrame appends a frame as etcd writes it.
func appendFrame(b []byte, k wal.Kind, crc uint32, data []byte) []byte {
	rec := append(protowire.AppendVarint(nil, 1<<3), byte(k))
	rec = protowire.AppendVarint(append(rec, 2<<3), uint64(crc))
	if data != nil {
		rec = protowire.AppendBytes(append(rec, 3<<3|2), data)
	}
	h := uint64(len(rec))
	pad := -len(rec) & (frameAlign - 1)
	if pad > 0 {
		h |= uint64(0x80|pad) << 56
	}
	b = binary.LittleEndian.AppendUint64(b, h)
	return append(append(b, rec...), make([]byte, pad)...)
}

// parseFrame reads the frame at lo of a healthy segment. ok is false where the frames end.
func parseFrame(b []byte, lo int) (f *frame, ok bool) {
	if lo == len(b) || binary.LittleEndian.Uint64(b[lo:]) == 0 {
		return nil, false
	}
	h := binary.LittleEndian.Uint64(b[lo:])
	size, pad := int(h&(1<<56-1)), int(h>>56&7)
	end := lo + 8 + size
	f = &frame{kind: wal.Kind(b[lo+9])}
	crc, n := protowire.ConsumeVarint(b[lo+11 : end])
	f.crc = uint32(crc)
	at := lo + 11 + n
	f.begins = [parts + 1]int{lo, lo + 7, lo + 8, lo + 9, lo + 10, lo + 11, at, at, at, at, end, end + pad}
	if at < end {
		_, n := protowire.ConsumeVarint(b[at+1 : end])
		data := at + 1 + n
		f.begins[partLen], f.begins[partHead], f.begins[partData] = at+1, data, data
		f.data = b[data:end:end]
	}
	f.understand()
	return f, true
}

// understand decodes what an entry or a snapshot says of itself.
func (f *frame) understand() {
	var err error
	switch f.kind {
	case wal.KindEntry:
		err = f.entry.UnmarshalAlias(f.data)
		f.id = raftpb.EntryID{Term: f.entry.Term, Index: f.entry.Index}
		f.begins[partData] += len(f.data) - len(f.entry.Data)
	case wal.KindSnapshot:
		var s wal.Snapshot
		err = s.Unmarshal(f.data)
		f.id = s.ID()
	}
	if err != nil {
		panic(fmt.Sprintf("the laboratory's own log: %v at %d: %v", f.kind, f.lo(), err))
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// update returns the checksum of a chain after more data.
func update(sum uint32, data []byte) uint32 { return crc32.Update(sum, castagnoli, data) }

// segment is a file of a healthy log.
type segment struct {
	name   wal.SegmentName
	b      []byte // in the last one with space behind the frames
	frames []*frame
}

// end returns where the frames end.
func (s *segment) end() int {
	if n := len(s.frames); n > 0 {
		return s.frames[n-1].hi()
	}
	return 0
}

func parseSegment(name wal.SegmentName, b []byte) *segment {
	s := &segment{name: name, b: b}
	for {
		f, ok := parseFrame(b, s.end())
		if !ok {
			return s
		}
		s.frames = append(s.frames, f)
	}
}
