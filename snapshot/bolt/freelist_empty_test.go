package bolt

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// With an empty list of free pages bbolt opens a database, puts new pages behind the others, and finds the
// free ones again when it is opened without a list. Nothing that was there is lost.
func TestEmptyFreelist(t *testing.T) {
	for _, listed := range []bool{false, true} {
		name := filepath.Join(t.TempDir(), "db")
		change := func(noList bool, key, value string) (free int) {
			db, err := bbolt.Open(name, 0o600, &bbolt.Options{NoFreelistSync: noList})
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				free = db.Stats().FreePageN
				b, err := tx.CreateBucketIfNotExists([]byte("b"))
				if err == nil {
					err = b.Put([]byte(key), bytes.Repeat([]byte(value), 5000))
				}
				return err
			})
			if err == nil {
				err = db.View(func(tx *bbolt.Tx) error {
					for err := range tx.Check() {
						if key != "late" { // it doesn't know the free pages
							t.Error(err)
						}
					}
					if n := tx.Bucket([]byte("b")).Stats().KeyN; key == "last" && n != 7 {
						t.Errorf("%d keys, want 7", n)
					}
					return nil
				})
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			return free
		}
		for i := range 5 {
			change(!listed, string(rune('a'+i)), "1")
			change(!listed, string(rune('a'+i)), "2")
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		db, err := Open(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range db.Meta().EmptyFreelist() {
			if _, err := f.WriteAt(p.Bytes, p.Off); err != nil {
				t.Fatal(err)
			}
		}
		if after, err := Open(f, info.Size()); err != nil || after.Meta().TxID <= db.Meta().TxID ||
			after.Meta().Root != db.Meta().Root || after.Meta().HighWater != db.Meta().HighWater+1 {
			t.Errorf("%+v, want what follows %+v, %v", after.Meta(), db.Meta(), err)
		}
		change(true, "late", "3")
		if free := change(true, "last", "4"); free == 0 {
			t.Error("no free pages are found again")
		}
	}
}
