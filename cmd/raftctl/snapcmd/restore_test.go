package snapcmd

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/internal/vfs/faultfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/restore"
	"github.com/raftctl/raftctl/snapshot"
)

// restore runs the command and checks its exit status, and that the error stream contains text.
func (w *world) restore(t *testing.T, status int, text string, args ...string) {
	t.Helper()
	w.out.Reset()
	w.errs.Reset()
	got := execute(t.Context(), w.app, append([]string{"restore"}, args...))
	if got != status || !strings.Contains(w.errs.String(), text) || text == "" && w.errs.Len() > 0 {
		t.Errorf("restore %q: exit status %d, %q; want %d and %q", args, got, w.errs.String(), status, text)
	}
}

// restored restores as JSON and returns the report.
func (w *world) restored(t *testing.T, args ...string) (r restored) {
	t.Helper()
	w.restore(t, ui.StatusOK, "", append(args, "-o", "json")...)
	if err := json.Unmarshal(w.out.Bytes(), &r); err != nil {
		t.Fatalf("restore %q: %v: %s", args, err, w.out.String())
	}
	return r
}

// The command in the report starts the member, whose keys are those of the backup.
func TestRestoreStartCommand(t *testing.T) {
	w := newWorld(t)
	s := etcdtest.Start(t, "3.7", t.TempDir(), etcdtest.Quick...)
	fillServer(s, 20, 100)
	want := allKeys(t, s)
	w.saved(t, endpointArgs(s.URL(), "a.db")...)
	s.Stop()
	peer := etcdtest.Peers(t, 1)[0].URL
	r := w.restored(t, "a.db", "--data-dir", "new", "--wal-dir", "log", "--name", "m1",
		"--initial-cluster", "m1="+peer, "--initial-advertise-peer-urls", peer)
	words := strings.Fields(r.Members[0].Start)
	if words[0] != "etcd" || *r.RevisionAfter != 23 || r.Base.Trailer != "ok" || r.Base.PagesChecked {
		t.Errorf("%+v", r)
	}
	client := etcdtest.Peers(t, 1)[0].URL // the usual port may be taken
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "http://127.0.0.1:2379", client)
	}
	cmd := exec.Command(etcdtest.Binary(t, "3.7", "etcd"), words[1:]...)
	cmd.Dir = w.app.Dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	var out []byte
	for range 600 {
		ctl := exec.Command(etcdtest.Binary(t, "3.7", "etcdctl"), "--endpoints", client, "get", "", "--from-key", "-w", "json")
		var err error
		if out, err = ctl.Output(); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	var got struct{ Kvs any }
	if err := json.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(want, got.Kvs) {
		t.Errorf("%v, %s; want the keys of the backup", err, out)
	}
}

// stamp is what a file is like.
type stamp struct {
	name string
	time time.Time
	sum  string
}

