package wal

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// TestSiteOfEveryDamage flips a bit of every byte of a log: of every damage that Verify finds, the reader
// knows the place.
func TestSiteOfEveryDamage(t *testing.T) {
	for _, first := range []int{0, 1} {
		b := buildLog(raftpb.FlavorGogo, 2)
		was := b.files(64)
		if first > 0 {
			delete(was, b.segs[0].name.String())
		}
		for name, bytes := range was {
			for off := range bytes {
				bytes[off] ^= 1 << (off % 8)
				checkSites(t, was, name, int64(off))
				bytes[off] ^= 1 << (off % 8)
			}
		}
	}
}

func checkSites(t *testing.T, log files, name string, off int64) {
	t.Helper()
	l, err := Open(mapFS(log), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i := range r.Findings {
		f := &r.Findings[i]
		s, err := l.Site(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if s == nil {
			continue
		}
		found++
		at := s.Before.Off
		if l.segments[s.Segment].File != f.Pos.Segment || at > f.Pos.Off || s.End < f.Pos.Off+f.Len && s.Record == nil {
			t.Errorf("%s offset %d: %v of %d bytes lies in [%d, %d)", name, off, f, f.Len, at, s.End)
		}
		if s.Record != nil && (s.Record.Pos.Off != at || at+s.Record.Len != s.End) {
			t.Errorf("%s offset %d: the record at %v of %d bytes lies in [%d, %d)", name, off, s.Record.Pos, s.Record.Len,
				at, s.End)
		}
		if s.Before.Seeded && s.Record != nil && s.Record.Sum != updateCRC(s.Before.Sum, s.Record.Data) {
			t.Errorf("%s offset %d: crc %08x before the record doesn't lead to %08x behind it", name, off, s.Before.Sum,
				s.Record.Sum)
		}
	}
	if found == 0 {
		t.Errorf("%s offset %d: no place known of %v", name, off, r.Findings)
	}
}

func TestSite(t *testing.T) {
	b := buildLog(raftpb.FlavorGogo, 2)
	log := b.files(64)
	segs := []string{b.segs[0].name.String(), b.segs[1].name.String()}
	at := b.segs[1].frames[5]
	log[segs[1]][at+35] ^= 1 // in the data of an entry
	log[segs[1]][12] ^= 1    // in the checksum of the crc record
	l, err := Open(mapFS(log), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := l.Site(t.Context(), &Finding{Class: ClassPayload, Pos: Position{segs[1], int64(at)}})
	if err != nil || s == nil || s.Before.Off != int64(at) || s.End != int64(b.segs[1].frames[6]) || !s.More || !s.Tail ||
		s.HasNext || s.Before.Records() != 5 {
		t.Errorf("entry: got %+v, %v", s, err)
	}
	s, err = l.Site(t.Context(), &Finding{Class: ClassCRCField, Pos: Position{segs[1], 11}})
	if err != nil || s == nil || s.Record == nil || s.Record.Kind != KindCRC || !s.Chained {
		t.Errorf("crc record: got %+v, %v", s, err)
	}
	for _, f := range []Finding{
		{Class: ClassPadding, Pos: Position{segs[1], int64(at)}},
		{Class: ClassPayload, Pos: Position{segs[1], int64(at) + 8}},
		{Class: ClassPayload, Pos: Position{"other", int64(at)}},
	} {
		if s, err := l.Site(t.Context(), &f); s != nil || err != nil {
			t.Errorf("%v: got %+v, %v, want none", f, s, err)
		}
	}
}

func TestSiteStops(t *testing.T) {
	l, err := Open(mapFS(evenLog(2000, 1000)), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := Finding{Class: ClassPayload, Pos: Position{l.segments[0].File, 1 << 40}}
	if s, err := l.Site(ctx, &f); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v, want %v", s, err, context.Canceled)
	}
}

// TestWalk walks over logs with a flipped bit: up to the record before it, and no further.
func TestWalk(t *testing.T) {
	b := buildLog(raftpb.FlavorPbgo, 1)
	s := b.tail()
	segment := append(append([]byte{}, s.b...), make([]byte, 64)...)
	for i, off := range append(s.frames, len(s.b)) {
		segment[off+1] ^= 0x40
		at, n := Reached{}, 0
		for r, err := range Etcd.Walk(bytes.NewReader(segment), int64(len(segment)), &at) {
			if err != nil || r.Pos.Off != int64(s.frames[n]) {
				t.Fatalf("record %d at %v, %v", n, r.Pos, err)
			}
			n++
		}
		if n != i || at.Off != int64(off) || at.Records() != i {
			t.Errorf("flipped at %d: %d records up to %d", off, n, at.Off)
		}
		segment[off+1] ^= 0x40
	}
}

// TestFrameParts takes frames apart and puts them together again.
func TestFrameParts(t *testing.T) {
	for _, segments := range []int{1, 2} {
		b := buildLog(raftpb.FlavorGogo, segments)
		for _, s := range b.segs {
			for i, off := range s.frames {
				f, ok := ParseFrame(s.b[off:], int64(off), int64(len(s.b)), false)
				if !ok || i+1 < len(s.frames) && f.End() != int64(s.frames[i+1]) {
					t.Fatalf("frame at %d: %+v, %v", off, f, ok)
				}
				if head := f.AppendHead(nil); !bytes.Equal(head, s.b[off:f.DataOff]) {
					t.Errorf("frame at %d: head %x, want %x", off, head, s.b[off:f.DataOff])
				}
				bare, ok := ParseUnframed(s.b[off:], int64(off), int64(len(s.b)), false)
				size, pad, header := ParseHeader(s.b[off:], false)
				crc, stored := ParseCRC(s.b[off:])
				if !ok || bare != f || !header || size != f.Size || pad != f.Pad || !stored || crc != f.CRC ||
					Padding(size) != pad {
					t.Errorf("frame at %d: %+v, header %d %d, crc %08x; want %+v", off, bare, size, pad, crc, f)
				}
				placed := Frame{Off: f.Off, Size: f.Size, Pad: f.Pad, Kind: f.Kind, CRC: f.CRC, HasData: f.HasData}
				fitted := Frame{Off: f.Off, Kind: f.Kind, CRC: f.CRC, HasData: f.HasData}
				fitted.Fit(f.DataLen, false)
				if !placed.Place() || placed != f || fitted != f {
					t.Errorf("frame at %d: placed %+v, fitted %+v, want %+v", off, placed, fitted, f)
				}
			}
		}
	}
	for _, b := range [][]byte{nil, make([]byte, 8), bytes.Repeat([]byte{0xff}, 40)} {
		if f, ok := ParseFrame(b, 0, 1<<40, true); ok {
			t.Errorf("%x: %+v", b, f)
		}
		if f, ok := ParseUnframed(b, 0, 1<<40, true); ok {
			t.Errorf("%x: %+v", b, f)
		}
	}
	if f := (Frame{Size: 3}); f.Place() {
		t.Errorf("a record of 3 bytes: %+v", f)
	}
}
