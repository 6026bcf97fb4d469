package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

func check(tb testing.TB, db *bolt.DB, o bolt.CheckOptions) *bolt.CheckReport {
	tb.Helper()
	r, err := db.Check(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// What bbolt and etcd wrote is without a finding, each page is one of some kind, and there are as many
// free ones as bbolt counts.
func TestCheckGood(t *testing.T) {
	paths := realDBs(t)
	for _, r := range recipes() {
		paths = append(paths, r.bake(t))
	}
	for _, path := range paths {
		db := openFile(t, path)
		for _, workers := range []int{1, 3} {
			r := check(t, db, bolt.CheckOptions{Workers: workers})
			if r.Damaged() || r.Lost {
				t.Errorf("%s: %v", path, r.Findings)
			}
			p := r.Pages
			if sum := p.Meta + p.Branch + p.Leaf + p.Freelist + p.Free; sum != db.Meta().HighWater || p.Unknown > 0 {
				t.Errorf("%s: %+v, want %d pages", path, p, db.Meta().HighWater)
			}
			compareCounts(t, path, r)
		}
	}
}

// compareCounts compares with what bbolt counts.
func compareCounts(t *testing.T, path string, r *bolt.CheckReport) {
	t.Helper()
	db, err := bbolt.Open(copyOf(t, path), 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if got, want := r.Pages.Free, uint64(db.Stats().FreePageN); got != want {
		t.Errorf("%s: %d free pages, want %d", path, got, want)
	}
	buckets := 0
	var count func(b *bbolt.Bucket) error
	count = func(b *bbolt.Bucket) error {
		return b.ForEachBucket(func(k []byte) error {
			buckets++
			return count(b.Bucket(k))
		})
	}
	err = db.View(func(tx *bbolt.Tx) error { return count(tx.Cursor().Bucket()) })
	if err != nil || r.Buckets != buckets {
		t.Errorf("%s: %d buckets, %v, want %d", path, r.Buckets, err, buckets)
	}
}

// A visitor sees all items of all buckets in order, whatever the number of workers, and a part of a
// bucket is one also by itself.
func TestCheckVisits(t *testing.T) {
	for _, r := range recipes() {
		db := open(t, r.bytes(t))
		want := flat(db.RootBucket())
		for _, workers := range []int{1, 2, 5} {
			got := visitAll(t, db, workers)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: %d workers (-want +got):\n%.2000s", r.name, workers, diff)
			}
		}
		for b, err := range db.Buckets() {
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 2, 7, 1000} {
				compareParts(t, b, n)
			}
		}
	}
}

// flat returns the leaf pages of a bucket and those within it, each as the bucket and its first key.
func flat(b *bolt.Bucket) (pages []string) {
	for p, err := range b.Leaves(nil) {
		if err == nil {
			pages = append(pages, leafName(b, p))
		}
	}
	for sub, err := range b.Buckets() {
		if err == nil {
			pages = append(pages, flat(sub)...)
		}
	}
	return pages
}

func leafName(b *bolt.Bucket, p *bolt.Page) string {
	name := fmt.Sprintf("%d %s %d:", b.Depth, b.Name, p.ID)
	if n := p.Len(); n > 0 {
		first, _ := p.Element(0)
		last, v := p.Element(n - 1)
		name += fmt.Sprintf(" %d from %q to %q=%d", n, first, last, len(v))
	}
	return name
}

func visitAll(t *testing.T, db *bolt.DB, workers int) (all []string) {
	t.Helper()
	var parts []*[]string
	var last *bolt.Bucket
	next := 0
	check(t, db, bolt.CheckOptions{Workers: workers, Visit: func(b *bolt.Bucket, part int) bolt.Visitor {
		if b != last {
			last, next = b, 0
		}
		if part != next {
			t.Errorf("part %d of bucket %q, want %d", part, b.Name, next)
		}
		next++
		names := new([]string)
		parts = append(parts, names)
		ended := false
		return func(p *bolt.Page, lost error) error {
			if ended {
				t.Error("called behind the end of the part")
			}
			if ended = p == nil && lost == nil; !ended {
				*names = append(*names, leafName(b, p))
			}
			return lost
		}
	}})
	for _, p := range parts {
		all = append(all, *p...)
	}
	return all
}

func compareParts(t *testing.T, b *bolt.Bucket, n int) {
	t.Helper()
	var want, got []string
	for p, err := range b.Leaves(nil) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, leafName(b, p))
	}
	parts := b.Split(n)
	if len(parts) > n || len(parts) == 0 {
		t.Fatalf("%d parts, want 1 to %d", len(parts), n)
	}
	for _, part := range parts {
		for p, err := range part.Leaves() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, leafName(b, p))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("bucket %q in %d parts (-want +got):\n%.2000s", b.Name, n, diff)
	}
}

