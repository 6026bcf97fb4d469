package kv_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// member is what a real etcd left: its log, and its database.
type member struct {
	subject
	name    string
	snap    string // the folder of its database and .snap files
	view    *wal.View
	entries []raftpb.Entry // from the first to the last that is committed
	db      state
	last    uint64 // the entry up to which the database has applied the log

	minTTL int64 // of leases, by its election timeout; 0: the default
}

// openMember reads what a real etcd left.
func openMember(t testing.TB, name, dir string) *member {
	t.Helper()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := &member{name: name, snap: filepath.Join(dir, "member", "snap"), view: view}
	m.passwords = map[string]string{}
	m.db = readState(t, m.snap)
	m.last = m.db.index()
	m.oldIndex = m.db["meta"]["term"] == ""
	if m.oldIndex {
		m.last = view.State.Commit // 3.4 leaves the index behind; it was stopped, and had applied all
	}
	if !m.whole() {
		return m
	}
	for e, err := range view.Replay(1, max(view.State.Commit, m.last)) {
		if err != nil {
			t.Fatal(err)
		}
		kept := *e.Entry
		kept.Data = slices.Clone(kept.Data)
		m.entries = append(m.entries, kept)
		m.notePassword(&kept)
	}
	return m
}

// whole reports whether the database follows from the log alone. It doesn't where the log begins later,
// or a restore put a database beside it, of a term of its own.
func (m *member) whole() bool {
	v := m.view
	return len(v.Ranges) == 1 && v.First.Index == 1 && v.First.Term != v.Last.Term
}

// notePassword keeps the passwords that are in the log in plain text.
func (m *member) notePassword(e *raftpb.Entry) {
	var r etcdserverpb.InternalRaftRequest
	if e.Type != raftpb.EntryNormal || proto.Unmarshal(e.Data, &r) != nil {
		return
	}
	if add := r.AuthUserAdd; add != nil && add.HashedPassword == "" {
		m.passwords[add.Name] = add.Password
	}
	if change := r.AuthUserChangePassword; change != nil && change.HashedPassword == "" {
		m.passwords[change.Name] = change.Password
	}
}

// members are those of the corpus whose database follows from their log.
func members(t testing.TB) (ms []*member) {
	t.Helper()
	for _, l := range corpus.Logs(t) {
		if m := openMember(t, l.Name, l.Dir); m.whole() {
			ms = append(ms, m)
		}
	}
	if len(ms) < 15 {
		t.Fatalf("%d members have a whole log, want more", len(ms))
	}
	return ms
}

// open opens a store for replaying the log.
func (m *member) open(t testing.TB, dir string) *kv.Store {
	t.Helper()
	s, err := kv.Open(dir, kv.Options{
		Member: m.view.Metadata.NodeID, Cluster: m.view.Metadata.ClusterID, MinLeaseTTL: m.minTTL,
		NoSync: true, WaitCompaction: true, BcryptCost: 4, QuotaBytes: -1,
		Fatal: func(err error) { t.Errorf("fatal: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// replay applies the entries up to last to the database in dir, and closes it.
func (m *member) replay(t testing.TB, dir string, last uint64) {
	t.Helper()
	s := m.open(t, dir)
	apply(t, s, m.entries[:last])
	closed(t, s)
}

// apply applies entries, a few at a time.
func apply(t testing.TB, s *kv.Store, entries []raftpb.Entry) {
	t.Helper()
	for some := range slices.Chunk(entries, 7) {
		if _, err := s.Apply(some); err != nil {
			t.Fatal(err)
		}
	}
}

// closed closes a store, as of the form that its cluster's version has.
func closed(t testing.TB, s *kv.Store) {
	t.Helper()
	if err := s.SetStorageVersion(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestReplayWholeLog replays logs into an empty database, which is then that of the real etcd.
func TestReplayWholeLog(t *testing.T) {
	t.Setenv("ETCD_VERIFY", "all")
	for _, m := range members(t) {
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			m.replay(t, dir, m.last)
			needed{}.compare(t, m.db, readState(t, dir), &m.subject)
		})
	}
}

// TestReplayFromEachSnapshot stops at each .snap file and at points between, and goes on with what the
// database has then, and with nothing that was in memory.
func TestReplayFromEachSnapshot(t *testing.T) {
	snaps := 0
	for _, m := range members(t) {
		t.Run(m.name, func(t *testing.T) {
			files, err := snapshot.List(os.DirFS(m.snap), ".")
			if err != nil {
				t.Fatal(err)
			}
			var stops []uint64
			for _, id := range files {
				stops = append(stops, id.Index)
			}
			snaps += len(stops)
			for stop := uint64(1); stop < m.last; stop += max(1, m.last/20) {
				stops = append(stops, stop)
			}
			slices.Sort(stops)
			dir := t.TempDir()
			for _, stop := range append(stops, m.last) {
				if stop <= m.last {
					m.replay(t, dir, stop)
				}
			}
			needed{}.compare(t, m.db, readState(t, dir), &m.subject)
		})
	}
	if snaps < 10 {
		t.Errorf("%d .snap files, want more", snaps)
	}
}

// TestReplayOnRealDatabase goes on from the database that a real etcd left, up to the end of the log: that
// of one that was killed lacks its last transaction.
func TestReplayOnRealDatabase(t *testing.T) {
	further := 0
	for _, m := range members(t) {
		t.Run(m.name, func(t *testing.T) {
			whole, dir := t.TempDir(), copyDB(t, m.snap)
			end := uint64(len(m.entries))
			m.replay(t, whole, end)
			m.replay(t, dir, end)
			needed{}.compare(t, readState(t, dir), readState(t, whole), &m.subject)
			if end > m.last {
				further++
			}
		})
	}
	if further == 0 {
		t.Error("no log goes on behind its database")
	}
}

// TestReplayBehindSentSnapshot replays the logs that begin with a snapshot from the leader, on what another
// member of the cluster had then.
func TestReplayBehindSentSnapshot(t *testing.T) {
	ms := members(t)
	done := 0
	for _, l := range corpus.Logs(t) {
		m := openMember(t, l.Name, l.Dir)
		i := slices.IndexFunc(ms, func(o *member) bool {
			return o.view.Metadata.ClusterID == m.view.Metadata.ClusterID && o.last >= m.last
		})
		if m.whole() || m.view.Base.Index == 0 || len(m.view.Ranges) != 1 || i < 0 {
			continue
		}
		done++
		t.Run(l.Name, func(t *testing.T) {
			dir := t.TempDir()
			ms[i].replay(t, dir, m.view.Base.Index)
			s := m.open(t, dir)
			for e, err := range m.view.Replay(m.view.Base.Index+1, m.last) {
				if err != nil {
					t.Fatal(err)
				}
				apply(t, s, []raftpb.Entry{*e.Entry})
			}
			closed(t, s)
			needed{}.compare(t, m.db, readState(t, dir), &m.subject)
		})
	}
	if done == 0 {
		t.Error("no log begins with a snapshot from the leader")
	}
}
