package wal

import (
	"fmt"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// region tells what a byte of a frame is.
type region string

const (
	regionHeader  region = "header"
	regionTag     region = "tag"
	regionKind    region = "type"
	regionCRC     region = "crc"
	regionSize    region = "size"
	regionData    region = "data"
	regionPadding region = "padding"
)

// regionOf returns what byte i of the frame b is.
func regionOf(t *testing.T, b []byte, i int) region {
	t.Helper()
	f, ok := parseFrame(b, 0, int64(len(b)), false)
	if !ok {
		t.Fatalf("frame %x: not canonical", b)
	}
	crcEnd := 11 + uvarintSize(uint64(f.crc))
	switch {
	case i < 8:
		return regionHeader
	case i == 9:
		return regionKind
	case i == 8 || i == 10 || i == crcEnd && f.hasData:
		return regionTag
	case i < crcEnd:
		return regionCRC
	case int64(i) < f.dataOff && f.hasData:
		return regionSize
	case int64(i) < f.dataOff+f.dataLen:
		return regionData
	}
	return regionPadding
}

// wantClass is the verdict on a byte changed in each region of a frame that others follow.
var wantClass = map[region][]Class{
	regionHeader:  {ClassLengthField, ClassZeroedLength},
	regionTag:     {ClassPrefix},
	regionKind:    {ClassKind},
	regionCRC:     {ClassCRCField},
	regionSize:    {ClassPrefix},
	regionData:    {ClassPayload},
	regionPadding: {ClassPadding},
}

// Every single byte of a log that is changed, in each bit and in all, is found where it lies,
// called by its name, and costs no record but the one whose data it is in.
func TestEveryFlippedByte(t *testing.T) {
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		for _, segments := range []int{1, 3} {
			t.Run(fmt.Sprintf("%v/%d", flavor, segments), func(t *testing.T) {
				t.Parallel()
				b := buildLog(flavor, segments)
				for i, s := range b.segs {
					flipSegment(t, b, i, s)
				}
			})
		}
	}
}

// A log whose first segment is gone begins with a checksum that only itself tells. Every bit of the head that
// is changed is found all the same.
func TestFlippedHead(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 3)
	s := b.segs[1]
	for i, lo := range s.frames[:2] {
		frame := s.b[lo:s.frames[i+1]]
		for off := range frame {
			for bit := range 8 {
				files := b.files(1024)
				delete(files, b.segs[0].name.String())
				files[s.name.String()][lo+off] ^= 1 << bit
				damages, records := split(readFiles(t, files, Inspect))
				where := regionOf(t, frame, off)
				if where == regionCRC && i == 0 {
					continue // then it may as well be the metadata that is wrong
				}
				lost := 0
				if where == regionData {
					lost = 1
				}
				if len(damages) != 1 || !slices.Contains(wantClass[where], damages[0].Class) ||
					len(records) != len(s.frames)+len(b.segs[2].frames)-lost {
					t.Errorf("%s, offset %d, bit %d: %d records, damages %v", where, lo+off, bit, len(records), damages)
				}
			}
		}
	}
}

func flipSegment(t *testing.T, b *logBuilder, i int, s *bytesOf) {
	t.Helper()
	intact := readFiles(t, b.files(1024), Inspect)
	lastSegment := i == len(b.segs)-1
	for k, lo := range s.frames {
		hi := len(s.b)
		if k+1 < len(s.frames) {
			hi = s.frames[k+1]
		}
		for off := lo; off < hi; off++ {
			for _, mask := range masks(off-lo, len(b.segs)) {
				files := b.files(1024)
				files[s.name.String()][off] ^= mask
				f := flipped{
					frame: s.b[lo:hi], lo: lo, off: off,
					last: lastSegment && k == len(s.frames)-1,
				}
				f.check(t, files, intact)
				if t.Failed() {
					t.Fatalf("segment %d, offset %d, frame %d at %d, %s, mask %#02x",
						i, off, k, lo, regionOf(t, f.frame, off-lo), mask)
				}
			}
		}
	}
}

// masks returns the bits to change in byte i of a frame: all of them where fields are, one that
// wanders where there can only be data, or where another log had all.
func masks(i, segments int) []byte {
	const fields = 48
	if i < fields && segments == 1 {
		return []byte{1, 2, 4, 8, 16, 32, 64, 128, 0xff}
	}
	return []byte{1 << (i % 8)}
}

// flipped is one changed byte.
type flipped struct {
	frame   []byte
	lo, off int
	last    bool // the frame is the last of the log: nothing after it proves anything
}

func (f *flipped) check(t *testing.T, files map[string][]byte, intact []seen) {
	t.Helper()
	all := readFiles(t, files, Inspect)
	damages, records := split(all)
	if len(damages) != 1 {
		t.Errorf("%d damages, want 1", len(damages))
		for _, d := range damages {
			t.Log(d)
		}
		return
	}
	d := damages[0]
	where := regionOf(t, f.frame, f.off-f.lo)
	want := wantClass[where]
	lost := 0
	if where == regionData {
		lost = 1
		if f.last {
			want = []Class{ClassCRCMismatch}
		}
	}
	if !slices.Contains(want, d.Class) {
		t.Errorf("%v: want class %v", d, want)
	}
	if int64(f.off) < d.Pos.Off || int64(f.off) >= d.Pos.Off+d.Len {
		t.Errorf("%v: damage of %d bytes doesn't hold offset %d", d, d.Len, f.off)
	}
	if len(records) != len(intact)-lost {
		t.Errorf("%v: %d records, want %d", d, len(records), len(intact)-lost)
	}
	checkRecovered(t, files, all)
}

// checkRecovered checks that reading in Recover mode yields the same up to the damage, and ends
// there.
func checkRecovered(t *testing.T, files map[string][]byte, inspected []seen) {
	t.Helper()
	recovered := readFiles(t, files, Recover)
	n := slices.IndexFunc(inspected, func(r seen) bool { return r.Kind == KindDamage }) + 1
	if n == 0 {
		n = len(inspected)
	}
	if len(recovered) != n {
		t.Fatalf("recover mode: %d records, want %d", len(recovered), n)
	}
	for i, got := range recovered {
		want := inspected[i]
		if got.Pos != want.Pos || got.Kind != want.Kind || got.data != want.data {
			t.Errorf("recover mode: record %d: %v at %v, want %v at %v", i, got.Kind, got.Pos, want.Kind, want.Pos)
		}
	}
}

// A header that makes a frame of the first bytes of a record doesn't make its checksum a wrong field: without data
// that has been summed up, a byte that differs proves nothing.
func TestShortFrame(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 2)
	files, s := b.files(1024), b.segs[0]
	copy(files[s.name.String()][s.frames[1]:], s.b[:8])
	damages, records := split(readFiles(t, files, Inspect))
	if len(damages) != 1 || damages[0].Class != ClassLengthField || len(records) != frames(b) {
		t.Errorf("%d records, damages %v", len(records), damages)
	}
}