// What a visitor returns, and the end of the context, end the check with it.
func TestCheckEnds(t *testing.T) {
	db := open(t, recipe{steps: steps(fill("k", 5000, 30))}.bytes(t))
	stop := errors.New("stop")
	_, err := db.Check(context.Background(), bolt.CheckOptions{Visit: func(*bolt.Bucket, int) bolt.Visitor {
		return func(*bolt.Page, error) error { return stop }
	}})
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want %v", err, stop)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = db.Check(ctx, bolt.CheckOptions{Progress: func(int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// The bytes that progress is told are those of all pages in use.
func TestCheckProgress(t *testing.T) {
	db := open(t, recipe{steps: steps(fill("k", 5000, 30), large(100_000))}.bytes(t))
	last := int64(0)
	r := check(t, db, bolt.CheckOptions{Progress: func(done int64) {
		if done <= last {
			t.Errorf("%d bytes after %d", done, last)
		}
		last = done
	}})
	p := r.Pages
	if want := int64(p.Branch+p.Leaf+p.Freelist) * db.Meta().PageSize; last != want || r.Read != want {
		t.Errorf("%d bytes, and %d in the report, want %d", last, r.Read, want)
	}
}

// A page that can't be read is a finding, and the rest is checked.
func TestCheckReadError(t *testing.T) {
	raw := small(t)
	for page := range int64(len(raw) / smallPage) {
		r := faulty{bytes.NewReader(raw), page * smallPage, (page + 1) * smallPage}
		db, err := bolt.Open(r, int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range check(t, db, bolt.CheckOptions{}).Findings {
			if errors.Is(f.Err, iotest.ErrTimeout) != (f.Class == bolt.ClassUnreadable || f.Class == bolt.ClassMetaPage) {
				t.Errorf("page %d: %v", page, &f)
			}
		}
	}
}

// damages are ways in which a database comes to harm, at a place that the generator chooses.
var damages = []struct {
	name string
	do   func(rng *rand.Rand, raw []byte, pageSize int) []byte
}{
	{"flip", func(rng *rand.Rand, raw []byte, _ int) []byte {
		raw[rng.IntN(len(raw))] ^= 1 << rng.IntN(8)
		return raw
	}},
	{"flip a header", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		raw[pageOf(rng, raw, pageSize)+rng.IntN(16)] ^= 1 << rng.IntN(8)
		return raw
	}},
	{"flip an element", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		raw[pageOf(rng, raw, pageSize)+16+rng.IntN(64)] ^= 1 << rng.IntN(8)
		return raw
	}},
	{"flip the meta pages", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		raw[rng.IntN(2)*pageSize+16+rng.IntN(64)] ^= 1 << rng.IntN(8)
		raw[rng.IntN(2)*pageSize+16+rng.IntN(64)] ^= 1 << rng.IntN(8)
		return raw
	}},
	{"another child", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		off := pageOf(rng, raw, pageSize) + 16 + 16*rng.IntN(4) + 8
		binary.LittleEndian.PutUint64(raw[off:], rng.Uint64N(uint64(len(raw)/pageSize+2)))
		return raw
	}},
	{"another free page", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		if list := freelistOf(raw, pageSize); list > 0 {
			off := list*pageSize + 16 + 8*rng.IntN(8)
			binary.LittleEndian.PutUint64(raw[off:], rng.Uint64N(uint64(len(raw)/pageSize)))
		}
		return raw
	}},
	{"fewer free pages", func(_ *rand.Rand, raw []byte, pageSize int) []byte {
		if off := freelistOf(raw, pageSize)*pageSize + 10; off > 10 {
			binary.LittleEndian.PutUint16(raw[off:], binary.LittleEndian.Uint16(raw[off:])/2)
		}
		return raw
	}},
	{"swap", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		a, b := pageOf(rng, raw, pageSize), pageOf(rng, raw, pageSize)
		page := bytes.Clone(raw[a:][:pageSize])
		copy(raw[a:], raw[b:][:pageSize])
		copy(raw[b:], page)
		return raw
	}},
	{"the same page twice", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		a, b := pageOf(rng, raw, pageSize), pageOf(rng, raw, pageSize)
		copy(raw[a:], raw[b:][:pageSize])
		binary.LittleEndian.PutUint64(raw[a:], uint64(a/pageSize))
		return raw
	}},
	{"zeroes", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		clear(raw[pageOf(rng, raw, pageSize):][:pageSize])
		return raw
	}},
	{"shift", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		a := pageOf(rng, raw, pageSize)
		copy(raw[a+1:a+pageSize], raw[a:])
		return raw
	}},
	{"end at a page", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		return raw[:pageOf(rng, raw, pageSize)]
	}},
	{"end within a page", func(rng *rand.Rand, raw []byte, pageSize int) []byte {
		return raw[:pageOf(rng, raw, pageSize)+rng.IntN(pageSize)]
	}},
}

