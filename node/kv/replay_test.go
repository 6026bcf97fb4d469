package kv_test

import (
	"os"
	"testing"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// TestReplayWholeLog replays logs that begin at index 1 into an empty database, which must then have the
// hash of the one that the real etcd left.
func TestReplayWholeLog(t *testing.T) {
	for _, l := range corpus.Logs(t) {
		t.Run(l.Name, func(t *testing.T) {
			log, err := wal.Open(os.DirFS(l.Dir), ".")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = log.Close() }()
			view, err := log.View(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(view.Ranges) != 1 || view.First.Index != 1 || view.First.Term == view.Last.Term {
				return // not whole, or of a restore, which puts a database beside it
			}
			want := left(t, l.Dir)
			last := want.index
			if view.State.Commit == last+1 {
				last++ // 3.4 leaves the index behind a compaction
			}
			s, err := kv.Open(t.TempDir(), kv.Options{
				Member: view.Metadata.NodeID, Cluster: view.Metadata.ClusterID,
				NoSync: true, WaitCompaction: true, BcryptCost: 4,
			})
			if err != nil {
				t.Fatal(err)
			}
			for e, err := range view.Replay(1, last) {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Apply([]raftpb.Entry{*e.Entry}); err != nil {
					t.Fatal(err)
				}
			}
			got, _, err := s.HashKV(0)
			if err != nil || got.Hash != want.hash.Hash || got.Revision != want.hash.Revision {
				t.Errorf("hash %+v, error %v, want %+v", got, err, want.hash)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

type leftState struct {
	index uint64
	hash  *database.HashKV
}

// left returns what the real etcd left in its database.
func left(t *testing.T, dir string) leftState {
	t.Helper()
	db, err := database.Open(t.Context(), os.DirFS(dir), "member/snap/db", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	meta, err := db.Meta()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := db.HashKV(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return leftState{meta.ConsistentIndex, hash}
}
