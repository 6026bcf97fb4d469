package logs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// The first member was down when entry 3 was overwritten, the second one has no entries before 3. Together they
// tell what the cluster committed.
func ExampleJoin() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	first, second := filepath.Join(dir, "m1"), filepath.Join(dir, "m2")
	write(first, wal.SegmentName{}, 1, raftpb.Entry{Term: 1, Index: 1, Data: []byte("a=1")},
		raftpb.Entry{Term: 1, Index: 2, Data: []byte("b=1")}, raftpb.Entry{Term: 1, Index: 3, Data: []byte("lost")})
	write(second, wal.SegmentName{Seq: 1, Index: 2}, 4, raftpb.Entry{Term: 1, Index: 2, Data: []byte("b=1")},
		raftpb.Entry{Term: 2, Index: 3}, raftpb.Entry{Term: 2, Index: 4, Data: []byte("b=2")})

	ctx := context.Background()
	sources, err := logs.OpenAll(ctx, []string{first, second}, logs.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = logs.CloseAll(sources) }()
	for _, s := range sources {
		s.Name = filepath.Base(s.Name)
	}
	joined, err := logs.Join(sources, logs.JoinOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("committed up to", joined.Commit())
	r, err := joined.Range(0, joined.Commit().Index)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, run := range r.Runs() {
		fmt.Printf("%s gives %d..%d\n", run.Source.Name, run.First, run.Last)
	}
	for e, err := range r.Entries(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v %q\n", e.ID(), e.Data)
	}
	// Output:
	// committed up to 4 (term 2) by the hard state of m2
	// m1 gives 1..2
	// m2 gives 3..4
	// 1 (term 1) "a=1"
	// 2 (term 1) "b=1"
	// 3 (term 2) ""
	// 4 (term 2) "b=2"
}

// write makes a log with some entries, and a hard state that commits up to an index.
func write(dir string, begin wal.SegmentName, commit uint64, entries ...raftpb.Entry) {
	w, err := wal.Create(nil, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}, First: begin})
	if err != nil {
		fmt.Println(err)
		return
	}
	state := raftpb.HardState{Term: entries[len(entries)-1].Term, Commit: commit}
	if err := w.Append(state, entries); err != nil {
		fmt.Println(err)
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
}
