package msgcmd

import (
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Names come from the log of a member, where the capture doesn't tell them.
func TestNamesOfLog(t *testing.T) {
	dir := t.TempDir() + "/m1"
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	add := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: 0x2a, Context: []byte(`{"id":42,"peerURLs":["http://a:2380"],"name":"first"}`)}
	entry := raftpb.Entry{Term: 1, Index: 1, Type: raftpb.EntryConfChange, Data: add.Marshal(raftpb.FlavorGogo)}
	if err := w.Append(raftpb.HardState{Term: 1, Commit: 1}, []raftpb.Entry{entry}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	o := sourceOptions{dataDir: []string{dir}}
	if err := o.learn(t.Context(), new(ui.App)); err != nil {
		t.Fatal(err)
	}
	if got := o.names.Of(42); got != "first" {
		t.Errorf("got %q, want first", got)
	}
	o.dataDir = []string{t.TempDir()}
	if err := o.learn(t.Context(), new(ui.App)); err == nil {
		t.Error("an empty directory has names")
	}
}
