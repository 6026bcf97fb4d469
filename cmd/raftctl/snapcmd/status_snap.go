package snapcmd

import (
	"bytes"
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot"
)

// snapStatus is the result of `snapshot status` on a .snap file, and its JSON: see docs/json.md.
type snapStatus struct {
	Path    string          `json:"path"`
	Size    int64           `json:"file_size"`
	Verdict verdict.Verdict `json:"verdict"`
	Error   string          `json:"error,omitempty"`

	Term      uint64         `json:"term"`
	Index     uint64         `json:"index"`
	ConfState *confStateJSON `json:"conf_state"`

	ClusterVersion string            `json:"cluster_version"`
	Members        []stateMemberJSON `json:"members"`
	Removed        []string          `json:"removed"`
	StoreSize      int64             `json:"v2_store_size"`
	Keys           int               `json:"v2_keys"`
}

// snapFileStatus says what a .snap file holds.
func snapFileStatus(a *ui.App, o *statusOptions, m *datadir.Member, path string) error {
	for name, is := range map[string]bool{"top": o.top > 0, "hashkv-rev": o.hashKV > 0} {
		if is {
			return ui.UsageError{Err: fmt.Errorf("%s: --%s is for databases, and this is a .snap file", ui.Quote(path), name)}
		}
	}
	b, err := snapshot.ReadBytes(m.File.FS, m.File.Path)
	if err != nil {
		return pathErr.Error(path, err)
	}
	s := newSnapStatus(path, b)
	if err := o.output.Write(a.Out, s, func() error { return s.print(a) }); err != nil {
		return err
	}
	if s.Verdict != verdict.OK {
		return ui.ExitError{Status: ui.StatusDamage}
	}
	return nil
}

func newSnapStatus(path string, b []byte) *snapStatus {
	s := &snapStatus{Path: path, Size: int64(len(b)), Verdict: verdict.OK, Members: []stateMemberJSON{}, Removed: []string{}}
	snap, err := snapshot.Parse(b)
	if err == nil {
		s.Term, s.Index = snap.Metadata.Term, snap.Metadata.Index
		s.ConfState = newConfStateJSON(&snap.Metadata.ConfState)
		s.StoreSize = int64(len(snap.Data))
		err = s.addStore(snap.Data)
	}
	if err != nil {
		s.Verdict, s.Error = verdict.Problem, err.Error()
	}
	return s
}

// addStore adds what the v2 store says.
func (s *snapStatus) addStore(data []byte) error {
	store, err := snapshot.ParseStore(data)
	if err != nil {
		return err
	}
	for range store.Keys() {
		s.Keys++
	}
	members, err := store.Membership()
	if err != nil {
		return err
	}
	s.ClusterVersion, s.Removed = members.Version, hexIDs(members.Removed)
	for _, m := range members.Members {
		s.Members = append(s.Members, stateMemberJSON{hexID(m.ID), m.Name, m.Learner, m.PeerURLs, m.ClientURLs})
	}
	return nil
}

func (s *snapStatus) print(a *ui.App) error {
	var b bytes.Buffer
	kv := ui.NewFacts(&b).Wrap(a.Width)
	if s.Verdict == verdict.OK {
		kv.Add("verdict", "%s", a.Paint(ui.Green, string(s.Verdict)))
	} else {
		kv.Add("verdict", "%s: %s", a.Paint(ui.Red, string(s.Verdict)), s.Error)
	}
	if s.ConfState != nil {
		kv.Add("snapshot", "of entry %d, of term %d", s.Index, s.Term)
		kv.Add("conf state", "%s", s.ConfState)
		kv.Add("version", "%s", visibleOrNone(s.ClusterVersion))
		kv.Add("v2 keys", "%s of clients; the store has %s", ui.Count(s.Keys), display.FormatSize(s.StoreSize))
		kv.AddBelow("keys of v3 are in the database, not in here")
	}
	if len(s.Removed) > 0 {
		kv.Add("removed", "%s", listed(s.Removed))
	}
	_ = kv.Flush() // a buffer takes everything
	printMembers(&b, a.Screen(), s.Members)
	_, err := a.Text().Write(b.Bytes())
	return err
}
