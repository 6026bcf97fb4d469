package wal

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// FuzzScan reads any bytes as the last and as a finished segment. Whatever they are, every byte is
// accounted for once, in order, and what is yielded as intact is: its frame is there, byte for
// byte, and its checksum continues that of the record before, unless damage lies between.
func FuzzScan(f *testing.F) {
	b := buildLog(raftpb.FlavorGogo, 2)
	for _, s := range b.segs {
		f.Add(s.b, []byte{0})
		f.Add(append(slices.Clone(s.b), make([]byte, 1024)...), []byte{200, 1, 8, 90, 2, 0xff})
	}
	f.Add(binary.LittleEndian.AppendUint64(nil, 1<<56-1), []byte{})
	f.Fuzz(func(t *testing.T, segment, flips []byte) {
		segment = slices.Clone(segment)
		for ; len(flips) >= 3 && len(segment) > 0; flips = flips[3:] {
			off := int(binary.LittleEndian.Uint16(flips)) % len(segment)
			segment[off] ^= flips[2]
		}
		finished := map[string][]byte{SegmentName{}.String(): segment, SegmentName{Seq: 1}.String(): b.segs[1].b}
		for _, files := range []map[string][]byte{{SegmentName{}.String(): segment}, finished} {
			if len(segment) == 0 {
				continue // Open refuses a log of one empty segment
			}
			all := readFiles(t, files, Inspect)
			checkFrames(t, files, all)
			checkRecovered(t, files, all)
		}
	})
}

// checkFrames checks that every intact record is one.
func checkFrames(t *testing.T, files map[string][]byte, all []seen) {
	t.Helper()
	chain, known := uint32(0), true
	for _, r := range all {
		if r.Kind == KindDamage {
			known = false
			continue
		}
		data := []byte(r.data)
		if r.Data == nil {
			data = nil
		}
		frame := files[r.Pos.Segment][r.Pos.Off:][:r.Len]
		if known {
			chain = updateCRC(chain, data)
			if r.Sum != chain || r.CRC != chain {
				t.Errorf("%v: crc %08x, sum %08x, the data before gives %08x", r.Pos, r.CRC, r.Sum, chain)
			}
			if want := appendFrame(nil, r.Kind, chain, data); !bytes.Equal(frame, want) {
				t.Errorf("%v: frame %x, want %x", r.Pos, frame, want)
			}
		}
		if !bytes.Contains(frame, data) {
			t.Errorf("%v: data %x is not in the frame %x", r.Pos, data, frame)
		}
		chain, known = r.Sum, true
	}
}

// FuzzPayloads decodes any bytes as each payload: what decodes is encoded to bytes that decode to
// the same.
func FuzzPayloads(f *testing.F) {
	f.Add(builtMetadata.AppendTo(nil))
	f.Add((&Snapshot{Index: 7, Term: 2, ConfState: &raftpb.ConfState{Voters: []uint64{1}}}).AppendTo(nil, raftpb.FlavorGogo))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Metadata
		if m.Unmarshal(b) == nil {
			if err := again.Unmarshal(m.AppendTo(nil)); err != nil || again != m {
				t.Errorf("%v decodes again as %v, %v", m, again, err)
			}
		}
		var s, sAgain Snapshot
		if s.Unmarshal(b) == nil {
			enc := s.AppendTo(nil, raftpb.FlavorPbgo)
			if err := sAgain.Unmarshal(enc); err != nil || !bytes.Equal(sAgain.AppendTo(nil, raftpb.FlavorPbgo), enc) {
				t.Errorf("%+v decodes again as %+v, %v", s, sAgain, err)
			}
		}
	})
}

// FuzzSegmentName parses any name: what is accepted is what String returns.
func FuzzSegmentName(f *testing.F) {
	f.Add(SegmentName{Seq: 1, Index: 0x15}.String())
	f.Add("0000000000000001-0000000000000021.WAL")
	f.Fuzz(func(t *testing.T, name string) {
		if n, ok := ParseSegmentName(name); ok && n.String() != name {
			t.Errorf("%q parses as %q", name, n)
		}
	})
}

