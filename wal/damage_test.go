package wal

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// wreck is a log to be damaged: its files by segment, and where their frames are.
type wreck struct {
	*logBuilder
	files map[string][]byte
}

func newWreck(segments, zeros int) *wreck {
	b := buildLog(raftpb.FlavorGogo, segments)
	return &wreck{b, b.files(zeros)}
}

func (w *wreck) file(i int) []byte      { return w.files[w.segs[i].name.String()] }
func (w *wreck) set(i int, b []byte)    { w.files[w.segs[i].name.String()] = b }
func (w *wreck) remove(i int)           { delete(w.files, w.segs[i].name.String()) }
func (w *wreck) frame(i, k int) []byte  { return w.file(i)[w.segs[i].frames[k]:] }
func (w *wreck) end(i int) int          { return len(w.segs[i].b) }
func (w *wreck) zero(i int, lo, hi int) { clear(w.file(i)[lo:hi]) }
func (w *wreck) header(i, k int, h uint64) {
	binary.LittleEndian.PutUint64(w.frame(i, k), h)
}

// damaged says what is to be found: its class, in which segment, and the frame at which it begins.
// Frame -1 is the end of the last one.
type damaged struct {
	class  Class
	seg    int
	frame  int
	before raftpb.EntryID
	after  raftpb.EntryID
}

func id(term, index uint64) raftpb.EntryID { return raftpb.EntryID{Term: term, Index: index} }

// The frames of segment 0 of buildLog: crc, metadata, snapshot, entry 2/1, state, entry 2/2, state,
// 2/3, 2/4, state, 2/5, 2/6, state, snapshot, 2/7, state, 2/8.
const (
	frameEntry1 = 3
	frameState1 = 4
	frameEntry2 = 5
	frameEntry3 = 7
	frameEntry5 = 10
	frameEntry6 = 11
	frameEntry7 = 14
	frameEntry8 = 16
)

