package recording

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/wal"
)

// few returns one event of each kind.
func few() []stream.Event { return oneOfEach()[7:14] }

// small returns the bytes of a small recording, and where each event ends.
func small(t testing.TB) (b []byte, ends []int64) {
	t.Helper()
	dir := write(t, few(), Options{})
	for rec, err := range open(t, dir).Log().Records(wal.Inspect) {
		check(t, err)
		if rec.Kind == KindEvent {
			ends = append(ends, rec.Pos.Off+rec.Len)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, Dialect.FileName(wal.SegmentName{})))
	check(t, err)
	return b, ends
}

// readBytes reads a segment, and returns its events without the gaps that damage makes.
func readBytes(t testing.TB, b []byte) (events, lost []stream.Event) {
	t.Helper()
	name := Dialect.FileName(wal.SegmentName{})
	r, err := Open(fstest.MapFS{name: {Data: b, Mode: 0o600}}, name)
	if err != nil {
		if len(b) > 0 {
			t.Fatal(err)
		}
		return nil, nil
	}
	defer r.Close()
	for e, err := range r.Events() {
		check(t, err)
		if e.Kind == stream.KindGap && e.Channel == "" && strings.HasPrefix(e.Gap.Reason, "recording: ") {
			lost = append(lost, *e.Clone())
		} else {
			events = append(events, *e.Clone())
		}
	}
	return events, lost
}

// Of a recording that was cut off anywhere, all whole events are read.
func TestEveryPrefix(t *testing.T) {
	b, ends := small(t)
	for n := range len(b) + 1 {
		whole, _ := slices.BinarySearch(ends, int64(n)+1)
		got, lost := readBytes(t, b[:n])
		if diff := cmp.Diff(few()[:whole], got, noPos, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%d bytes: -want +got:\n%s", n, diff)
		}
		border := slices.Contains(ends, int64(n))
		if n > int(ends[0]) && (len(lost) == 0) != border {
			t.Errorf("%d bytes: gaps %v, want one exactly if an event is cut", n, lost)
		}
	}
}

// A flipped bit takes at most the event that it is in, and is told where it is.
func TestEveryFlippedByte(t *testing.T) {
	b, ends := small(t)
	all := few()
	for off := range b {
		hurt, _ := slices.BinarySearch(ends, int64(off)+1)
		damaged := bytes.Clone(b)
		damaged[off] ^= 1 << (off % 8)
		got, lost := readBytes(t, damaged)
		without := slices.Delete(slices.Clone(all), hurt, hurt+1)
		if !cmp.Equal(all, got, noPos, cmpopts.EquateEmpty()) && !cmp.Equal(without, got, noPos, cmpopts.EquateEmpty()) {
			t.Errorf("offset %d, event %d: %d events, gaps %v", off, hurt, len(got), lost)
		}
		if len(lost) != 1 {
			t.Errorf("offset %d: gaps %v, want one", off, lost)
		}
	}
}

// Damage in the middle of a recording is a gap with the time of the event before it, and what verification finds.
func TestDamage(t *testing.T) {
	b, ends := small(t)
	damaged := bytes.Clone(b)
	damaged[ends[3]+30] ^= 4
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, Dialect.FileName(wal.SegmentName{})), damaged, 0o600))
	r := open(t, dir)
	got := read(t, r)
	want := few()
	if g := got[4]; g.Kind != stream.KindGap || !g.Time.Equal(want[3].Time) || g.Pos.Off != ends[3]+30 && g.Pos.Off != ends[3] {
		t.Errorf("event 4 is %v, %v", g, g.Gap)
	}
	mustEqual(t, append(got[:4:4], got[5:]...), append(want[:4:4], want[5:]...))
	report := verdict(t, r, wal.VerdictProblem)
	if len(report.Findings) == 0 || report.Findings[0].Pos.Off != got[4].Pos.Off {
		t.Errorf("found %v, want something at offset %d", report.Findings, got[4].Pos.Off)
	}
}
