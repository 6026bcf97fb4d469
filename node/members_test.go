package node

import "testing"

// As in etcd, a voter may be added where the quorum that counts it is healthy without it. Not all have to be.
func TestMayGrow(t *testing.T) {
	for _, c := range []struct {
		healthy, voters int
		want            bool
	}{
		{1, 1, true},
		{1, 2, false}, {2, 2, true},
		{2, 3, false}, {3, 3, true},
		{2, 4, false}, {3, 4, true},
		{3, 5, false}, {4, 5, true},
	} {
		if got := mayGrow(c.healthy, c.voters); got != c.want {
			t.Errorf("%d of %d voters are healthy: %v, want %v", c.healthy, c.voters, got, c.want)
		}
	}
}
