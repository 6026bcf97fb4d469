package bolt_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// recipe is a database that bbolt makes.
type recipe struct {
	name    string
	options bbolt.Options
	steps   []func(*bbolt.Tx) error // a transaction each
}

// fill puts n keys with values of some size into a bucket.
func fill(bucket string, n, size int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		rng := rand.New(rand.NewPCG(uint64(n), uint64(size)))
		for i := range n {
			value := bytes.Repeat([]byte{byte(i)}, rng.IntN(size+1))
			if err := b.Put(fmt.Appendf(nil, "key-%06d", i*7919%1_000_003), value); err != nil {
				return err
			}
		}
		return nil
	}
}

// thin deletes all but each nth key of a bucket.
func thin(bucket string, nth int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		var gone [][]byte
		i := 0
		err := b.ForEach(func(k, _ []byte) error {
			if i++; i%nth != 0 {
				gone = append(gone, bytes.Clone(k))
			}
			return nil
		})
		for _, k := range gone {
			if err == nil {
				err = b.Delete(k)
			}
		}
		return err
	}
}

// nest makes buckets within buckets, small ones, which stand inline, and large ones.
func nest(tx *bbolt.Tx) error {
	outer, err := tx.CreateBucketIfNotExists([]byte("outer"))
	if err != nil {
		return err
	}
	for i := range 20 {
		inner, err := outer.CreateBucketIfNotExists(fmt.Appendf(nil, "inner-%02d", i))
		if err != nil {
			return err
		}
		for k := range i * i * i {
			if err := inner.Put(fmt.Appendf(nil, "%05d", k), []byte("value")); err != nil {
				return err
			}
		}
		if err := outer.Put(fmt.Appendf(nil, "plain-%02d", i), []byte("between buckets")); err != nil {
			return err
		}
	}
	return nil
}

func large(sizes ...int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("large"))
		if err != nil {
			return err
		}
		for i, size := range sizes {
			value := bytes.Repeat([]byte("large value "), size/12+1)[:size]
			if err := b.Put(fmt.Appendf(nil, "%03d", i), value); err != nil {
				return err
			}
		}
		return nil
	}
}

// recipes returns databases of all shapes, each in four page sizes, with and without a freelist.
func recipes() []recipe {
	shapes := []recipe{
		{name: "empty"},
		{name: "inline", steps: steps(fill("a", 1, 3), fill("b", 0, 0), fill("c", 2, 10))},
		{name: "deep", steps: steps(fill("k", 20_000, 10))},
		{name: "large", steps: steps(large(0, 1, 4000, 4096, 5000, 100_000, 1<<20, 3), fill("z", 10, 9))},
		{name: "deleted", steps: steps(fill("k", 5000, 30), thin("k", 50), fill("j", 300, 9), thin("j", 1000))},
		{name: "nested", steps: steps(nest, nest, fill("k", 100, 10))},
		{name: "rewritten", steps: steps(fill("k", 900, 50), fill("k", 300, 10), large(9000), fill("k", 800, 90))},
	}
	var all []recipe
	for _, shape := range shapes {
		for _, size := range []int{512, 4096, 16384, 65536} {
			for _, noFreelist := range []bool{false, true} {
				r := shape
				r.options = bbolt.Options{PageSize: size, NoFreelistSync: noFreelist, NoSync: true, NoGrowSync: true}
				r.name = fmt.Sprintf("%s/%d/freelist=%v", r.name, size, !noFreelist)
				all = append(all, r)
			}
		}
	}
	return all
}

func steps(s ...func(*bbolt.Tx) error) []func(*bbolt.Tx) error { return s }

// bake makes the database and returns its path.
func (r recipe) bake(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &r.options)
	if err != nil {
		tb.Fatal(err)
	}
	for _, step := range r.steps {
		if err := db.Update(step); err != nil {
			tb.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// bytes makes the database and returns its contents, without what was never used.
func (r recipe) bytes(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile(r.bake(tb))
	if err != nil {
		tb.Fatal(err)
	}
	db, err := bolt.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	return b[:int64(db.Meta().HighWater)*db.Meta().PageSize]
}

// small returns a database of few pages that has one of each kind.
func small(tb testing.TB) []byte {
	tb.Helper()
	r := recipe{
		options: bbolt.Options{PageSize: 512, NoSync: true},
		steps:   steps(fill("k", 60, 30), large(700, 3), fill("i", 1, 3), thin("k", 3), fill("k", 20, 30)),
	}
	return r.bytes(tb)
}

// realDBs returns the paths of the databases of the corpus.
func realDBs(tb testing.TB) []string {
	tb.Helper()
	var paths []string
	for _, log := range corpus.Logs(tb) {
		path := filepath.Join(log.Dir, "member", "snap", "db")
		if _, err := os.Stat(path); err == nil {
			paths = append(paths, path)
		}
	}
	if len(paths) < 20 {
		tb.Fatalf("%d databases in the corpus, want 20", len(paths))
	}
	return paths
}

// copyOf copies a file into a folder of the test, where bbolt may lock it.
func copyOf(tb testing.TB, path string) string {
	tb.Helper()
	src, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	dst, err := os.Create(filepath.Join(tb.TempDir(), "db"))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		tb.Fatal(err)
	}
	info, err := dst.Stat()
	if err == nil {
		err = dst.Truncate(max(info.Size(), 1<<16)) // bbolt refuses shorter files, also of its own
	}
	if err == nil {
		err = dst.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return dst.Name()
}

func openFile(tb testing.TB, path string) *bolt.DB {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	db, err := bolt.Open(f, info.Size())
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return db
}

// openBbolt opens a database read-only by bbolt.
func openBbolt(tb testing.TB, path string) *bbolt.DB {
	tb.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}
