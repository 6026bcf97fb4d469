package wal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// A log whose last segment ends anywhere, as a crash can leave it, is clean where a frame ends and
// torn where none does. Nothing before that place is lost, and nothing after it is made up.
func TestEveryPrefix(t *testing.T) {
	for _, zeros := range []int{0, 24, 4096} {
		b := buildLog(raftpb.FlavorGogo, 2)
		s := b.tail()
		intact := readFiles(t, b.files(0), Inspect)
		before := len(intact) - len(s.frames)
		for size := range len(s.b) {
			files := b.files(0)
			cut := append(slices.Clone(s.b[:size]), make([]byte, zeros)...)
			files[s.name.String()] = cut
			all := readFiles(t, files, Inspect)
			checkRecovered(t, files, all)
			damages, records := split(all)
			whole, inside := slices.BinarySearch(s.frames, size)
			switch {
			case size == 0:
				wantOnly(t, damages, ClassEmptySegment, 0)
			case inside || indexNonzero(s.b[s.frames[whole-1]:size]) == size-s.frames[whole-1]:
				wantOnly(t, damages, "", 0)
			case zeros == 0:
				wantOnly(t, damages, ClassTorn, s.frames[whole-1])
			default:
				wantTornOr(t, damages, s.frames[whole-1])
			}
			// Where only zeros were cut off and zeros came back, the frame is whole.
			n := len(records) - before
			if n != whole && (n != whole-1 || inside) && size > 0 {
				t.Errorf("%d records in the last segment, want %d or one less", n, whole)
			}
			if t.Failed() {
				t.Fatalf("cut at %d, %d zeros", size, zeros)
			}
		}
	}
}

func wantOnly(t *testing.T, got []*Finding, class Class, off int) {
	t.Helper()
	if class == "" && len(got) == 0 {
		return
	}
	if len(got) != 1 || got[0].Class != class || got[0].Pos.Off != int64(off) {
		t.Errorf("damages %v, want %q at %d", got, class, off)
	}
}

// wantTornOr accepts what a write cut off within a sector can look like when zeros follow: disks
// don't leave that behind, so that the bytes may be anything that begins there.
func wantTornOr(t *testing.T, got []*Finding, off int) {
	t.Helper()
	if len(got) > 1 {
		t.Errorf("damages %v, want one at most", got)
	}
	for _, d := range got {
		if d.Pos.Off < int64(off) || d.Class == ClassLengthField {
			t.Errorf("%v: want it at %d", d, off)
		}
	}
}

// A finished segment that ends anywhere but where its last frame does is damaged, never torn.
func TestEveryPrefixOfFinishedSegment(t *testing.T) {
	b := buildLog(raftpb.FlavorPbgo, 3)
	s := b.segs[1]
	for size := range len(s.b) {
		files := b.files(64)
		files[s.name.String()] = s.b[:size]
		all := readFiles(t, files, Inspect)
		checkRecovered(t, files, all)
		damages, _ := split(all)
		if len(damages) == 0 {
			t.Fatalf("cut at %d: no damage", size)
		}
		for _, d := range damages {
			if d.Class == ClassTorn {
				t.Errorf("cut at %d: %v", size, d)
			}
		}
		if _, whole := slices.BinarySearch(s.frames, size); whole && damages[len(damages)-1].Class != ClassCRCChain {
			t.Errorf("cut at %d: %v, want the chain broken at the next segment", size, damages)
		}
	}
}

// A machine that goes down while it writes leaves some sectors of the write behind and others not. What
// was there before the write is untouched by that, and nothing is read that was not written.
func TestTornWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	b := buildLog(raftpb.FlavorPbgo, 1)
	s := b.tail()
	synced := len(s.b)
	syncedFrames := len(s.frames)
	for range 6 {
		b.entry(3, bytes.Repeat([]byte("torn"), 20+rng.IntN(300)))
	}
	b.state(3, b.index)
	files := b.files(2 * sectorSize)
	intact := readFiles(t, files, Inspect)
	for range 3000 {
		file := slices.Clone(files[s.name.String()])
		for lo := synced / sectorSize * sectorSize; lo < len(s.b); lo += sectorSize {
			if rng.IntN(2) == 0 {
				clear(file[max(lo, synced):min(lo+sectorSize, len(file))])
			}
		}
		torn := map[string][]byte{s.name.String(): file}
		all := readFiles(t, torn, Inspect)
		checkRecovered(t, torn, all)
		damages, records := split(all)
		for i, r := range records {
			known := slices.IndexFunc(intact, func(w seen) bool { return w.Pos == r.Pos })
			switch {
			case known < 0 || intact[known].data != r.data || intact[known].Kind != r.Kind:
				t.Fatalf("%v: %v record that was never written", r.Pos, r.Kind)
			case i < syncedFrames && known != i:
				t.Fatalf("%v: a record before it was lost", r.Pos)
			}
		}
		for _, d := range damages {
			if d.Pos.Off < int64(synced) {
				t.Fatalf("%v: damage before the torn write, at %d", d, synced)
			}
		}
	}
}

// Whatever is done to a log, every byte is accounted for once, and what is yielded as intact is.
func TestRandomDamage(t *testing.T) {
	const runs = 3000
	rng := rand.New(rand.NewPCG(3, 4))
	b := buildLog(raftpb.FlavorGogo, 2)
	for range runs {
		files := b.files(rng.IntN(2048))
		name := b.segs[rng.IntN(2)].name.String()
		for range 1 + rng.IntN(6) {
			files[name] = wreckBytes(rng, files[name])
		}
		all := readFiles(t, files, Inspect)
		checkFrames(t, files, all)
		checkRecovered(t, files, all)
	}
}

// wreckBytes damages b in one of the ways in which disks, programs and people do.
func wreckBytes(rng *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	lo := rng.IntN(len(b))
	upTo := func(n int) int { return min(len(b), lo+rng.IntN(n)) }
	switch rng.IntN(5) {
	case 0:
		b[lo] ^= byte(rng.Uint32())
	case 1:
		clear(b[lo:upTo(2*sectorSize)])
	case 2:
		b = slices.Delete(b, lo, upTo(64))
	case 3:
		b = b[:lo]
	case 4:
		lo &^= frameAlign - 1
		b = slices.Insert(b, lo, slices.Clone(b[lo:upTo(512)])...)
	}
	return b
}

func TestDamageErr(t *testing.T) {
	d := Finding{Class: ClassTorn, Pos: Position{"x.wal", 40}, Evidence: "length 8, but 3 bytes remain"}
	if err := d.Err(); !errors.Is(err, ErrTorn) || !strings.HasPrefix(err.Error(), "x.wal: offset 40: ") {
		t.Errorf("got %v, want ErrTorn with its position", err)
	}
	d.Class = ClassPayload
	corrupt, ok := errors.AsType[*CorruptError](d.Err())
	if !ok || corrupt.File != "x.wal" || corrupt.Off != 40 {
		t.Errorf("got %v, want a CorruptError with its position", d.Err())
	}
}