var damageTests = []struct {
	name  string
	wreck func(w *wreck)
	zeros int
	want  []damaged
	lost  int // records that are not told
}{
	{
		name:  "length flipped",
		wreck: func(w *wreck) { w.frame(0, frameEntry3)[0] ^= 0x40 },
		want:  []damaged{{ClassLengthField, 0, frameEntry3, id(2, 2), id(2, 3)}},
	}, {
		name:  "length of 2^56-1 bytes",
		wreck: func(w *wreck) { w.header(0, frameEntry3, 1<<56-1) },
		want:  []damaged{{ClassLengthField, 0, frameEntry3, id(2, 2), id(2, 3)}},
	}, {
		name:  "length zeroed",
		wreck: func(w *wreck) { w.header(0, frameEntry3, 0) },
		want:  []damaged{{ClassZeroedLength, 0, frameEntry3, id(2, 2), id(2, 3)}},
	}, {
		name: "length and data flipped",
		wreck: func(w *wreck) {
			w.frame(0, frameEntry3)[0] ^= 0x40
			w.frame(0, frameEntry3)[30] ^= 1
		},
		want: []damaged{{ClassCorrupt, 0, frameEntry3, id(2, 2), id(2, 4)}},
		lost: 1,
	}, {
		name: "length gone and data flipped",
		wreck: func(w *wreck) {
			w.header(0, frameEntry3, 1<<55)
			w.frame(0, frameEntry3)[30] ^= 1
		},
		want: []damaged{{ClassFrameLength, 0, frameEntry3, id(2, 2), id(2, 4)}},
		lost: 1,
	}, {
		name: "two flips far apart",
		wreck: func(w *wreck) {
			w.frame(0, frameEntry2)[30] ^= 1
			w.frame(0, frameEntry7)[30] ^= 1
		},
		want: []damaged{
			{ClassPayload, 0, frameEntry2, id(2, 1), id(2, 3)},
			{ClassPayload, 0, frameEntry7, id(2, 6), id(2, 8)},
		},
		lost: 2,
	}, {
		name: "two records in a row",
		wreck: func(w *wreck) {
			w.frame(0, frameEntry5)[30] ^= 1
			w.frame(0, frameEntry6)[30] ^= 1
		},
		// Nothing is left to check the second one against: it is yielded, but unchecked.
		want: []damaged{{ClassCRCMismatch, 0, frameEntry5, id(2, 4), id(2, 6)}},
		lost: 1,
	}, {
		name:  "sectors zeroed",
		wreck: func(w *wreck) { w.zero(0, 1024, 2048) },
		want:  []damaged{{ClassZeroedSector, 0, -1, raftpb.EntryID{}, id(2, 7)}},
		lost:  -1,
	}, {
		name: "frames overwritten with rubbish",
		wreck: func(w *wreck) {
			b := w.file(0)
			for i := w.segs[0].frames[frameEntry2]; i < w.segs[0].frames[frameEntry5]; i++ {
				b[i] = byte(i*7 + i>>3)
			}
		},
		want: []damaged{{ClassFrameLength, 0, frameEntry2, id(2, 1), id(2, 5)}},
		lost: frameEntry5 - frameEntry2,
	}, {
		name: "a frame cut out",
		wreck: func(w *wreck) {
			s := w.segs[0]
			w.set(0, slices.Delete(w.file(0), s.frames[frameEntry3], s.frames[frameEntry3+1]))
		},
		// The frame that took its place looks like one with changed data.
		want: []damaged{{ClassPayload, 0, frameEntry3, id(2, 2), id(2, 5)}},
		lost: 2,
	}, {
		name:  "checksum and data of the last record",
		wreck: func(w *wreck) { w.frame(1, frameEntry8)[30] ^= 1; w.frame(1, frameEntry8)[12] ^= 1 },
		zeros: 4096,
		want:  []damaged{{ClassCRCMismatch, 1, frameEntry8, id(3, 15), raftpb.EntryID{}}},
		lost:  1,
	}, {
		name:  "the last sector never written",
		wreck: func(w *wreck) { w.zero(1, w.end(1)/sectorSize*sectorSize, w.end(1)) },
		zeros: 4096,
		want:  []damaged{{ClassTorn, 1, -1, raftpb.EntryID{}, raftpb.EntryID{}}},
		lost:  -1,
	}, {
		name:  "a stray byte in the space left",
		wreck: func(w *wreck) { w.file(1)[w.end(1)+2000] = 1 },
		zeros: 4096,
		want:  []damaged{{ClassGarbage, 1, -1, id(3, 16), raftpb.EntryID{}}},
	}, {
		name:  "a stray byte where the next frame would begin",
		wreck: func(w *wreck) { w.file(1)[w.end(1)] = 0x40 },
		zeros: 4096,
		want:  []damaged{{ClassGarbage, 1, -1, id(3, 16), raftpb.EntryID{}}},
	}, {
		name:  "zeros behind a finished segment",
		wreck: func(w *wreck) { w.set(0, append(w.file(0), make([]byte, 64)...)) },
		want:  []damaged{{ClassTrailingZero, 0, -1, id(2, 8), raftpb.EntryID{}}},
	}, {
		name:  "a finished segment cut off within a frame",
		wreck: func(w *wreck) { w.set(0, w.file(0)[:w.end(0)-3]) },
		want: []damaged{
			{ClassTruncated, 0, frameEntry8, id(2, 7), raftpb.EntryID{}},
			{ClassCRCChain, 1, 0, id(2, 7), id(3, 9)},
		},
		lost: 1,
	}, {
		name:  "a finished segment cut off between two frames",
		wreck: func(w *wreck) { w.set(0, w.file(0)[:w.segs[0].frames[frameEntry8]]) },
		want:  []damaged{{ClassCRCChain, 1, 0, id(2, 7), id(3, 9)}},
		lost:  1,
	}, {
		name:  "a segment missing",
		wreck: func(w *wreck) { w.remove(1) },
		want:  []damaged{{ClassMissingSegment, 2, 0, id(2, 8), id(4, 17)}},
		lost:  -1,
	}, {
		name:  "an empty segment in the middle",
		wreck: func(w *wreck) { w.set(1, nil) },
		want: []damaged{
			{ClassEmptySegment, 1, 0, id(2, 8), raftpb.EntryID{}},
			{ClassCRCChain, 2, 0, id(2, 8), id(4, 17)},
		},
		lost: -1,
	}, {
		name: "two segments exchanged",
		wreck: func(w *wreck) {
			a, b := w.file(0), w.file(1)
			w.set(0, b)
			w.set(1, a)
		},
		want: []damaged{
			{ClassCRCChain, 0, 0, raftpb.EntryID{}, id(3, 9)},
			{ClassCRCChain, 1, 0, id(3, 16), id(2, 1)},
			{ClassCRCChain, 2, 0, id(2, 8), id(4, 17)},
		},
	}, {
		name: "a segment twice",
		wreck: func(w *wreck) {
			w.files[SegmentName{Seq: 1, Index: 99}.String()] = slices.Clone(w.file(1))
		},
		want: []damaged{
			{ClassSegmentOrder, -1, 0, id(3, 16), id(3, 9)},
		},
		lost: -1,
	}, {
		name: "another member's segment",
		wreck: func(w *wreck) {
			o := newLogBuilder(raftpb.FlavorGogo)
			m := Metadata{NodeID: 7, ClusterID: builtMetadata.ClusterID}
			o.segs[0] = &bytesOf{}
			o.sum = w.crcOf(1)
			o.add(KindCRC, nil)
			o.add(KindMetadata, m.AppendTo(nil))
			w.set(1, o.segs[0].b)
		},
		want: []damaged{{ClassMetadata, 1, 1, id(2, 8), raftpb.EntryID{}}},
		lost: -1,
	},
}

