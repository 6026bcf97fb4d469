package restore

import (
	"bytes"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// writeLog makes the log of a member, and the .snap file that goes with it: one entry for each member
// of the cluster, all committed, as `etcdutl snapshot restore` of the release writes them.
func (p *Plan) writeLog(fsys vfs.FS, s *staged) error {
	w, err := wal.Create(fsys, s.Log(), wal.CreateOptions{
		Metadata:      wal.Metadata{NodeID: s.ID, ClusterID: p.Cluster.ID},
		WriterOptions: wal.WriterOptions{Flavor: p.As.Flavor()},
	})
	if err != nil {
		return err
	}
	err = p.appendTo(fsys, w, s)
	return errors.Join(err, w.Close())
}

func (p *Plan) appendTo(fsys vfs.FS, w *wal.Writer, s *staged) error {
	state := raftpb.HardState{Term: term, Vote: p.vote(), Commit: p.lastIndex()}
	if err := w.Append(state, p.entries()); err != nil {
		return err
	}
	snap, err := p.snapshot()
	if err != nil {
		return err
	}
	if err := snapshot.Write(fsys, s.Snap(), snap, p.As.Flavor()); err != nil { // before the log mentions it
		return err
	}
	m := &snap.Metadata
	return p.saveSnapshot(w, wal.Snapshot{Index: m.Index, Term: m.Term, ConfState: &m.ConfState})
}

// saveSnapshot appends the snapshot record. That of 3.7's restore leaves auto_leave out of the
// configuration, which its server writes, false or not.
func (p *Plan) saveSnapshot(w *wal.Writer, s wal.Snapshot) error {
	if p.As.Flavor() == raftpb.FlavorGogo {
		return w.SaveSnapshot(s)
	}
	conf := bytes.TrimSuffix(s.ConfState.Marshal(p.As.Flavor()), autoLeave)
	s.ConfState = nil
	data := protowire.AppendTag(s.AppendTo(nil, p.As.Flavor()), confStateField, protowire.BytesType)
	if err := w.AppendRecord(wal.KindSnapshot, protowire.AppendBytes(data, conf)); err != nil {
		return err
	}
	return w.Sync()
}

const confStateField = 3 // of a snapshot record

var autoLeave = []byte{5 << 3, 0} // the field, false

// entries add the members, in ascending order of their IDs.
func (p *Plan) entries() []raftpb.Entry {
	var list []raftpb.Entry
	for i := range p.Cluster.Members {
		m := &p.Cluster.Members[i]
		change := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: m.ID, Context: m.json()}
		list = append(list, raftpb.Entry{Type: raftpb.EntryConfChange, Term: term, Index: uint64(i) + 1,
			Data: change.Marshal(p.As.Flavor())})
	}
	return list
}

// snapshot is the one of the last entry. The store in it has no names, as in etcdutl.
func (p *Plan) snapshot() (*raftpb.Snapshot, error) {
	var m snapshot.Membership
	for _, x := range p.Cluster.Members {
		m.Members = append(m.Members, snapshot.Member{ID: x.ID, PeerURLs: x.PeerURLs})
	}
	store, err := snapshot.NewStore(m)
	if err != nil {
		return nil, err
	}
	return &raftpb.Snapshot{
		Data: store.AppendJSON(nil),
		Metadata: raftpb.SnapshotMetadata{
			ConfState: raftpb.ConfState{Voters: p.Cluster.ids()}, Index: p.lastIndex(), Term: term,
		},
	}, nil
}
