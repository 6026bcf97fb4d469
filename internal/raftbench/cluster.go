package raftbench

import (
	"fmt"
	"testing"
)

// cluster is a group of members whose messages are delivered in order, and without loss but for
// members that are cut off.
type cluster[M any] struct {
	impl   *Implementation[M]
	nodes  []Node[M]
	inbox  [][]M
	out    []M
	cutOff int // the member that gets no messages, -1 for none
}

func newCluster[M any](tb testing.TB, impl *Implementation[M], n int) *cluster[M] {
	tb.Helper()
	c := &cluster[M]{impl: impl, inbox: make([][]M, n), cutOff: -1}
	voters := make([]uint64, n)
	for i := range voters {
		voters[i] = uint64(i) + 1
	}
	for _, id := range voters {
		node, err := impl.New(Config{
			ID: id, Voters: voters, ElectionTick: 10, HeartbeatTick: 1,
			MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 512,
		})
		if err != nil {
			tb.Fatal(err)
		}
		c.nodes = append(c.nodes, node)
	}
	return c
}

// elect makes the first member leader.
func (c *cluster[M]) elect(tb testing.TB) {
	tb.Helper()
	if err := c.nodes[0].Campaign(); err != nil {
		tb.Fatal(err)
	}
	c.settle(tb)
}

// round has each member do the work that it has, and hands over the messages that come of it. It
// reports whether there was any.
func (c *cluster[M]) round(tb testing.TB) bool {
	tb.Helper()
	busy := false
	for i, node := range c.nodes {
		var more bool
		if c.out, more = node.Work(c.out[:0]); !more {
			continue
		}
		busy = true
		for j := range c.out {
			if to := int(c.impl.To(&c.out[j])) - 1; to != c.cutOff && i != c.cutOff {
				c.inbox[to] = append(c.inbox[to], c.out[j])
			}
		}
	}
	for i := range c.inbox {
		for j := range c.inbox[i] {
			if err := c.nodes[i].Step(&c.inbox[i][j]); err != nil {
				tb.Fatal(err)
			}
		}
		busy = busy || len(c.inbox[i]) > 0
		c.inbox[i] = c.inbox[i][:0]
	}
	return busy
}

func (c *cluster[M]) settle(tb testing.TB) {
	tb.Helper()
	for c.round(tb) {
	}
}

// propose has the leader take n proposals, with at most pipeline of them on their way, and waits
// until all are applied at the leader.
func (c *cluster[M]) propose(tb testing.TB, n, pipeline int, data func() []byte) {
	tb.Helper()
	leader := c.nodes[0]
	start := leader.Committed()
	compacted := 0
	for proposed := 0; leader.Committed()-start < n; {
		done := leader.Committed() - start
		for ; proposed < n && proposed-done < pipeline; proposed++ {
			if err := leader.Propose(data()); err != nil {
				tb.Fatal(err)
			}
		}
		if !c.round(tb) {
			tb.Fatal(fmt.Errorf("stuck with %d of %d proposals applied", done, n))
		}
		if done-compacted >= compactEvery {
			compacted = done
			c.compact(tb)
		}
	}
}

// compactEvery is the number of proposals after which logs are compacted, so that they stay of a
// size that logs have.
const (
	compactEvery = 20_000
	compactKeep  = 5_000
)

func (c *cluster[M]) compact(tb testing.TB) {
	for i, node := range c.nodes {
		if i == c.cutOff || c.cutOff >= 0 {
			continue
		}
		if err := node.Compact(compactKeep); err != nil {
			tb.Fatal(err)
		}
	}
}