// stamps are those of all files below a folder.
func stamps(t *testing.T, dir string) (list []stamp) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		list = append(list, stamp{path, info.ModTime(), string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A dead member's disk is restored, and not changed.
func TestRestoreFromMember(t *testing.T) {
	w := newWorld(t)
	dir := corpus.Copy(t, "c36-multiseg-1n-clean")
	before := stamps(t, dir)
	own := w.restored(t, "--from-member", dir, "--data-dir", "own")
	if !own.Base.FromMember || own.Base.Trailer != "missing" || !own.Base.PagesChecked {
		t.Errorf("%+v", own.Base)
	}
	if !reflect.DeepEqual(before, stamps(t, dir)) {
		t.Error("the member's files are not what they were")
	}
}

// startOf returns the index of the snapshot that etcd starts a member from.
func startOf(t *testing.T, w *world, dir string) (index uint64) {
	t.Helper()
	m, err := find(w.app, &paths.Options{}, dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	r, err := examineLog(t.Context(), w.app, m, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range repair.Starts(r) {
		index = max(index, s.Entry.Index)
	}
	return index
}

// A database that lags behind the snapshot that etcd starts from is not restored, but the one that the
// leader had sent with the snapshot.
func TestRestoreReceived(t *testing.T) {
	w := newWorld(t)
	dir := corpus.Copy(t, "c36-multiseg-1n-clean")
	own := w.restored(t, "--from-member", dir, "--data-dir", "own")
	snap := filepath.Join(dir, "member", "snap")
	db, received := filepath.Join(snap, "db"), filepath.Join(snap, snapshot.DBFileName(startOf(t, w, dir)))
	b, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Edit(t, db, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), make([]byte, 8))
	})
	w.restore(t, ui.StatusRefused, filepath.Base(received)+", which holds the state between, is not there",
		"--from-member", dir, "--data-dir", "x")
	if err := os.WriteFile(received, b, 0o600); err != nil {
		t.Fatal(err)
	}
	sent := w.restored(t, "--from-member", dir, "--data-dir", "sent")
	if sent.Base.ConsistentIndex != own.Base.ConsistentIndex || sent.Base.Revision != own.Base.Revision {
		t.Errorf("%+v, want that of %s", sent.Base, received)
	}
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	alone := w.restored(t, "--from-member", dir, "--data-dir", "alone")
	if alone.Base.Revision != own.Base.Revision {
		t.Errorf("%+v, want that of %s", alone.Base, received)
	}
	if err := os.Remove(received); err != nil {
		t.Fatal(err)
	}
	w.restore(t, ui.StatusError, "no database", "--from-member", dir, "--data-dir", "x")
}

// What a running etcd holds is restored as it is at one moment.
func TestRestoreOfRunning(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	s := etcdtest.Start(t, "3.6", dir, etcdtest.Quick...)
	fillServer(s, 5, 100)
	w.restore(t, ui.StatusOK, "a copy of it is restored, as it was at one moment", "--from-member", dir, "--data-dir", "new")
	s.Ctl("put", "still", "there")
}

// A database of a release that isn't known, and one that an earlier release can't take, are refused.
func TestRestoreRefused(t *testing.T) {
	w := newWorld(t)
	dir := corpus.Copy(t, "c36-multiseg-1n-clean")
	for key, tc := range map[string]struct{ value, as, text string }{
		"storageVersion": {"3.8.0", "3.7", "storage version 3.8.0, want 3.7 at most"},
		"other":          {"x", "3.5", `item "other" of bucket meta is nothing that etcd 3.5 knows`},
	} {
		name := filepath.Join(t.TempDir(), "a.db")
		b, err := os.ReadFile(filepath.Join(dir, "member", "snap", "db"))
		if err == nil {
			err = os.WriteFile(name, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		dbtest.Edit(t, name, func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("meta")).Put([]byte(key), []byte(tc.value))
		})
		w.restore(t, ui.StatusRefused, tc.text, name, "--skip-hash-check", "--as", tc.as, "--data-dir", "x")
	}
	w.wantFiles(t)
}

// A name in the database doesn't act on the terminal.
func TestRestoreHostileName(t *testing.T) {
	w := newWorld(t)
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	dbtest.Edit(t, filepath.Join(dir, "member", "snap", "db"), func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("members"))
		k, _ := b.Cursor().First()
		return b.Put(k, []byte(`{"id":3985666263220606077,"peerURLs":["http://localhost:2380"],"name":"\u001b[31m\nred"}`))
	})
	w.restore(t, ui.StatusOK, "", "--from-member", dir, "--data-dir", "new")
	if got := w.out.String(); !strings.Contains(got, `\x1b[31m\nred (374fee597485d47d)`) || strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
}

