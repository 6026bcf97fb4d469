package raft

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestElectAndReplicate(t *testing.T) {
	for _, async := range []bool{false, true} {
		for _, size := range []int{1, 2, 3, 5, 7} {
			t.Run(fmt.Sprintf("members=%d/async=%t", size, async), func(t *testing.T) {
				c := newCluster(t, size, func(cfg *Config) { cfg.AsyncStorageWrites = async })
				c.elect(1)
				var want []string
				for i := range 20 {
					data := fmt.Sprintf("entry %d", i)
					want = append(want, data)
					c.propose(uint64(i%size)+1, data)
				}
				for _, id := range c.ids {
					if diff := cmp.Diff(want, c.nodes[id].applied); diff != "" {
						t.Errorf("member %d applied (-want +got):\n%s", id, diff)
					}
				}
			})
		}
	}
}
