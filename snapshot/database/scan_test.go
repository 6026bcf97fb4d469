package database_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
)

// changesOf returns all changes that are yielded, by their revision, and the errors.
func changesOf(seq func(func(*database.Change, error) bool)) (all map[string]string, unproven map[string]bool, errs []error) {
	all, unproven = map[string]string{}, map[string]bool{}
	var last database.Revision
	for c, err := range seq {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if c.Revision.Compare(last) <= 0 {
			errs = append(errs, fmt.Errorf("revision %v behind %v", c.Revision, last))
		}
		last = c.Revision
		all[c.Revision.String()] = fmt.Sprintf("%v %+v", c.Tombstone, c.KeyValue)
		unproven[c.Revision.String()] = c.Unproven
	}
	return all, unproven, errs
}

func openBytes(tb testing.TB, b []byte, o database.Options) *database.DB {
	tb.Helper()
	db, err := database.Open(tb.Context(), fstest.MapFS{"db": {Data: b}}, "db", o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// branches returns the pages of bucket key that refer to others, its root first.
func branches(tb testing.TB, b []byte) (ids []uint64) {
	tb.Helper()
	db, err := bolt.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	key, err := db.Bucket("key")
	if err != nil {
		tb.Fatal(err)
	}
	var p bolt.Page
	if err := key.Page(key.Root, &p); err != nil || p.IsLeaf() {
		tb.Fatalf("the root is a leaf: %v", err)
	}
	return []uint64{key.Root}
}

// Where the tree is lost, all changes are found that the database had, as they were.
func TestScanFindsWhatTheTreeLost(t *testing.T) {
	good := large(t, 5)
	whole := openBytes(t, good, database.Options{})
	want, _, errs := changesOf(whole.History(t.Context(), database.Query{}))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	meta, err := whole.Meta()
	if err != nil {
		t.Fatal(err)
	}
	root := branches(t, good)[0]
	rootPage := bytes.Clone(good)
	clear(rootPage[root*pageSize:][:pageSize])
	list := whole.Bolt().Meta().Root
	elsewhere := bytes.Clone(good)
	copy(elsewhere[list*pageSize:][:pageSize], good[root*pageSize:])
	binary.LittleEndian.PutUint64(elsewhere[list*pageSize:], list)
	metas := bytes.Clone(good)
	clear(metas[:2*pageSize])
	for name, tc := range map[string]struct {
		b         []byte
		o         database.Options
		compacted int64 // is known
	}{
		"nothing lost":     {good, database.Options{}, 0},
		"root of the tree": {rootPage, database.Options{}, meta.Compacted},
		"keys for buckets": {elsewhere, database.Options{}, 0},
		"both meta pages":  {metas, database.Options{Damaged: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			db := openBytes(t, tc.b, tc.o)
			got, unproven, errs := changesOf(db.Scan(t.Context(), database.Query{}))
			if (len(errs) > 0) != (name != "nothing lost") {
				t.Errorf("errors %v", errs)
			}
			for rev, c := range want {
				if got[rev] != c {
					t.Errorf("revision %s: got %s, want %s", rev, got[rev], c)
				}
			}
			for rev := range got {
				if _, ok := want[rev]; !ok && tc.compacted > 0 && !unproven[rev] {
					t.Errorf("revision %s was not there, and is called proven", rev)
				}
			}
			if name == "nothing lost" && len(got) != len(want) {
				t.Errorf("%d changes, want %d", len(got), len(want))
			}
			one, _, _ := changesOf(db.Scan(t.Context(), database.Query{Key: []byte("key-0001"), Revision: 1200}))
			for rev, c := range one {
				if got[rev] != c {
					t.Errorf("revision %s of one key: %s, want %s", rev, c, got[rev])
				}
			}
			if len(one) == 0 || len(one) >= len(got) {
				t.Errorf("%d changes of one key of %d", len(one), len(got))
			}
		})
	}
}

// Whatever is damaged, what a scan finds was there once: nothing is made up.
func TestScanMakesNothingUp(t *testing.T) {
	good := large(t, 6)
	was := map[string]string{}
	all, _, _ := changesOf(openBytes(t, good, database.Options{}).History(t.Context(), database.Query{}))
	for rev, c := range all {
		was[rev] = c
	}
	for i := range len(good)/pageSize - 2 {
		if i%11 > 0 && i < len(good)/pageSize-20 { // the last ones hold the roots
			continue
		}
		b := bytes.Clone(good)
		clear(b[(2+i)*pageSize:][:pageSize])
		got, unproven, _ := changesOf(openBytes(t, b, database.Options{Damaged: true}).Scan(t.Context(), database.Query{}))
		for rev, c := range got {
			if was[rev] != c && !unproven[rev] {
				t.Errorf("page %d lost: revision %s is %s, want %s", 2+i, rev, c, was[rev])
			}
		}
	}
}
