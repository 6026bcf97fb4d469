package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/coreos/go-semver/semver"

	"go.etcd.io/etcd/server/v3/storage/schema"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// errNew is returned for a database that isn't there yet, or has nothing in it.
var errNew = errors.New("no database")

// AppliedIn returns the last entry that a database file has, 0 if there is none or nothing in it. What
// [Open] would refuse is an error. Few pages are read, and nothing is written.
func AppliedIn(path string) (index uint64, err error) {
	if index, err = inspect(path); errors.Is(err, errNew) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return index, nil
}

// inspect reads which entry a database has applied last, and refuses a file that etcd's libraries would
// change before they refuse it, or end the process over. Few pages are read, and nothing is written.
func inspect(path string) (index uint64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, errNew
	} else if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, errors.New("not a file")
	}
	if info.Size() == 0 {
		return 0, errNew // it was created, and the process killed
	}
	db, err := bolt.Open(f, info.Size())
	if err != nil {
		return 0, err
	}
	m := db.Meta()
	if have := uint64(info.Size() / m.PageSize); have < m.HighWater {
		// What lies behind the end is mapped to memory, and a fault if it is read.
		return 0, fmt.Errorf("truncated: %d pages, want at least %d", have, m.HighWater)
	}
	return inspectMeta(db)
}

func inspectMeta(db *bolt.DB) (index uint64, err error) {
	b, err := db.Bucket(string(schema.Meta.Name()))
	if err != nil {
		return 0, err
	}
	if b == nil {
		for other, err := range db.Buckets() {
			if err != nil {
				return 0, err
			}
			return 0, fmt.Errorf("a database with bucket %q, and not etcd's", other.Name)
		}
		return 0, errNew
	}
	v, err := b.Get(schema.MetaStorageVersionName)
	if err != nil {
		return 0, err
	}
	if v != nil {
		if err := checkVersion("the database", string(v)); err != nil {
			return 0, err
		}
	}
	if v, err = b.Get(schema.MetaConsistentIndexKeyName); err != nil || v == nil {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("consistent index of %d bytes, want 8", len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}

// checkVersion refuses a version that a server of 3.7 doesn't run with, or that is none.
func checkVersion(of, text string) error {
	v, err := semver.NewVersion(text)
	if err != nil {
		return fmt.Errorf("version of %s: %w", of, err)
	}
	if newest.LessThan(semver.Version{Major: v.Major, Minor: v.Minor}) {
		return fmt.Errorf("version %s of %s, want at most %d.%d", text, of, newest.Major, newest.Minor)
	}
	return nil
}