// A database that isn't that of the member whose log it lies by tells nothing of what is committed there.
func TestRestoreOtherDatabase(t *testing.T) {
	const end = 21636 // of the log; committed is what is up to 21626
	setIndex := func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, end))
	}
	for _, own := range []bool{true, false} {
		w, killed := newWorld(t), corpus.Copy(t, "c36-3m-kill9")
		dir, backup := filepath.Join(killed, "m2"), filepath.Join(killed, "m1", "member", "snap", "db")
		dbtest.Edit(t, filepath.Join(dir, "member", "snap", "db"), func(tx *bbolt.Tx) error {
			members := tx.Bucket([]byte("members"))
			for k, v := members.Cursor().First(); k != nil && !own; k, v = members.Cursor().Seek(append(bytes.Clone(k), 0)) {
				if strings.Contains(string(v), `"name":"m2"`) {
					return errors.Join(members.Delete(bytes.Clone(k)), setIndex(tx))
				}
			}
			return setIndex(tx)
		})
		r := w.restored(t, backup, "--skip-hash-check", "--wal", dir, "--data-dir", "new")
		if got := r.Replay.Last == end; got != own || own != (r.Replay.Commit.By == "database") {
			t.Errorf("its own database: %v; up to %d, committed by the %s", own, r.Replay.Last, r.Replay.Commit.By)
		}
	}
}

// A disk without room is an error with both numbers, before anything is written.
func TestRestoreDiskFull(t *testing.T) {
	w := newWorld(t)
	disk := faultfs.NewOver(vfs.OS)
	disk.SetSpace(1000)
	w.app.FS = disk
	w.restore(t, ui.StatusError, "bytes are needed, and 1000 are free", "--from-member",
		corpus.Dir(t, "c36-leasecp-1n-clean"), "--data-dir", "x")
	w.wantFiles(t)
}

// Progress is told while it takes long.
func TestRestoreProgress(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	w.app.Now = func() time.Time {
		now = now.Add(11 * time.Second)
		return now
	}
	w.restore(t, ui.StatusOK, "copy ", "--from-member", corpus.Dir(t, "c36-multiseg-1n-clean"), "--all", "all",
		"--initial-cluster", "a=http://h:1,b=http://h:2")
	for _, step := range []string{"copy ", "verify ", "spread "} {
		if !strings.Contains(w.errs.String(), step) || !strings.Contains(w.errs.String(), "/s, ") {
			t.Errorf("%q lacks %q with a rate", w.errs.String(), step)
		}
	}
}

// Every field is in the contract.
func TestRestoreJSONContract(t *testing.T) {
	text, err := os.ReadFile("../../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## A restore: ")
	if !ok {
		t.Fatal("docs/json.md says nothing about snapshot restore")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	told := 0
	for _, fields := range []reflect.Type{reflect.TypeFor[restored](), reflect.TypeFor[restoredBase](),
		reflect.TypeFor[restoredMember](), reflect.TypeFor[restoredLeft](), reflect.TypeFor[restoredStart](),
		reflect.TypeFor[replayed](), reflect.TypeFor[replayedLog](), reflect.TypeFor[replayedOp](),
		reflect.TypeFor[replayedCommit](), reflect.TypeFor[replayedBehind](), reflect.TypeFor[replayedDeletion](), reflect.TypeFor[replayedCandidate](),
		reflect.TypeFor[rehearsed]()} {
		for i := range fields.NumField() {
			if !fields.Field(i).IsExported() {
				continue
			}
			name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			told++
			if name == "" || !strings.Contains(section, "`"+name+"`") {
				t.Errorf("docs/json.md lacks %q", name)
			}
		}
	}
	if told != 99 {
		t.Errorf("%d fields, want 99", told)
	}
}

// An entry that no etcd could apply is damage of the log, and the error says how to go without it.
func TestRestoreUnknownEntry(t *testing.T) {
	entry := &kv.EntryError{ID: raftpb.EntryID{Term: 3, Index: 812}, Err: errors.New("no request")}
	err := new(restoreOptions).replayError(entry)
	if _, ok := errors.AsType[*restore.DamageError](err); !ok || !strings.HasSuffix(err.Error(), "; --until index=811 stops before it") {
		t.Errorf("%T %v", err, err)
	}
	failed := &kv.EntryError{ID: entry.ID, Err: kv.ErrFailed}
	if err := new(restoreOptions).replayError(failed); err != error(failed) {
		t.Errorf("%T %v, want the error as it is", err, err)
	}
}
