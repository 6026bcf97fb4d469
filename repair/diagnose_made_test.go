package repair_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// cluster returns copies of the members of a corpus.
func cluster(t *testing.T, name string, members ...string) (dirs []string) {
	t.Helper()
	dir := corpus.Copy(t, name)
	for _, m := range members {
		dirs = append(dirs, filepath.Join(dir, m))
	}
	return dirs
}

// below returns the path of a file of a member.
func below(dir, name string) string { return filepath.Join(dir, "member", filepath.FromSlash(name)) }

// newLog puts a log in the place of a member's that is as etcd begins it, with some entries.
func newLog(t *testing.T, dir string, state raftpb.HardState, entries ...raftpb.Entry) {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	o, err := log.CreateOptions()
	if err != nil {
		t.Fatal(err)
	}
	o.First, o.CRC = wal.SegmentName{}, 0
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(below(dir, "wal")); err != nil {
		t.Fatal(err)
	}
	w, err := wal.Create(vfs.OS, below(dir, "wal"), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		if err := w.Append(state, entries); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, pattern string) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func setMeta(t *testing.T, dir, key string, value uint64) {
	t.Helper()
	dbtest.Edit(t, below(dir, "snap/db"), func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte(key), binary.BigEndian.AppendUint64(nil, value))
	})
}

// made are directories in which something is wrong that no check of one file sees.
var made = map[string]struct {
	make  func(t *testing.T) (paths []string)
	class string
	check repair.Check
	says  string // in the evidence
	does  string // in the advice
}{
	"a log that was begun anew": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1")
		newLog(t, m[0], raftpb.HardState{})
		return m
	}, "log_restarted", repair.CheckTogether, "no entry behind 0 and was never led, but the database has applied entries up to 1946", "tocommit"},
	"a log and a database that were begun anew, beside old .snap files": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1")
		newLog(t, m[0], raftpb.HardState{})
		setMeta(t, m[0], "consistent_index", 0)
		return m
	}, "log_restarted", repair.CheckTogether, "has taken a snapshot of entry 1930", "tocommit"},
	"a member that was begun anew under its ID": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1", "m2")
		newLog(t, m[0], raftpb.HardState{})
		remove(t, below(m[0], "snap/*"))
		return m
	}, "log_restarted", repair.CheckCluster, `has run as "m1" before`, "tocommit"},
	"a member that has forgotten for what it stood": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1", "m2")
		newLog(t, m[1], raftpb.HardState{Term: 9, Vote: nodeID(t, m[0]), Commit: 1}, raftpb.Entry{Term: 8, Index: 1})
		return m
	}, "forgotten", repair.CheckCluster, "voted for it in term 9", "older copy"},
	"a database that is older than the snapshot": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m4")
		setMeta(t, m[0], "consistent_index", 1000)
		return m
	}, "database_behind", repair.CheckTogether, "entries up to 1000", "failed to find database snapshot file"},
	"a log that is older than the database": {func(t *testing.T) []string {
		m := cluster(t, "c36-leasecp-1n-clean", "")
		setMeta(t, m[0], "consistent_index", 99)
		return m
	}, "database_ahead", repair.CheckTogether, "entries up to 99", "one member and one moment"},
	"a .snap file beyond the log's end": {func(t *testing.T) []string {
		m := cluster(t, "c36-restored-m1", "")
		snap := &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 500, Term: 2,
			ConfState: raftpb.ConfState{Voters: []uint64{nodeID(t, m[0])}}}}
		if err := snapshot.Write(vfs.OS, below(m[0], "snap"), snap, raftpb.FlavorGogo); err != nil {
			t.Fatal(err)
		}
		return m
	}, "snapshot_newer", repair.CheckTogether, "entry 500", ""},
	"a member that was removed, by the database": {func(t *testing.T) []string {
		return cluster(t, "c36-3m-clean", "m5")
	}, "self_removed", repair.CheckMembers, "list of removed members", "empty data directory"},
	"members that the .snap file has removed": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1")
		setStore(t, m[0], func(s *snapshot.Membership) {
			s.Removed, s.Members = append(s.Removed, s.Members[1].ID), append(s.Members[:1:1], s.Members[2:]...)
		})
		return m
	}, "snapshot_members", repair.CheckMembers, "it lists the members 7a7a27dfe3ad92da, c82b8e8b92c2b37a", ""},
	"a change that was interrupted": {func(t *testing.T) []string {
		m := cluster(t, "c36-leasecp-1n-clean", "")
		line := `{"event":"begun","id":"0123abcd","time":"2026-11-29T01:02:03Z","command":"raftctl wal repair etcd --in-place",` +
			`"version":"1","staged":"wal.changing-0123abcd","kept":"wal.before-20261129T010203Z"}` + "\n"
		if err := os.WriteFile(filepath.Join(m[0], "raftctl-changes.jsonl"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		return m
	}, "change_interrupted", repair.CheckLog, "raftctl wal repair etcd --in-place was interrupted at 2026-11-29 01:02:03Z", "take it back"},
	"a change whose undoing was interrupted": {func(t *testing.T) []string {
		m := cluster(t, "c36-leasecp-1n-clean", "")
		lines := `{"event":"begun","id":"0123abcd","time":"2026-11-29T01:02:03Z","command":"raftctl wal repair etcd --in-place",` +
			`"version":"1","staged":"wal.changing-0123abcd","kept":"wal.before-20261129T010203Z"}` + "\n" +
			`{"event":"done","id":"0123abcd","time":"2026-11-29T01:02:04Z"}` + "\n" +
			`{"event":"undo_begun","id":"0123abcd","time":"2026-11-29T01:02:05Z","kept":"wal.undone-20261129T010205Z"}` + "\n"
		if err := os.WriteFile(filepath.Join(m[0], "raftctl-changes.jsonl"), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		return m
	}, "change_interrupted", repair.CheckLog, "undoing raftctl wal repair", "goes on"},
	"a received database": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1")
		copyFile(t, below(m[0], "snap/db"), below(m[0], "snap/"+snapshot.DBFileName(1930)))
		return m
	}, "database_received", repair.CheckTogether, "not needed any more", ""},
	"members of two clusters": {func(t *testing.T) []string {
		return append(cluster(t, "c36-3m-clean", "m1"), cluster(t, "c37-3m-clean", "m1")...)
	}, "cluster_id", repair.CheckCluster, "of cluster", "put those of the old one away"},
	"one member twice": {func(t *testing.T) []string {
		m := cluster(t, "c36-3m-clean", "m1")
		return append(m, m...)
	}, "member_twice", repair.CheckCluster, "like ", ""},
	"logs of two histories": {func(t *testing.T) []string {
		m := cluster(t, "c36-restored-m1", "", "")
		other := filepath.Join(t.TempDir(), "other")
		if err := os.CopyFS(other, os.DirFS(m[0])); err != nil {
			t.Fatal(err)
		}
		for i, dir := range []string{m[0], other} {
			appendEntry(t, dir, []byte{byte(i)})
		}
		return []string{m[0], other}
	}, "conflict", repair.CheckCluster, "entry", "put the others away"},
	"a log of 3.5 that 3.7 ends on": {func(t *testing.T) []string {
		dir := t.TempDir()
		s := etcdtest.Start(t, "3.5", dir, etcdtest.Quick...)
		s.Ctl("put", "a", "b")
		s.Stop()
		s = etcdtest.Start(t, "3.6", dir, etcdtest.Quick...)
		s.Ctl("put", "a", "b")
		waitForVersion(t, s)
		s.Stop()
		return []string{dir}
	}, "upgrade_trap", repair.CheckStart, "etcd 3.7 panics on entry", "--snapshot-count 1"},
}

