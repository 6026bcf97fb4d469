package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// item is a key of some bucket. That of a bucket has no value.
type item struct {
	Path, Key, Value string
	Bucket           bool
}

// theirs returns all that bbolt finds below a bucket.
func theirs(tb testing.TB, path string, b *bbolt.Bucket) []item {
	tb.Helper()
	var items []item
	err := b.ForEach(func(k, v []byte) error {
		if v != nil {
			items = append(items, item{path, string(k), string(v), false})
			return nil
		}
		items = append(items, item{path, string(k), fmt.Sprint(b.Bucket(k).Sequence()), true})
		items = append(items, theirs(tb, path+"/"+string(k), b.Bucket(k))...)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return items
}

// ours returns all that we find below a bucket.
func ours(b *bolt.Bucket, path string) (items []item, errs []error) {
	inner := map[string]*bolt.Bucket{}
	for sub, err := range b.Buckets() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		inner[sub.Name] = sub
	}
	for it, err := range b.All(nil) {
		switch sub := inner[string(it.Key)]; {
		case err != nil:
			errs = append(errs, err)
		case !it.Bucket:
			items = append(items, item{path, string(it.Key), string(it.Value), false})
		case sub != nil:
			items = append(items, item{path, string(it.Key), fmt.Sprint(sub.Sequence), true})
			more, moreErrs := ours(sub, path+"/"+sub.Name)
			items, errs = append(items, more...), append(errs, moreErrs...)
		}
	}
	return items, errs
}

// readAll returns all that we find in a database.
func readAll(db *bolt.DB) (items []item, errs []error) {
	items, errs = ours(db.RootBucket(), "")
	for _, err := range db.Buckets() {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return items, errs
}

// compareAll checks that we read what bbolt does: everything in order, keys one by one, and what is
// behind a key.
func compareAll(t *testing.T, path string) {
	t.Helper()
	db, ref := openFile(t, path), openBbolt(t, copyOf(t, path))
	if got := db.Metas(); got[0].Err != nil || got[1].Err != nil {
		t.Errorf("meta pages: %v, %v", got[0].Err, got[1].Err)
	}
	err := ref.View(func(tx *bbolt.Tx) error {
		if got, want := db.Meta().TxID, uint64(tx.ID()); got != want {
			t.Errorf("transaction %d, want %d", got, want)
		}
		want := theirs(t, "", tx.Cursor().Bucket())
		got, errs := readAll(db)
		if diff := cmp.Diff(want, got); diff != "" || errs != nil {
			t.Fatalf("%v (-want +got):\n%.2000s", errs, diff)
		}
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			compareBucket(t, db, b, string(name))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compareBucket asks for keys that are there, and for such as are not.
func compareBucket(t *testing.T, db *bolt.DB, ref *bbolt.Bucket, name string) {
	t.Helper()
	b, err := db.Bucket(name)
	if err != nil || b == nil {
		t.Fatalf("bucket %q: %v, %v", name, b, err)
	}
	var keys [][]byte
	_ = ref.ForEach(func(k, _ []byte) error {
		keys = append(keys, bytes.Clone(k))
		return nil
	})
	rng := rand.New(rand.NewPCG(1, uint64(len(keys))))
	for i := range 60 {
		key := fmt.Appendf(nil, "no such key %d", i)
		if len(keys) > 0 {
			key = bytes.Clone(keys[rng.IntN(len(keys))])
		}
		switch i % 3 {
		case 1:
			key = append(key, 0)
		case 2:
			key[len(key)-1]--
		}
		got, err := b.Get(key)
		if want := ref.Get(key); err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Fatalf("bucket %q: key %q: %.40q, %v, want %.40q", name, key, got, err, want)
		}
		compareFrom(t, b, ref.Cursor(), key)
	}
}

// compareFrom compares the first items from a key on.
func compareFrom(t *testing.T, b *bolt.Bucket, ref *bbolt.Cursor, key []byte) {
	t.Helper()
	n := 0
	k, v := ref.Seek(key)
	for it, err := range b.All(key) {
		if err != nil || !bytes.Equal(it.Key, k) || !it.Bucket && !bytes.Equal(it.Value, v) {
			t.Fatalf("item %d from %q on: %q, %v, want %q", n, key, it.Key, err, k)
		}
		if n++; n == 20 {
			return
		}
		k, v = ref.Next()
	}
	if k != nil {
		t.Fatalf("%d items from %q on, want %q as well", n, key, k)
	}
}

func TestReadReal(t *testing.T) {
	for _, path := range realDBs(t) {
		compareAll(t, path)
	}
}

func TestReadMade(t *testing.T) {
	for _, r := range recipes() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			compareAll(t, r.bake(t))
		})
	}
}

// A bucket that isn't there is none; one that part of the root bucket may have held is an error.
func TestNoBucket(t *testing.T) {
	raw := small(t)
	db := open(t, raw)
	if b, err := db.Bucket("none"); b != nil || err != nil {
		t.Errorf("got %v, %v, want neither", b, err)
	}
	root := int64(db.Meta().Root) * db.Meta().PageSize
	raw[root+8] = 0xff
	var corrupt *bolt.CorruptError
	if b, err := open(t, raw).Bucket("none"); b != nil || !errors.As(err, &corrupt) || corrupt.Off != root+8 {
		t.Errorf("got %v, %v, want a CorruptError at %d", b, err, root+8)
	}
}

func open(tb testing.TB, raw []byte) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		tb.Fatal(err)
	}
	return db
}