// pageOf returns the offset of a page that is no meta page.
func pageOf(rng *rand.Rand, raw []byte, pageSize int) int {
	return (2 + rng.IntN(len(raw)/pageSize-2)) * pageSize
}

// freelistOf returns the page of the freelist, or 0 if there is none.
func freelistOf(raw []byte, pageSize int) int {
	db, err := bolt.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil || db.Meta().Freelist == bolt.NoFreelist {
		return 0
	}
	return int(db.Meta().Freelist)
}

// victims are the databases that are damaged.
func victims(tb testing.TB) map[string][]byte {
	list := map[string][]byte{}
	for _, noFreelist := range []bool{false, true} {
		for _, size := range []int{1024, 4096} {
			o := bbolt.Options{PageSize: size, NoFreelistSync: noFreelist, NoSync: true}
			name := fmt.Sprintf("/%d/%v", size, noFreelist)
			list["deep"+name] = recipe{options: o, steps: steps(
				fill("k", 1500, 40), large(9000), thin("k", 3), fill("j", 100, 99), fill("k", 300, 30),
			)}.bytes(tb)
			if size == 1024 {
				list["nested"+name] = recipe{options: o, steps: steps(nest, fill("k", 30, 9), nest)}.bytes(tb)
			}
		}
	}
	return list
}

// other returns a page of another database.
func other(tb testing.TB, pageSize int) []byte {
	return recipe{options: bbolt.Options{PageSize: pageSize}, steps: steps(fill("other", 2000, 20))}.bytes(tb)
}

// Whatever bbolt's own check reports on a damaged database, or dies of, we report.
func TestCheckAgrees(t *testing.T) {
	ref := newReference(t)
	found := map[string]int{}
	for name, raw := range victims(t) {
		pageSize := int(open(t, raw).Meta().PageSize)
		if said := ref.check(raw); said != nil {
			t.Fatalf("%s: bbolt says %q before there is damage", name, said)
		}
		foreign := other(t, pageSize)
		for seed := range 8 * uint64(len(damages)+1) {
			rng := rand.New(rand.NewPCG(seed, 9))
			kind, bad := "a page of another database", bytes.Clone(raw)
			if i := int(seed) % (len(damages) + 1); i < len(damages) {
				kind, bad = damages[i].name, damages[i].do(rng, bad, pageSize)
			} else {
				id := 2 + rng.IntN(min(len(raw), len(foreign))/pageSize-2)
				copy(bad[id*pageSize:], foreign[id*pageSize:][:pageSize])
			}
			said := ref.check(bad)
			if len(said) > 0 {
				found[kind]++
			}
			agree(t, fmt.Sprintf("%s, seed %d, %s", name, seed, kind), bad, said)
		}
	}
	for _, d := range damages {
		if found[d.name] == 0 {
			t.Errorf("%s: bbolt never found anything", d.name)
		}
	}
}

