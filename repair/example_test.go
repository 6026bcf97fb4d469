package repair_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// A bit has flipped in a log. The plan says which, and what that costs.
func ExampleNewPlan() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	segment := filepath.Join(dir, "member", "wal", "0000000000000000-0000000000000000.wal")
	_ = os.MkdirAll(filepath.Join(dir, "member"), 0o700)
	w, err := wal.Create(nil, filepath.Dir(segment), wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for index := uint64(1); index <= 3; index++ {
		entry := raftpb.Entry{Term: 1, Index: index, Data: []byte("something to remember")}
		_ = w.Append(raftpb.HardState{Term: 1, Vote: 1, Commit: index}, []raftpb.Entry{entry})
	}
	_ = w.Close()
	b, _ := os.ReadFile(segment)
	b[200] ^= 1
	_ = os.WriteFile(segment, b, 0o600)

	m, err := repair.Open(context.Background(), dir, repair.OpenOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = m.Close() }()
	plan, err := repair.NewPlan(context.Background(), m, repair.PlanOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range plan.Steps {
		fmt.Println(s.Remedy, s.Does)
	}
	fmt.Println(plan.Status, &plan.Cost)
	// Output:
	// correct 0000000000000000-0000000000000000.wal: offset 200: 07 becomes 06
	// repair no entry is lost
}