func nodeID(t *testing.T, dir string) uint64 {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	v, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v.Metadata.NodeID
}

// appendEntry appends an entry to a log, and commits it.
func appendEntry(t *testing.T, dir string, data []byte) {
	t.Helper()
	w, r, err := wal.OpenForAppend(vfs.OS, below(dir, "wal"), wal.AppendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	last := r.Entries[len(r.Entries)-1]
	st := r.State
	st.Commit = last.Index + 1
	if err := w.Append(st, []raftpb.Entry{{Term: last.Term, Index: last.Index + 1, Data: data}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// setStore changes the membership in a member's newest .snap file.
func setStore(t *testing.T, dir string, change func(*snapshot.Membership)) {
	t.Helper()
	fsys := os.DirFS(below(dir, "snap"))
	ids, err := snapshot.List(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	snap, err := snapshot.Read(fsys, ".", ids[0])
	if err != nil {
		t.Fatal(err)
	}
	store, err := snapshot.ParseStore(snap.Data)
	if err != nil {
		t.Fatal(err)
	}
	members, err := store.Membership()
	if err != nil {
		t.Fatal(err)
	}
	change(&members)
	if err := store.SetMembership(members); err != nil {
		t.Fatal(err)
	}
	snap.Data = store.AppendJSON(nil)
	remove(t, below(dir, "snap/"+snapshot.FileName(ids[0])))
	if err := snapshot.Write(vfs.OS, below(dir, "snap"), snap, raftpb.FlavorGogo); err != nil {
		t.Fatal(err)
	}
}

// What is wrong between files is told, with what proves it and what to do, and nothing is written.
func TestMadeProblems(t *testing.T) {
	for name, tc := range made {
		t.Run(name, func(t *testing.T) {
			d := diagnose(t, tc.make(t)...)
			f := finding(d, tc.class)
			if f == nil {
				t.Fatalf("no %s: %+v", tc.class, d.Findings)
			}
			if f.Check != tc.check || !strings.Contains(f.Evidence, tc.says) || !strings.Contains(f.Advice, tc.does) {
				t.Errorf("%s: %v\n%s", f.Check, f, f.Advice)
			}
		})
	}
}

// waitForVersion waits until the cluster's version is that of the server.
func waitForVersion(t *testing.T, s *etcdtest.Server) {
	t.Helper()
	for range 200 {
		if strings.Contains(string(s.Ctl("endpoint", "status", "-w", "json")), `"storageVersion":"3.6.0"`) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the cluster's version was not raised")
}
