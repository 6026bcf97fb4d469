package snapshot_test

import (
	"context"
	"fmt"
	"os"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// A snapshot is made of a membership, written, found again and looked into.
func Example() {
	dir, err := os.MkdirTemp("", "snap")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder

	store, err := snapshot.NewStore(snapshot.Membership{
		Members: []snapshot.Member{{ID: 0x8e9e05c52164694d, PeerURLs: []string{"http://localhost:2380"}}},
		Version: "3.5.0",
	})
	if err != nil {
		panic(err)
	}
	snap := &raftpb.Snapshot{Data: store.AppendJSON(nil), Metadata: raftpb.SnapshotMetadata{
		Index: 1000, Term: 3, ConfState: raftpb.ConfState{Voters: []uint64{0x8e9e05c52164694d}},
	}}
	if err := snapshot.Write(vfs.OS, dir, snap, raftpb.FlavorGogo); err != nil {
		panic(err)
	}

	files, err := snapshot.Files(context.Background(), os.DirFS(dir), ".")
	if err != nil {
		panic(err)
	}
	newest := snapshot.Newest(files, nil)
	fmt.Println(newest.Name, newest.Kind, newest.Verdict, newest.Metadata.ConfState.Voters)
	read, err := snapshot.Read(os.DirFS(dir), ".", newest.ID)
	if err != nil {
		panic(err)
	}
	if store, err = snapshot.ParseStore(read.Data); err != nil {
		panic(err)
	}
	m, err := store.Membership()
	fmt.Printf("%x %v %s %v\n", m.Members[0].ID, m.Members[0].PeerURLs, m.Version, err)
	// Output:
	// 0000000000000003-00000000000003e8.snap snapshot ok [10276657743932975437]
	// 8e9e05c52164694d [http://localhost:2380] 3.5.0 <nil>
}
