package database_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/database"
)

const pageSize = 4096

// large makes a database of several hundred pages, and returns its bytes.
func large(tb testing.TB, seed uint64) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "db")
	s := dbtest.New(tb, path)
	rng := rand.New(rand.NewPCG(seed, 3))
	s.Grant(9, 100)
	for i := range 1500 {
		s.Put(fmt.Sprintf("key-%04d", rng.IntN(900)), string(bytes.Repeat([]byte{byte('a' + i%26)}, rng.IntN(900))),
			int64(i%2*9))
		if i%50 == 0 {
			s.Put(fmt.Sprintf("large-%d", i), string(make([]byte, 20_000)), 0)
			s.Delete(fmt.Sprintf("key-%04d", i), "")
		}
	}
	s.Compact(700)
	s.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// withTrailer appends a trailer, as a database has it that was saved.
func withTrailer(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(bytes.Clone(b), sum[:]...)
}

// examine does all that can be done with a file, and returns the report, which is nil if it can't be
// opened.
func examine(tb testing.TB, b []byte) (r *database.Report, s *database.Status, keys map[string]bool) {
	tb.Helper()
	fsys := fstest.MapFS{"db": {Data: b}}
	db, err := database.Open(tb.Context(), fsys, "db", database.Options{})
	if err != nil {
		return nil, nil, nil
	}
	defer func() { _ = db.Close() }()
	if r, err = db.Verify(tb.Context(), database.VerifyOptions{}); err != nil {
		tb.Fatal(err)
	}
	if s, err = db.Status(tb.Context(), nil); err != nil {
		tb.Fatal(err)
	}
	keys = map[string]bool{}
	for kv, err := range db.Keys(tb.Context(), database.Query{}) {
		if err == nil {
			keys[string(kv.Key)] = true
		}
	}
	if _, err := db.HashKV(tb.Context(), 0, nil); err != nil && !errors.Is(err, database.ErrDamaged) {
		tb.Errorf("hash: %v", err)
	}
	for c, err := range db.History(tb.Context(), database.Query{}) {
		if err == nil && len(c.Key) == 0 && !c.Tombstone {
			tb.Errorf("a change without a key at %v", c.Revision)
		}
	}
	return r, s, keys
}

// damages are ways to damage a file.
var damages = map[string]func(b []byte, rng *rand.Rand) []byte{
	"bit":           func(b []byte, rng *rand.Rand) []byte { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8); return b },
	"bit in a meta": func(b []byte, rng *rand.Rand) []byte { b[16+rng.IntN(64)+rng.IntN(2)*pageSize] ^= 1; return b },
	"header of a page": func(b []byte, rng *rand.Rand) []byte {
		b[page(b, rng)+rng.IntN(16)] ^= 1 << rng.IntN(8)
		return b
	},
	"elements of a page": func(b []byte, rng *rand.Rand) []byte {
		b[page(b, rng)+16+rng.IntN(160)] ^= 1 << rng.IntN(8)
		return b
	},
	"bytes": func(b []byte, rng *rand.Rand) []byte {
		for range 20 {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		return b
	},
	"page zeroed": func(b []byte, rng *rand.Rand) []byte { clear(b[page(b, rng):][:pageSize]); return b },
	"sector":      func(b []byte, rng *rand.Rand) []byte { clear(b[rng.IntN(len(b)/512)*512:][:512]); return b },
	"pages swapped": func(b []byte, rng *rand.Rand) []byte {
		x, y := b[page(b, rng):][:pageSize], b[page(b, rng):][:pageSize]
		tmp := bytes.Clone(x)
		copy(x, y)
		copy(y, tmp)
		return b
	},
	"page copied": func(b []byte, rng *rand.Rand) []byte {
		copy(b[page(b, rng):][:pageSize], b[page(b, rng):][:pageSize])
		return b
	},
	"cut at a page":  func(b []byte, rng *rand.Rand) []byte { return b[:page(b, rng)] },
	"cut within one": func(b []byte, rng *rand.Rand) []byte { return b[:rng.IntN(len(b))] },
	"random": func(b []byte, rng *rand.Rand) []byte {
		for i := range b {
			if i > 2*pageSize {
				b[i] = byte(rng.Uint32())
			}
		}
		return b
	},
}

// page returns where some page begins that is no meta page.
func page(b []byte, rng *rand.Rand) int { return (2 + rng.IntN(len(b)/pageSize-2)) * pageSize }