// agree checks that we find all that bbolt has found.
func agree(t *testing.T, name string, bad []byte, said []string) {
	t.Helper()
	db, err := bolt.Open(bytes.NewReader(bad), int64(len(bad)))
	if err != nil {
		if len(said) == 0 {
			t.Errorf("%s: %v, but bbolt finds nothing", name, err)
		}
		return
	}
	r := check(t, db, bolt.CheckOptions{Workers: 2})
	if again := check(t, db, bolt.CheckOptions{Workers: 1}); !cmp.Equal(texts(r), texts(again)) {
		t.Errorf("%s: with two workers\n%v\nwith one\n%v", name, r.Findings, again.Findings)
	}
	if len(said) > 0 && !r.Damaged() {
		t.Errorf("%s: nothing found, but bbolt says %.500q", name, said)
	}
	for _, s := range said {
		if class, page, ok := classOf(s); ok && !r.Lost && !covers(r, class, page) {
			t.Errorf("%s: %s; we have %v", name, s, r.Findings)
		}
	}
	for _, f := range r.Findings {
		if f.Off < 0 || f.Off > int64(len(bad)) || f.Err == nil || f.Pages == 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func texts(r *bolt.CheckReport) (list []string) {
	for _, f := range r.Findings {
		list = append(list, f.String())
	}
	return append(list, fmt.Sprint(r.Pages, r.Buckets, r.Read, r.Lost))
}

var pageSaid = regexp.MustCompile(`^page (\d+): (already freed|multiple references|reachable freed|unreachable unfreed)`)

// classOf returns the class of what bbolt says about a page.
func classOf(said string) (class bolt.Class, page uint64, ok bool) {
	m := pageSaid.FindStringSubmatch(said)
	if m == nil {
		return "", 0, false
	}
	page, _ = strconv.ParseUint(m[1], 10, 64)
	return map[string]bolt.Class{
		"already freed": bolt.ClassFreelist, "multiple references": bolt.ClassTwice,
		"reachable freed": bolt.ClassBothFree, "unreachable unfreed": bolt.ClassUnreachable,
	}[m[2]], page, true
}

func covers(r *bolt.CheckReport, class bolt.Class, page uint64) bool {
	return slices.ContainsFunc(r.Findings, func(f bolt.Finding) bool {
		return f.Class == class && f.Page <= page && page < f.Page+f.Pages
	})
}

// A freelist of so many pages that their count stands before them.
func TestCheckBigFreelist(t *testing.T) {
	r := recipe{options: bbolt.Options{PageSize: 512, NoSync: true, NoGrowSync: true}, steps: steps(
		large(40<<20), func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("large")) }, fill("k", 1, 1),
	)}
	path := r.bake(t)
	report := check(t, openFile(t, path), bolt.CheckOptions{})
	if report.Damaged() || report.Pages.Free <= 0xffff {
		t.Errorf("%d free pages, want more than 65535; %v", report.Pages.Free, report.Findings)
	}
	compareCounts(t, path, report)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	off := freelistOf(raw, 512)*512 + 16
	for _, n := range []uint64{report.Pages.Free + 1, 1 << 40, 1 << 63, 1<<64 - 1} {
		binary.LittleEndian.PutUint64(raw[off:], n)
		report := check(t, open(t, raw), bolt.CheckOptions{})
		if !report.Damaged() || report.Findings[0].Class != bolt.ClassFreelist {
			t.Errorf("%d free pages: %v", n, report.Findings)
		}
	}
}

// A file that refers to few pages again and again is read for no longer than one that doesn't.
func TestCheckLoops(t *testing.T) {
	raw := small(t)
	for id := uint64(2); id < uint64(len(raw)/smallPage); id++ {
		page := raw[id*smallPage:][:smallPage]
		clear(page)
		binary.LittleEndian.PutUint64(page, id)
		binary.LittleEndian.PutUint16(page[8:], 1)
		binary.LittleEndian.PutUint16(page[10:], 20)
		for i := range 20 {
			e := page[16+16*i:]
			binary.LittleEndian.PutUint32(e, uint32(16*20-16*i+i))
			binary.LittleEndian.PutUint32(e[4:], 1)
			binary.LittleEndian.PutUint64(e[8:], 2+(id+uint64(i))%uint64(len(raw)/smallPage-2))
			page[16+16*20+i] = byte('a' + i)
		}
	}
	var mu sync.Mutex
	n := 0
	db, err := bolt.Open(readerFunc(func(b []byte, off int64) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		n += len(b)
		return bytes.NewReader(raw).ReadAt(b, off)
	}), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if r := check(t, db, bolt.CheckOptions{}); !r.Damaged() || n > 200*len(raw) {
		t.Errorf("%d bytes read of %d; %v", n, len(raw), r.Findings)
	}
}

type readerFunc func(b []byte, off int64) (int, error)

func (f readerFunc) ReadAt(b []byte, off int64) (int, error) { return f(b, off) }
