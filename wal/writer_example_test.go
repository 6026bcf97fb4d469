package wal_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// A member writes what the consensus core hands it, and finds it again after a restart.
func ExampleWriter() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := writeAndReopen(filepath.Join(dir, "wal")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// member 8e9e05c52164694d, term 1, commit 1
	// entry 1 (term 1) ""
	// entry 2 (term 1) "x=1"
	// the next entry gets index 3
}

func writeAndReopen(dir string) error {
	w, err := wal.Create(nil, dir, wal.CreateOptions{
		Metadata: wal.Metadata{NodeID: 0x8e9e05c52164694d, ClusterID: 0xcdf818194e3a8c32},
	})
	if err != nil {
		return err
	}
	entries := []raftpb.Entry{{Term: 1, Index: 1}, {Term: 1, Index: 2, Data: []byte("x=1")}}
	if err := w.Append(raftpb.HardState{Term: 1, Commit: 1}, entries); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	w, recovered, err := wal.OpenForAppend(nil, dir, wal.AppendOptions{})
	if err != nil {
		return err
	}
	state := recovered.State
	fmt.Printf("member %x, term %d, commit %d\n", recovered.Metadata.NodeID, state.Term, state.Commit)
	for _, e := range recovered.Entries {
		fmt.Printf("entry %v %q\n", e.ID(), e.Data)
	}
	fmt.Println("the next entry gets index", w.Last()+1)
	return w.Close()
}
