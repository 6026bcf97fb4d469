package wal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// hundred writes a log of 100 entries, each synced, with the commit right behind them. It returns
// its folder and the offset of each entry's record.
func hundred(t *testing.T) (dir string, offs []int64) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "wal")
	w := mustCreate(t, dir, WriterOptions{})
	for i := range uint64(100) {
		offs = append(offs, w.Size())
		err := w.Append(raftpb.HardState{Term: 1, Vote: 1, Commit: i}, []raftpb.Entry{{
			Term: 1, Index: i + 1, Data: bytes.Repeat([]byte{'v'}, 600),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, w)
	return dir, offs
}

// TestCutTorn damages the log of 100 synced entries. The key says where. Only what nothing behind
// it disproves may be cut off; anything else is refused, with what that would lose, and nothing is
// changed.
func TestCutTorn(t *testing.T) {
	sector := func(b []byte, off int64) { clear(b[alignUp(off, sectorSize):][:sectorSize]) }
	tests := map[string]struct {
		damage    func(b []byte, offs []int64) []byte
		lost      []IndexRange
		committed uint64
		last      uint64 // when it is cut off
	}{
		"a sector of entry 50": {func(b []byte, offs []int64) []byte {
			sector(b, offs[49])
			return b
		}, []IndexRange{{51, 100}}, 49, 0},
		"the header of entry 50": {func(b []byte, offs []int64) []byte {
			clear(b[offs[49]:][:sectorSize])
			return b
		}, []IndexRange{{51, 100}}, 49, 0},
		"a flipped byte in entry 50": {func(b []byte, offs []int64) []byte {
			b[offs[49]+300] ^= 1
			return b
		}, []IndexRange{{51, 100}}, 49, 0},
		"a flipped byte in the last entry": {func(b []byte, offs []int64) []byte {
			b[offs[99]+300] ^= 1
			return b
		}, nil, 0, 0},
		"the last entry but for its first sector": {func(b []byte, offs []int64) []byte {
			clear(b[alignUp(offs[99]+1, sectorSize):])
			return b
		}, nil, 0, 99},
		"the first sector of the last entry": {func(b []byte, offs []int64) []byte {
			clear(b[offs[99]:alignUp(offs[99]+1, sectorSize)])
			return b
		}, nil, 0, 99},
		"the file behind the middle of the last entry": {func(b []byte, offs []int64) []byte {
			return b[:offs[99]+300]
		}, nil, 0, 99},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir, offs := hundred(t)
			path := filepath.Join(dir, SegmentName{}.String())
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b = tt.damage(b, offs)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if tt.last > 0 {
				w, rec, err := OpenForAppend(nil, dir, AppendOptions{CutTorn: true})
				if err != nil {
					t.Fatal(err)
				}
				if w.Last() != tt.last || rec.Torn.Len == 0 || len(rec.Entries) != int(tt.last) {
					t.Errorf("%d bytes cut off, %d entries, goes on behind entry %d, want %d",
						rec.Torn.Len, len(rec.Entries), w.Last(), tt.last)
				}
				mustClose(t, w)
				r := verifyDir(t, dir)
				if r.Verdict != VerdictOK || r.Last.Index != tt.last {
					t.Errorf("verdict %s, last entry %v\n%s", r.Verdict, r.Last, findingLines(r))
				}
				return
			}
			checkRefused(t, dir, b, &LossError{Lost: tt.lost, Committed: tt.committed})
		})
	}
}

// checkRefused opens a log that may not be cut off.
func checkRefused(t *testing.T, dir string, b []byte, want *LossError) {
	t.Helper()
	_, _, err := OpenForAppend(nil, dir, AppendOptions{CutTorn: true})
	loss, ok := errors.AsType[*LossError](err)
	if !ok {
		t.Fatalf("got %v, want a LossError", err)
	}
	if diff := cmp.Diff(want.Lost, loss.Lost); diff != "" || loss.Committed != want.Committed {
		t.Errorf("lost (-want +got):\n%s%d of them committed, want %d", diff, loss.Committed, want.Committed)
	}
	if errors.Is(err, ErrTorn) {
		t.Errorf("%v: is ErrTorn", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, SegmentName{}.String()))
	if err != nil || !bytes.Equal(after, b) {
		t.Errorf("the segment was changed (%v)", err)
	}
}

// TestTornSaysHow tells a crash from a copy that was cut short.
func TestTornSaysHow(t *testing.T) {
	tests := map[string]struct {
		end func(file []byte, header int) []byte // the last frame's header ends at a sector's end
		how string
	}{
		"the file ends": {func(b []byte, header int) []byte { return b[:header+20] },
			"; the file ends here, as a copy that was cut short or a full disk leaves it"},
		"the file ends behind a header": {func(b []byte, header int) []byte { return b[:header] },
			"; the file ends here, as a copy that was cut short or a full disk leaves it"},
		"zeros follow": {func(b []byte, header int) []byte {
			return append(b[:header:header], make([]byte, 4096)...)
		}, "; zeros follow, as a crash leaves them: nothing acknowledged is missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			file, header := headerAtSectorEnd(t)
			log := map[string][]byte{SegmentName{}.String(): tt.end(file, header)}
			damages, _ := split(readFiles(t, log, Inspect))
			if len(damages) != 1 || damages[0].Class != ClassTorn ||
				!strings.HasSuffix(damages[0].Evidence, tt.how) {
				t.Errorf("got %v, want a torn end%s", damages, tt.how)
			}
		})
	}
}

// headerAtSectorEnd returns a segment, and where the header of its last frame ends: with a sector.
func headerAtSectorEnd(t *testing.T) (file []byte, header int) {
	t.Helper()
	for n := range 1024 {
		b := buildLog(raftpb.FlavorGogo, 1)
		b.entry(2, make([]byte, n))
		if header = len(b.tail().b) + frameHeaderSize; header%sectorSize == 0 {
			b.entry(2, []byte("the last one, of more than twenty bytes"))
			return b.tail().b, header
		}
	}
	t.Fatal("no size fits")
	return nil, 0
}

func verifyDir(t *testing.T, dir string) *Report {
	t.Helper()
	l, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
