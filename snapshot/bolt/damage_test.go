package bolt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

const smallPage = 512 // of the database that small makes

// checkErrors checks that errors are of pages, that of a file of some size.
func checkErrors(t *testing.T, errs []error, size int) {
	t.Helper()
	for _, err := range errs {
		var corrupt *bolt.CorruptError
		if !errors.As(err, &corrupt) {
			t.Fatalf("got %v, want a CorruptError", err)
		}
		if corrupt.Off < 0 || corrupt.Off > int64(size) {
			t.Fatalf("%v: outside of %d bytes", err, size)
		}
	}
}

// Of a file that ends early, all is read that lies before its end, and the rest is an error at the end.
func TestEveryPrefix(t *testing.T) {
	raw := small(t)
	want, _ := readAll(open(t, raw))
	for n := range raw {
		db, err := bolt.Open(bytes.NewReader(raw[:n]), int64(n))
		if err != nil {
			if n >= 80 { // the first meta page is there
				t.Fatalf("%d bytes: %v", n, err)
			}
			if !errors.Is(err, bolt.ErrNotBolt) {
				t.Fatalf("%d bytes: got %v, want %v", n, err, bolt.ErrNotBolt)
			}
			continue
		}
		got, errs := readAll(db)
		checkErrors(t, errs, n)
		if len(errs) == 0 && !cmp.Equal(want, got) {
			t.Fatalf("%d bytes: %d items and no error, want %d", n, len(got), len(want))
		}
		for _, err := range errs {
			corrupt, _ := errors.AsType[*bolt.CorruptError](err)
			if db.Meta().TxID == open(t, raw).Meta().TxID && corrupt.Off != int64(n) {
				t.Fatalf("%d bytes: %v, want it at the end", n, err)
			}
		}
	}
}

// A flipped byte either changes a key or a value, of which bbolt has no checksum, or is an error at
// the page it lies in, or at one that this page refers to; or it is in nothing that is used.
func TestEveryFlip(t *testing.T) {
	raw := small(t)
	want, _ := readAll(open(t, raw))
	pages := map[int64][]int64{} // the children of a branch page
	contents := map[int64]bool{} // offsets of keys and values
	mapPages(t, open(t, raw), pages, contents)
	for off := range int64(len(raw)) {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			raw[off] ^= flip
			flipped(t, raw, off, want, pages, contents)
			raw[off] ^= flip
		}
	}
}

func flipped(
	t *testing.T, raw []byte, off int64, want []item, pages map[int64][]int64, contents map[int64]bool,
) {
	t.Helper()
	db := open(t, raw) // one of the meta pages is intact
	got, errs := readAll(db)
	checkErrors(t, errs, len(raw))
	if off < 2*smallPage {
		return // another meta page counts, of a state of which some pages were written over
	}
	if len(errs) == 0 && !contents[off] && !cmp.Equal(want, got) {
		t.Fatalf("byte %d flipped: other items, but no error", off)
	}
	for _, err := range errs {
		corrupt, _ := errors.AsType[*bolt.CorruptError](err)
		page := off / smallPage
		for pages[page] == nil && page > 2 { // an overflow page belongs to the one before it
			page--
		}
		at := func(id int64) bool { return corrupt.Page == uint64(id) }
		said := binary.LittleEndian.AppendUint64(nil, corrupt.Page) // a page that only the flip has named
		if !at(page) && !slices.ContainsFunc(pages[page], at) && !bytes.Contains(raw[page*smallPage:][:smallPage], said) {
			t.Fatalf("byte %d of page %d flipped: %v", off, page, err)
		}
	}
}

// mapPages finds all pages of a database by looking at each.
func mapPages(t *testing.T, db *bolt.DB, pages map[int64][]int64, contents map[int64]bool) {
	t.Helper()
	for p, err := range bolt.AllPages(db) {
		if err != nil {
			t.Fatal(err)
		}
		id := int64(p.ID)
		pages[id] = append(make([]int64, 0), bolt.Children(p)...)
		for i := range p.Size() {
			table := 16 + 16*int64(p.Len())
			if !p.IsLeaf() {
				table = 16 // an element says where another page is, which may be a valid one
			}
			contents[p.Off+i] = i >= table-8 // nothing tells the sizes of the last element
		}
	}
}

// remeta changes a meta page, and its checksum.
func remeta(raw []byte, page int, change func(m []byte)) {
	m := raw[page*smallPage+16:][:64]
	change(m)
	sum := fnv.New64a()
	_, _ = sum.Write(m[:56])
	binary.LittleEndian.PutUint64(m[56:], sum.Sum64())
}