// crcOf returns the checksum that a segment begins with.
func (w *wreck) crcOf(i int) uint32 {
	f, _ := parseFrame(w.segs[i].b, 0, int64(len(w.segs[i].b)), false)
	return f.crc
}

func TestDamage(t *testing.T) {
	for _, test := range damageTests {
		t.Run(strings.ReplaceAll(test.name, " ", "-"), func(t *testing.T) {
			segments := 2
			for _, d := range test.want {
				segments = max(segments, d.seg+1)
			}
			if strings.Contains(test.name, "exchanged") {
				segments = 3
			}
			w := newWreck(segments, test.zeros)
			intact := len(readFiles(t, maps.Clone(w.files), Inspect))
			test.wreck(w)
			all := readFiles(t, w.files, Inspect)
			checkRecovered(t, w.files, all)
			damages, records := split(all)
			for _, d := range damages {
				t.Log(d)
			}
			if got := intact - len(records); test.lost >= 0 && got != test.lost {
				t.Errorf("%d records lost, want %d", got, test.lost)
			}
			w.checkDamages(t, damages, test.want)
		})
	}
}

func (w *wreck) checkDamages(t *testing.T, got []*Finding, want []damaged) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d damages, want %d", len(got), len(want))
	}
	for i, want := range want {
		d := got[i]
		if d.Class != want.class {
			t.Errorf("%v: want class %s", d, want.class)
		}
		if want.seg >= 0 && d.Pos.Segment != w.segs[want.seg].name.String() {
			t.Errorf("%v: want it in segment %d", d, want.seg)
		}
		if want.seg >= 0 && want.frame >= 0 && d.Pos.Off != int64(w.segs[want.seg].frames[want.frame]) {
			t.Errorf("%v: want it at frame %d, offset %d", d, want.frame, w.segs[want.seg].frames[want.frame])
		}
		if zero := (raftpb.EntryID{}); want.before != zero && d.Before != want.before || want.after != zero && d.After != want.after {
			t.Errorf("%v: between %v and %v, want %v and %v", d, d.Before, d.After, want.before, want.after)
		}
	}
}
