package bolt_test

import (
	"bytes"
	"fmt"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// found lists the pages that a scan finds, by what leads to them.
func found(t *testing.T, db *bolt.DB) map[bolt.Reach][]string {
	t.Helper()
	all := map[bolt.Reach][]string{}
	for p, err := range db.Scan(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		first, _ := p.Element(0)
		all[p.Reach] = append(all[p.Reach], fmt.Sprintf("%d: %d from %q", p.ID, p.Len(), first))
	}
	return all
}

// A scan finds the leaf pages that the tree leads to, and tells them from those of earlier transactions;
// where the tree is lost, it finds them too.
func TestScan(t *testing.T) {
	for _, size := range []int{512, 4096, 65536} {
		r := recipe{options: bbolt.Options{NoFreelistSync: true, PageSize: size},
			steps: steps(fill("k", 3000, 60), fill("large", 20, 3*size), fill("k", 3000, 50))}
		b := r.bytes(t)
		db := open(t, b)
		all := found(t, db)
		var want []string
		leaves := 0
		for p, err := range bolt.AllPages(db) {
			if err != nil {
				t.Fatal(err)
			}
			if p.IsLeaf() {
				leaves++
			}
		}
		if len(all[bolt.ReachInUse]) != leaves || len(all[bolt.ReachFree]) == 0 || len(all[bolt.ReachUnknown]) > 0 {
			t.Errorf("page size %d: %d, %d and %d pages in use, free and unknown, want %d, some and none", size,
				len(all[bolt.ReachInUse]), len(all[bolt.ReachFree]), len(all[bolt.ReachUnknown]), leaves)
		}
		want = append(want, all[bolt.ReachInUse]...)
		clear(b[:2*size])
		if _, err := bolt.Open(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Error("opened without a meta page")
		}
		lost, err := bolt.OpenDamaged(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if got := lost.Meta().PageSize; got != int64(size) {
			t.Errorf("page size %d, want %d", got, size)
		}
		again := found(t, lost)
		if len(again[bolt.ReachInUse])+len(again[bolt.ReachFree]) > 0 {
			t.Error("a page is told to be in use or free, and there is no tree")
		}
		got := map[string]bool{}
		for _, p := range again[bolt.ReachUnknown] {
			got[p] = true
		}
		for _, p := range want {
			if !got[p] {
				t.Errorf("page size %d: page %s is not found", size, p)
			}
		}
	}
}

func TestOpenDamagedRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("text"), make([]byte, 1<<20), bytes.Repeat([]byte("abcdefg "), 1<<15)} {
		if db, err := bolt.OpenDamaged(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%.10q: opened, with page size %d", b, db.Meta().PageSize)
		}
	}
}