func TestOpenDamage(t *testing.T) {
	good := small(t)
	put32 := func(off int, v uint32) func([]byte) {
		return func(m []byte) { binary.LittleEndian.PutUint32(m[off:], v) }
	}
	put64 := func(off int, v uint64) func([]byte) {
		return func(m []byte) { binary.LittleEndian.PutUint64(m[off:], v) }
	}
	both := func(raw []byte, change func([]byte)) []byte {
		remeta(raw, 0, change)
		remeta(raw, 1, change)
		return raw
	}
	for _, tc := range []struct {
		name    string
		corrupt func(raw []byte) []byte
		want    string // the error of Open
		metas   [2]string
	}{
		{"nothing", func([]byte) []byte { return nil }, "not a bbolt database: page 0: offset 16: ", [2]string{}},
		{"zeroes", func(b []byte) []byte { clear(b); return b }, "not a bbolt database: ", [2]string{}},
		{"first zeroed", func(b []byte) []byte { clear(b[:80]); return b }, "", [2]string{"magic 00000000"}},
		{"first flipped", func(b []byte) []byte { b[40]++; return b }, "", [2]string{"checksum "}},
		{"second flipped", func(b []byte) []byte { b[smallPage+40]++; return b }, "",
			[2]string{"", "page 1: offset 528: checksum "}},
		{"both flipped", func(b []byte) []byte { b[40]++; b[smallPage+40]++; return b },
			"page 0: offset 16: checksum ", [2]string{}},
		{"first zeroed, second flipped", func(b []byte) []byte { clear(b[:80]); b[smallPage+40]++; return b },
			"page 1: offset 528: checksum ", [2]string{}},
		{"another version", func(b []byte) []byte { return both(b, put32(4, 3)) },
			"page 0: offset 16: version 3 of the format, want 2", [2]string{}},
		{"big endian", func(b []byte) []byte { b[16], b[17], b[18], b[19] = b[19], b[18], b[17], b[16]; return b },
			"", [2]string{"page 0: offset 16: written on a big-endian machine"}},
		{"no page size", func(b []byte) []byte { return both(b, put32(8, 0)) }, "page 0: offset 16: page size 0",
			[2]string{}},
		{"odd page size", func(b []byte) []byte { return both(b, put32(8, 513)) },
			"page 0: offset 16: page size 513", [2]string{}},
		{"huge page size", func(b []byte) []byte { return both(b, put32(8, 1<<31)) },
			"page 0: offset 16: page size 2147483648", [2]string{}},
		{"page sizes differ", func(b []byte) []byte { remeta(b, 1, put32(8, 4096)); return b }, "",
			[2]string{"", "page 1: offset 528: page size 4096, want 512"}},
		{"first page size wrong", func(b []byte) []byte { remeta(b, 0, put32(8, 1<<20)); return b }, "",
			[2]string{"", "page 1: offset 1048592: no meta page"}},
		{"high water beyond all", func(b []byte) []byte { return both(b, put64(40, 1<<63)) }, "", [2]string{}},
		{"root beyond all", func(b []byte) []byte {
			return both(both(b, put64(40, 1<<64-1)), put64(16, 1<<64-2))
		}, "", [2]string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := tc.corrupt(bytes.Clone(good))
			db, err := bolt.Open(bytes.NewReader(raw), int64(len(raw)))
			if tc.want != "" || err != nil {
				if err == nil || tc.want == "" || !strings.HasPrefix(err.Error(), tc.want) {
					t.Errorf("got %v, want %s", err, tc.want)
				}
				return
			}
			for i, m := range db.Metas() {
				if (m.Err == nil) != (tc.metas[i] == "") || m.Err != nil && !strings.Contains(m.Err.Error(), tc.metas[i]) {
					t.Errorf("meta page %d: %v, want %q", i, m.Err, tc.metas[i])
				}
			}
			_, errs := readAll(db)
			checkErrors(t, errs, len(raw))
		})
	}
}

// faulty is a file with a range that can't be read.
type faulty struct {
	io.ReaderAt
	lo, hi int64
}

func (f faulty) ReadAt(b []byte, off int64) (int, error) {
	if off < f.hi && off+int64(len(b)) > f.lo {
		return 0, iotest.ErrTimeout
	}
	return f.ReaderAt.ReadAt(b, off)
}

// An error of the reader is not damage. A meta page that can't be read doesn't count.
func TestReadError(t *testing.T) {
	raw := small(t)
	size := int64(len(raw))
	for page := range size / smallPage {
		r := faulty{bytes.NewReader(raw), page * smallPage, (page + 1) * smallPage}
		db, err := bolt.Open(r, size)
		if err != nil {
			t.Fatal(err)
		}
		if page < 2 {
			if err := db.Metas()[page].Err; !errors.Is(err, iotest.ErrTimeout) {
				t.Errorf("meta page %d: got %v", page, err)
			}
			continue
		}
		_, errs := readAll(db)
		for _, err := range errs {
			if !errors.Is(err, iotest.ErrTimeout) {
				t.Errorf("page %d: got %v", page, err)
			}
		}
	}
	_, err := bolt.Open(faulty{bytes.NewReader(raw), 0, size}, size)
	if !errors.Is(err, iotest.ErrTimeout) || errors.Is(err, bolt.ErrNotBolt) {
		t.Errorf("got %v, want %v", err, iotest.ErrTimeout)
	}
}