// A file that claims a record of 2^56 bytes, or of any length beyond its own size, is answered
// without reading or allocating what it claims.
func TestHostileLength(t *testing.T) {
	for _, size := range []uint64{1<<56 - 1, 1 << 40, maxRecordSize + 1, 64 << 20} {
		h, pad := frameHeader(int(size))
		f := &hugeFile{head: binary.LittleEndian.AppendUint64(nil, h), size: 8}
		var all []*Finding
		allocated := allocatedBy(func() { all = scanHuge(t, f) })
		if len(all) != 1 || all[0].Class != ClassTorn && all[0].Class != ClassFrameLength {
			t.Errorf("length %d: %v, want one damage", size, all)
		}
		if const64K := uint64(64 << 10); allocated > const64K || f.read > 1<<10 {
			t.Errorf("length %d (padding %d): %d bytes allocated, %d read, want few", size, pad, allocated, f.read)
		}
	}
}

// Where the file is as large as a wrong length says, its bytes are summed up before they are held
// in memory.
func TestHostileLengthInLargeFile(t *testing.T) {
	const size = 256 << 20
	data := int64(size - frameHeaderSize)
	for data+int64(len(appendPrefix(nil, KindEntry, 1<<31, nil)))+1+int64(uvarintSize(uint64(data)))+frameHeaderSize > size {
		data--
	}
	rest := size - frameHeaderSize
	h, _ := frameHeader(rest)
	head := binary.LittleEndian.AppendUint64(nil, h)
	head = append(head, appendPrefix(nil, KindEntry, 1<<31, nil)...)
	head = binary.AppendUvarint(append(head, tagRecordData), uint64(data))
	f := &hugeFile{head: head, size: size}
	var all []*Finding
	allocated := allocatedBy(func() { all = scanHuge(t, f) })
	if len(all) != 1 {
		t.Errorf("%v, want one damage", all)
	}
	if allocated > 4<<20 {
		t.Errorf("%d bytes allocated for a record that no checksum proves", allocated)
	}
}

// A segment full of what looks like frames, none of which proves itself, takes a bounded effort.
func TestHostileCandidates(t *testing.T) {
	const size = 8 << 20
	b := make([]byte, 0, size)
	rng := rand.New(rand.NewPCG(1, 2))
	for len(b) < size {
		// Each claims to reach to the end, and holds all that follow.
		rest := size - len(b) - frameHeaderSize
		h, _ := frameHeader(rest)
		at := len(b)
		b = binary.LittleEndian.AppendUint64(b, h)
		b = appendPrefix(b, KindEntry, rng.Uint32()|1<<31, nil)
		b = append(b, tagRecordData)
		b = binary.AppendUvarint(b, uint64(max(0, rest-8-1-4)))
		b = b[:at+32]
	}
	f := &countingFile{memFile: memFile{bytes.NewReader(b)}}
	s := newScanner(f, scanOptions{name: "x.wal", size: size, tail: true, seeded: true})
	for {
		r, err := s.next()
		check(t, err)
		if r == nil {
			break
		}
		if r.Kind != KindDamage {
			t.Errorf("%v: %v record, want damage", r.Pos, r.Kind)
		}
	}
	if limit := int64(4 * budgetFactor * size); f.read > limit {
		t.Errorf("%d bytes read of a segment of %d, want at most %d", f.read, size, limit)
	}
}

type countingFile struct {
	memFile
	read int64
}

func (f *countingFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.memFile.ReadAt(b, off)
	f.read += int64(n)
	return n, err
}

// hugeFile is a file of any size that takes no memory: a head, and then bytes that are not zero.
type hugeFile struct {
	head []byte
	size int64
	read int64
}

func (f *hugeFile) ReadAt(b []byte, off int64) (int, error) {
	n := int(min(int64(len(b)), max(f.size-off, 0)))
	for i := range b[:n] {
		b[i] = 0x55
	}
	if off < int64(len(f.head)) {
		copy(b[:n], f.head[off:])
	}
	f.read += int64(n)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *hugeFile) Stat() (fs.FileInfo, error) { return hugeInfo{size: f.size}, nil }

type hugeInfo struct {
	memInfo
	size int64
}

func (i hugeInfo) Size() int64 { return i.size }

func scanHuge(t *testing.T, f *hugeFile) []*Finding {
	t.Helper()
	s := newScanner(f, scanOptions{name: "x.wal", size: f.size, tail: true, seeded: true})
	var all []*Finding
	for {
		r, err := s.next()
		check(t, err)
		if r == nil {
			return all
		}
		if r.Kind == KindDamage {
			all = append(all, r.Damage)
		}
	}
}

// allocatedBy returns how many bytes f allocates.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
