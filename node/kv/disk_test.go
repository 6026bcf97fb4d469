package kv_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// TestOpenRefuses opens what is no database of etcd's, or of a later one: an error says so, and the file is
// left as it is.
func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, path string)
		want   string
	}{
		"another file": {func(t *testing.T, path string) {
			check(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 2000)), 0o600))
		}, "not a bbolt database"},
		"a short file": {func(t *testing.T, path string) {
			check(t, os.WriteFile(path, []byte("short"), 0o600))
		}, "not a bbolt database"},
		"a folder": {func(t *testing.T, path string) {
			check(t, os.Remove(path))
			check(t, os.Mkdir(path, 0o700))
		}, "not a file"},
		"truncated": {func(t *testing.T, path string) { check(t, os.Truncate(path, 3*4096)) }, "truncated: 3 pages"},
		"another program's": {func(t *testing.T, path string) {
			check(t, os.Remove(path))
			dbtest.Edit(t, path, func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket([]byte("theirs"))
				return err
			})
		}, `bucket "theirs", and not etcd's`},
		"a later release's": {func(t *testing.T, path string) {
			meta(t, path, "storageVersion", "3.9.0")
		}, "version 3.9.0 of the database, want at most 3.7"},
		"no version": {func(t *testing.T, path string) { meta(t, path, "storageVersion", "x") }, "version of the database"},
		"no index":   {func(t *testing.T, path string) { meta(t, path, "consistent_index", "xx") }, "index of 2 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := small(t, dir, kv.Options{})
			check(t, s.Close())
			path := filepath.Join(dir, kv.FileName)
			c.damage(t, path)
			before, _ := os.ReadFile(path) // nothing, of a folder
			_, err := kv.Open(dir, kv.Options{Fatal: func(err error) { t.Errorf("told of %v", err) }})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if errors.Is(err, kv.ErrFailed) {
				t.Errorf("the error is ErrFailed: %v", err)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file has changed")
			}
		})
	}
}

// TestOpenEmptyFile opens what is left of a process that was killed when it had made the file.
func TestOpenEmptyFile(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, kv.FileName), nil, 0o600))
	s := small(t, dir, kv.Options{})
	check(t, s.Close())
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// meta writes an item of bucket meta.
func meta(t testing.TB, path, key, value string) {
	t.Helper()
	dbtest.Edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte(key), []byte(value))
	})
}

// TestOpenLocked opens a database that another process, or another store, holds.
func TestOpenLocked(t *testing.T) {
	dir := t.TempDir()
	s := small(t, dir, kv.Options{})
	refused := func(by string) {
		t.Helper()
		if _, err := kv.Open(dir, kv.Options{LockTimeout: 10 * time.Millisecond}); !errors.Is(err, kv.ErrLocked) {
			t.Errorf("held by %s: error %v, want ErrLocked", by, err)
		}
	}
	refused("a store of this process")
	check(t, s.Close())

	cmd := process(t, "hold", dir)
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len(holding)))
	check(t, err)
	refused("another process")
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = in.Close() // it ends then
	}()
	s, err = kv.Open(dir, kv.Options{LockTimeout: time.Minute})
	check(t, err)
	check(t, s.Close())
	check(t, cmd.Wait())
}

const holding = "holding\n"

// holdProcess holds a database until its input ends.
func holdProcess(args []string) error {
	s, err := kv.Open(args[0], kv.Options{})
	if err != nil {
		return err
	}
	fmt.Print(holding)
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// TestDiskFull fills a disk under a store: in its own transactions, and in those that a goroutine of the
// library ends after a while. Either is told once, Apply doesn't wait for ever, and what was committed
// before is there, up to an entry.
func TestDiskFull(t *testing.T) {
	for _, how := range []string{"apply", "behind"} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			cmd := process(t, "full", dir, how)
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); errors.As(err, &exit) {
				t.Fatalf("%v\n%s", err, out)
			}
			s, err := kv.Open(dir, kv.Options{})
			check(t, err)
			defer func() { check(t, s.Close()) }()
			n := s.Applied().Index
			if rev := s.KV().Rev(); n < 3 || rev != int64(n) {
				t.Errorf("entry %d is applied and the revision %d\n%s", n, rev, out)
			}
			if _, err := s.Apply([]raftpb.Entry{put(n+1, "further", "x")}); err != nil {
				t.Error(err)
			}
		})
	}
}

// fullProcess applies entries until the file can't grow any more.
func fullProcess(args []string) error {
	const most = 4 << 20 // bytes of a file
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: most, Max: most}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	told := make(chan error, 10)
	o := kv.Options{Member: 1, NoSync: true, BatchInterval: time.Hour, BatchLimit: 10, QuotaBytes: -1,
		Fatal: func(err error) { told <- err }}
	if args[1] == "behind" {
		o.BatchInterval, o.BatchLimit = time.Millisecond, 1<<30
	}
	s, err := kv.Open(args[0], o)
	if err != nil {
		return err
	}
	for index := uint64(1); err == nil; index++ {
		_, err = s.Apply([]raftpb.Entry{entryAt(index)})
		if index > 1000 {
			return errors.New("the file is never full")
		}
	}
	fmt.Println("Apply:", err)
	if !errors.Is(err, kv.ErrFailed) || !errors.Is(err, syscall.EFBIG) || strings.Count(err.Error(), kv.FileName+": ") != 1 {
		return fmt.Errorf("%w, which is not ErrFailed for EFBIG of the database", err)
	}
	if first := <-told; !errors.Is(first, kv.ErrFailed) {
		return fmt.Errorf("told of: %w", first)
	}
	if _, again := s.Apply([]raftpb.Entry{entryAt(2000)}); !errors.Is(again, kv.ErrFailed) {
		return fmt.Errorf("apply afterwards: %w", again)
	}
	for what, call := range map[string]func() error{
		"commit": s.Commit, "defrag": s.Defrag, "storage version": s.SetStorageVersion,
		"hash":     func() error { _, err := s.Hash(); return err },
		"hashkv":   func() error { _, _, err := s.HashKV(0); return err },
		"snapshot": func() error { _, err := s.Snapshot(); return err },
		"members":  func() error { _, err := s.Membership(); return err },
		"restore":  func() error { return s.Restore("x", raftpb.EntryID{Index: 5000}) },
	} {
		if err := call(); !errors.Is(err, kv.ErrFailed) {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := s.Close(); err != nil {
		return err
	}
	if len(told) > 0 {
		return fmt.Errorf("told twice: %w", <-told)
	}
	return nil
}

// entryAt is a first entry that adds a member, and puts of 100 KB.
func entryAt(index uint64) raftpb.Entry {
	if index == 1 {
		return addMember(1, 1)
	}
	return put(index, fmt.Sprintf("key %d", index), strings.Repeat("x", 100_000))
}
