package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// What real etcds of both flavours wrote is the same when it is written again.
func TestEncodeReal(t *testing.T) {
	for _, r := range realSnaps(t) {
		for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			b, err := snapshot.Encode(r.snap, flavor)
			if err != nil || !bytes.Equal(b, r.bytes) {
				t.Errorf("%s, %v: not the same when written again: %v", r.name, flavor, err)
			}
		}
	}
}

func TestWriteReal(t *testing.T) {
	dir := t.TempDir()
	want := map[string][]byte{}
	for _, r := range realSnaps(t) {
		name := snapshot.FileName(r.snap.Metadata.ID())
		if want[name] != nil || len(want) == 10 {
			continue // of another member, or enough for a slow disk
		}
		want[name] = r.bytes
		if err := snapshot.Write(vfs.OS, dir, r.snap, raftpb.FlavorGogo); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if got[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// small is a snapshot that is written in a moment. Those of other data are others of the same name.
func small(data string) *raftpb.Snapshot {
	return &raftpb.Snapshot{Data: []byte(data), Metadata: raftpb.SnapshotMetadata{
		ConfState: raftpb.ConfState{Voters: []uint64{1}}, Index: 7, Term: 2}}
}

const memDir = "snap"

// memFS returns a file system with a durable folder, and the files in it, durable as well.
func memFS(tb testing.TB, files map[string][]byte) *faultfs.FS {
	tb.Helper()
	fsys := faultfs.New()
	err := fsys.MkdirAll(memDir, 0o700)
	for name, data := range files {
		err = errors.Join(err, put(fsys, filepath.Join(memDir, name), data))
	}
	if err := errors.Join(err, fsys.SyncDir(memDir), fsys.SyncDir(".")); err != nil {
		tb.Fatal(err)
	}
	return fsys
}

func put(fsys vfs.FS, name string, data []byte) error {
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// contents returns the files of a folder.
func contents(tb testing.TB, fsys vfs.FS) map[string][]byte {
	tb.Helper()
	entries, err := fsys.ReadDir(memDir)
	if err != nil {
		tb.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		f, err := fsys.Open(filepath.Join(memDir, e.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			tb.Fatal(err)
		}
		files[e.Name()] = b
	}
	return files
}

// checkWhole checks that no half file stands under the snapshot's name, and that what lies beside is
// what etcd removes. It reports whether the file is there.
func checkWhole(tb testing.TB, fsys vfs.FS, snap *raftpb.Snapshot) (there bool) {
	tb.Helper()
	want, err := snapshot.Encode(snap, raftpb.FlavorGogo)
	if err != nil {
		tb.Fatal(err)
	}
	for name, got := range contents(tb, fsys) {
		switch snapshot.KindOf(name) {
		case snapshot.KindSnapshot:
			if there = true; !bytes.Equal(got, want) {
				tb.Errorf("%s: %d bytes, want the %d of the snapshot", name, len(got), len(want))
			}
		case snapshot.KindTemp:
		default:
			tb.Errorf("%s is left", name)
		}
	}
	return there
}

// Whichever operation fails, and wherever the power goes, there is no half file under the name.
func TestWriteFaults(t *testing.T) {
	snap := small(strings.Repeat("x", 3000))
	ops := func() int {
		fsys := memFS(t, nil)
		before := fsys.Ops()
		if err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo); err != nil {
			t.Fatal(err)
		}
		return fsys.Ops() - before
	}()
	for i := range ops {
		fsys := memFS(t, nil)
		fsys.FailAt(fsys.Ops() + i)
		err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo)
		if !errors.Is(err, faultfs.ErrInjected) {
			t.Errorf("operation %d failed: %v", i, err)
		}
		fsys.Watch(nil)
		checkWhole(t, fsys, snap)
		for left := range contents(t, fsys) {
			if snapshot.KindOf(left) == snapshot.KindTemp {
				t.Errorf("operation %d failed: %s is left", i, left)
			}
		}
		checkWhole(t, fsys.Crash(faultfs.Crash{}), snap)
		// Done again it succeeds, and is durable.
		if err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo); err != nil {
			t.Errorf("operation %d failed, and again: %v", i, err)
		}
		if !checkWhole(t, fsys.Crash(faultfs.Crash{}), snap) {
			t.Errorf("operation %d failed, and again: not durable", i)
		}
	}
}

func TestWriteCrash(t *testing.T) {
	snap := small(strings.Repeat("x", 3000))
	rng := rand.New(rand.NewPCG(1, 2))
	crashes := []faultfs.Crash{{}, {Keep: 1}, {Unit: 512, Keep: 0.5, Rand: rng}, {Unit: 1, Keep: 0.9, Rand: rng}}
	for stop := 0; ; stop++ {
		fsys := memFS(t, nil)
		from, reached := fsys.Ops(), false
		// What comes behind the power cut does nothing.
		fsys.Watch(func(op faultfs.Op) error {
			if op.N >= from+stop {
				reached = true
				return errors.New("no power")
			}
			return nil
		})
		err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo)
		fsys.Watch(nil)
		for range 20 {
			for _, c := range crashes {
				there := checkWhole(t, fsys.Crash(c), snap)
				if err == nil && !there {
					t.Fatalf("written, and gone after a crash that keeps %v", c.Keep)
				}
			}
		}
		if !reached {
			return
		}
	}
}

func TestWriteDiskFull(t *testing.T) {
	snap := small(strings.Repeat("x", 3000))
	for space := int64(0); space < 3000; space += 500 {
		fsys := memFS(t, nil)
		fsys.SetSpace(space)
		if err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo); err == nil {
			t.Errorf("%d bytes of space: no error", space)
		}
		if left := contents(t, fsys); len(left) > 0 {
			t.Errorf("%d bytes of space: %d files are left", space, len(left))
		}
	}
}