// Damage to a saved database, of any kind, is never called ok; what can still be read of it is read, and
// nothing that wasn't there.
func TestDamage(t *testing.T) {
	good := large(t, 1)
	other := large(t, 2)
	saved := withTrailer(good)
	_, _, all := examine(t, good)
	damages["page of another"] = func(b []byte, rng *rand.Rand) []byte {
		at := page(other, rng)
		copy(b[at%len(b):], other[at:at+pageSize])
		return b
	}
	opened, lost := 0, 0
	for name, damage := range damages {
		rng := rand.New(rand.NewPCG(7, uint64(len(name))))
		for i := range 40 {
			b := damage(bytes.Clone(saved), rng)
			if bytes.Equal(b, saved) {
				continue
			}
			r, s, keys := examine(t, b)
			if r == nil {
				continue
			}
			opened++
			if r.Verdict == verdict.OK && r.Trailer != database.TrailerMissing {
				t.Errorf("%s %d: %v: %v", name, i, r.Verdict, r.Findings)
			}
			if len(s.Damaged) == 0 == (s.Hashes == nil) {
				t.Errorf("%s %d: hashes %v, and damaged: %v", name, i, s.Hashes, s.Damaged)
			}
			if len(keys) < len(all) {
				lost++
			}
			if r.Verdict == verdict.OK && len(keys) != len(all) {
				t.Errorf("%s %d: ok, but %d keys, want %d", name, i, len(keys), len(all))
			}
		}
	}
	if opened < 300 || lost < 50 {
		t.Errorf("%d files opened, %d with keys lost: want more", opened, lost)
	}
}

// Without a trailer, damage to a page that is in use is told, unless it lies within a key or a value,
// which nothing protects.
func TestDamageWithoutTrailer(t *testing.T) {
	good := large(t, 3)
	want, _, all := examine(t, good)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		b := bytes.Clone(good)
		b[page(b, rng)+rng.IntN(16)] ^= 1 << rng.IntN(8)
		r, _, keys := examine(t, b)
		if r != nil && r.Verdict == verdict.OK && (len(keys) != len(all) || r.Revisions != want.Revisions) {
			t.Errorf("ok, but %d keys in %d records, want %d in %d", len(keys), r.Revisions, len(all), want.Revisions)
		}
	}
}

// Each page of the history that is lost is told with the revisions that are lost with it, and what lies
// on the others is read.
func TestLostPage(t *testing.T) {
	good := large(t, 4)
	fsys := fstest.MapFS{"db": {Data: good}}
	db, err := database.Open(t.Context(), fsys, "db", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := db.Bolt().Bucket("key")
	if err != nil {
		t.Fatal(err)
	}
	var leaves []uint64
	records := int64(0)
	on := map[uint64]int64{}
	for p, err := range b.Leaves(nil) {
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, p.ID)
		on[p.ID] = int64(p.Len())
		records += int64(p.Len())
	}
	for i := 0; i < len(leaves); i += 7 {
		id := leaves[i]
		damaged := bytes.Clone(good)
		damaged[id*pageSize+8] = 0x40
		r, s, _ := examine(t, damaged)
		if s.Revisions != records-on[id] || len(s.Damaged) != 1 {
			t.Errorf("page %d: %d records and %v, want %d", id, s.Revisions, s.Damaged, records-on[id])
		}
		pages := 0
		for _, f := range r.Findings {
			switch f.Class {
			case database.ClassPage:
				pages++
			case database.ClassLonger, database.ClassNoTrailer, database.ClassLeaseMissing, database.ClassUnreachable:
			default:
				t.Errorf("page %d: %v", id, f.String())
			}
		}
		if pages != 1 {
			t.Errorf("page %d: %d pages told, want it alone", id, pages)
		}
	}
}

// brokenReader fails where a disk has gone bad.
type brokenReader struct {
	*bytes.Reader
	from, to int64
}

func (r brokenReader) ReadAt(b []byte, off int64) (int, error) {
	if off < r.to && off+int64(len(b)) > r.from {
		return 0, errors.New("input/output error")
	}
	return r.Reader.ReadAt(b, off)
}

// Where the disk can't be read, nothing is proven: the verdict is that not everything was checked, and
// what lies elsewhere is checked all the same.
func TestUnreadable(t *testing.T) {
	good := large(t, 8)
	want, _, _ := examine(t, good)
	unchecked := 0
	for page := int64(2); page < int64(len(good))/pageSize; page += 23 {
		r := brokenReader{bytes.NewReader(good), page * pageSize, (page + 1) * pageSize}
		db, err := database.OpenAt(r, int64(len(good)), "db")
		if err != nil {
			t.Fatal(err)
		}
		report, err := db.Verify(t.Context(), database.VerifyOptions{})
		if err != nil {
			continue // of a bucket that is needed whole
		}
		if report.Verdict == verdict.Problem || report.Revisions < want.Revisions && report.Verdict != verdict.Unchecked {
			t.Errorf("page %d: %v, %d of %d revisions: %v", page, report.Verdict, report.Revisions, want.Revisions, report.Findings)
		}
		if report.Verdict == verdict.Unchecked {
			unchecked++
		}
	}
	if unchecked < 5 {
		t.Errorf("%d pages in use were unreadable, want more", unchecked)
	}
}
