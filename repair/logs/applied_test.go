package logs_test

import (
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// A member that runs applies entries while its log is read: what its database has by the time that is asked
// for is in what is read of the log.
func TestAppliedOfRunning(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(nil, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 0xc1}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(s step) {
		if err := w.Append(s.state, s.entries); err != nil {
			t.Fatal(err)
		}
	}
	write(ents("a", 1, 1, 5))
	write(state(1, 5))
	sources, err := logs.OpenAll(t.Context(), []string{dir}, logs.Options{
		Applied: func(name string, m *datadir.Member) raftpb.EntryID {
			if name != dir || m.Log.State != datadir.Present {
				t.Errorf("asked for %q, whose log is %v", name, m.Log.State)
			}
			write(ents("a", 1, 6, 9))
			return raftpb.EntryID{Term: 1, Index: 9}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = logs.CloseAll(sources) })
	j, err := logs.Join(sources, logs.JoinOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, to := j.Commit(), j.Reach(0); got.Index != 9 || got.By != logs.ByApplied || to != 9 {
		t.Errorf("commit %v, entries up to %d; want 9, by the database", got, to)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