// A file that is there is never overwritten, whatever is in it.
func TestWriteExisting(t *testing.T) {
	snap := small("one")
	name := snapshot.FileName(snap.Metadata.ID())
	whole, err := snapshot.Encode(snap, raftpb.FlavorGogo)
	if err != nil {
		t.Fatal(err)
	}
	other, err := snapshot.Encode(small("two"), raftpb.FlavorGogo)
	if err != nil {
		t.Fatal(err)
	}
	for what, there := range map[string][]byte{
		"the same": whole, "another": other, "half of it": whole[:9], "nothing": {}, "more": append(slices.Clone(whole), 0),
	} {
		fsys := memFS(t, map[string][]byte{name: there})
		err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo)
		if refused := errors.Is(err, fs.ErrExist); refused == (what == "the same") || !refused && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(map[string][]byte{name: there}, contents(t, fsys)); diff != "" {
			t.Errorf("%s (-was +is):\n%s", what, diff)
		}
	}
}

// What an earlier crash left is not touched, nor in the way.
func TestWriteBesideLeftovers(t *testing.T) {
	snap := small("one")
	left := "tmp-" + snapshot.FileName(snap.Metadata.ID()) + "-0"
	fsys := memFS(t, map[string][]byte{left: []byte("left")})
	if err := snapshot.Write(fsys, memDir, snap, raftpb.FlavorGogo); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, fsys); string(got[left]) != "left" || len(got) != 2 {
		t.Errorf("files %q", got)
	}
	if !checkWhole(t, fsys, snap) {
		t.Error("not written")
	}
}

// forgeZero changes the last four bytes of the snapshot's data so that the file's checksum is 0. The
// checksum is linear in them: each of its bits is the sum of some of theirs and of a constant.
func forgeZero(t *testing.T, snap *raftpb.Snapshot) {
	t.Helper()
	tail := snap.Data[len(snap.Data)-4:]
	crc := func(v uint32) uint32 {
		binary.LittleEndian.PutUint32(tail, v)
		return sum(snap.Marshal(raftpb.FlavorGogo))
	}
	constant := crc(0)
	type row struct{ effect, bits uint32 } // what flipping bits changes
	var basis [32]*row
	for bit := range 32 {
		r := row{crc(1<<bit) ^ constant, 1 << bit}
		for at := range basis {
			if r.effect>>at&1 == 0 {
				continue
			}
			if basis[at] == nil {
				basis[at] = &r
				break
			}
			r.effect, r.bits = r.effect^basis[at].effect, r.bits^basis[at].bits
		}
	}
	var v uint32
	for at, rest := 0, constant; at < 32; at++ {
		if rest>>at&1 == 1 {
			rest, v = rest^basis[at].effect, v^basis[at].bits
		}
	}
	if got := crc(v); got != 0 {
		t.Fatalf("crc %08x, want 0", got)
	}
}

// What etcd would refuse is not written.
func TestWriteRefuses(t *testing.T) {
	zero := small("data and four bytes")
	forgeZero(t, zero)
	for name, tt := range map[string]struct {
		snap *raftpb.Snapshot
		want error
		text string
	}{
		"crc 0": {zero, snapshot.ErrZeroCRC, "0000000000000002-0000000000000007.snap: crc 0, " +
			"for which etcd takes the file for an empty snapshot"},
		"index 0":     {new(raftpb.Snapshot), snapshot.ErrEmpty, "empty snapshot: index 0"},
		"no snapshot": {nil, snapshot.ErrEmpty, "empty snapshot: index 0"},
	} {
		fsys := memFS(t, nil)
		err := snapshot.Write(fsys, memDir, tt.snap, raftpb.FlavorGogo)
		if !errors.Is(err, tt.want) || err.Error() != tt.text {
			t.Errorf("%s: %v, want %s", name, err, tt.text)
		}
		if left := contents(t, fsys); len(left) > 0 {
			t.Errorf("%s: %d files are left", name, len(left))
		}
	}
}

// What is written is read as the same again.
func FuzzEncode(f *testing.F) {
	f.Add([]byte(`{"Root":{}}`), uint64(1), uint64(2), uint64(3))
	f.Add([]byte(nil), uint64(1)<<63, ^uint64(0), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, index, term, voter uint64) {
		snap := &raftpb.Snapshot{Data: data, Metadata: raftpb.SnapshotMetadata{
			ConfState: raftpb.ConfState{Voters: []uint64{voter}}, Index: index, Term: term}}
		b, err := snapshot.Encode(snap, raftpb.FlavorPbgo)
		if err != nil {
			if index != 0 && !errors.Is(err, snapshot.ErrZeroCRC) {
				t.Fatal(err)
			}
			return
		}
		got, err := snapshot.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fmt.Sprintf("%+v", snap), fmt.Sprintf("%+v", got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}
