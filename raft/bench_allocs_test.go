package raft_test

import (
	"testing"

	"github.com/raftctl/raftctl/internal/raftbench"
)

// In the steady state no message allocates, at the leader or at a follower: only the arrays that
// entries are kept in, which hold hundreds each. A proposal to a group of three takes four messages
// between members.
func TestSteadyStateAllocations(t *testing.T) {
	for _, nodes := range []int{3, 5} {
		propose, beat := raftbench.Steady(t, &raftbench.Ours, nodes)
		if got := testing.AllocsPerRun(100, beat); got != 0 {
			t.Errorf("%d members: got %g allocations per heartbeat, want none", nodes, got)
		}
		const n = 2000
		for _, pipeline := range []int{1, 16, 200} {
			got := testing.AllocsPerRun(5, func() { propose(n, pipeline) }) / n
			if want := 0.05 * float64(nodes); got > want {
				t.Errorf("%d members, %d on their way: got %g allocations per proposal, want <= %g",
					nodes, pipeline, got, want)
			}
			t.Logf("%d members, %d on their way: %g allocations per proposal", nodes, pipeline, got)
		}
	}
}
