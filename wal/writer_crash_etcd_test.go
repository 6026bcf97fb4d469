package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	etcdwal "go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// Whatever a crash leaves of our log, etcd's package repairs and reads it, and finds the entries
// that we find.
func TestEtcdReadsWhatACrashLeaves(t *testing.T) {
	setSegmentSize(t, faultOptions.segmentSize)
	first, end := faultOps(t)
	read := 0
	for i := first; i <= end; i += 3 {
		fsys, l := newFaultFS(t), new(ledger)
		fsys.FailAt(i)
		if err := l.live(fsys); err != nil && l.acked == 0 {
			continue // there is no log yet
		}
		for name, c := range crashes(uint64(i)) {
			after := fsys.Crash(c)
			dir := filepath.Join(t.TempDir(), "wal")
			if err := export(after, faultDir, dir); err != nil {
				t.Fatal(err)
			}
			got, err := etcdEntries(dir)
			if err != nil {
				t.Errorf("operation %d fails, crash with %s: etcd: %v", i, name, err)
				continue
			}
			want, err := ourEntries(after)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("operation %d fails, crash with %s: etcd finds %d entries, we %d",
					i, name, len(got), len(want))
			}
			read++
		}
	}
	if read < 100 {
		t.Errorf("%d logs read, want 100 or more", read)
	}
}

// export copies the files of a folder to the machine's file system.
func export(fsys vfs.FS, from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	return fs.WalkDir(vfs.DirFS(fsys, from), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(vfs.DirFS(fsys, from), name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	})
}

// etcdEntries opens a log as etcd does when it starts: it repairs a torn end, once.
func etcdEntries(dir string) ([]raftpb.Entry, error) {
	entries, err := etcdReadAll(dir)
	if errors.Is(err, io.ErrUnexpectedEOF) && etcdwal.Repair(zap.NewNop(), dir) {
		entries, err = etcdReadAll(dir)
	}
	return entries, err
}

func etcdReadAll(dir string) (entries []raftpb.Entry, err error) {
	w, err := etcdwal.Open(zap.NewNop(), dir, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, _, list, err := w.ReadAll()
	for _, e := range list {
		entries = append(entries, raftpb.Entry{
			Type: raftpb.EntryType(e.GetType()), Term: e.GetTerm(), Index: e.GetIndex(), Data: e.GetData(),
		})
	}
	return entries, err
}

func ourEntries(fsys vfs.FS) (entries []raftpb.Entry, err error) {
	o := AppendOptions{CutTorn: true, WriterOptions: faultOptions}
	o.Replay = func(rec *Record) error {
		var e raftpb.Entry
		if rec.Kind != KindEntry {
			return nil
		}
		if err := e.Unmarshal(rec.Data); err != nil {
			return err
		}
		entries = append(entries[:e.Index-1], e)
		return nil
	}
	w, _, err := OpenForAppend(fsys, faultDir, o)
	if err != nil {
		return nil, err
	}
	return entries, w.Close()
}
