package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/wal"
)

// scriptAnew begins a member's log anew, as an etcd does that finds none: anew DIR.
func scriptAnew(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	log, err := wal.Open(os.DirFS(dir), ".")
	ts.Check(err)
	o, err := log.CreateOptions()
	ts.Check(err)
	ts.Check(log.Close())
	o.First, o.CRC = wal.SegmentName{}, 0
	ts.Check(os.RemoveAll(filepath.Join(dir, "member", "wal")))
	w, err := wal.Create(vfs.OS, filepath.Join(dir, "member", "wal"), o)
	ts.Check(err)
	ts.Check(w.Close())
}

// scriptApplied makes a database say that it has applied the entries up to an index: applied DIR INDEX.
func scriptApplied(ts *testscript.TestScript, _ bool, args []string) {
	index, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	t := ts.Value(testKey{}).(*testing.T)
	dbtest.Edit(t, filepath.Join(ts.MkAbs(args[0]), "member", "snap", "db"), func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, index))
	})
}
