package repairtest

import (
	"fmt"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"
)

// etcdReads has etcd's own reader read the log of a healthy member from its newest snapshot on, and compares.
func (m *member) etcdReads(dir string) error {
	var start mark
	for _, k := range m.marks {
		if k.Index <= m.state.Commit {
			start = k
		}
	}
	w, err := wal.OpenForRead(zap.NewNop(), filepath.Join(dir, walDir), &walpb.Snapshot{
		Index: &start.Index, Term: &start.Term})
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }() // opened for reading
	_, state, entries, err := w.ReadAll()
	if err != nil {
		return err
	}
	if state.GetCommit() != m.state.Commit || state.GetTerm() != m.state.Term || state.GetVote() != m.state.Vote {
		return fmt.Errorf("hard state %v, want %v", state, m.state)
	}
	want := m.entries
	for len(want) > 0 && want[0].Index <= start.Index {
		want = want[1:]
	}
	if len(entries) != len(want) {
		return fmt.Errorf("%d entries behind %v, want %d", len(entries), start.EntryID, len(want))
	}
	for i, e := range entries {
		if w := want[i]; e.GetIndex() != w.Index || e.GetTerm() != w.Term || string(e.GetData()) != w.data {
			return fmt.Errorf("entry %d of term %d, want %v", e.GetIndex(), e.GetTerm(), w.EntryID)
		}
	}
	return nil
}
