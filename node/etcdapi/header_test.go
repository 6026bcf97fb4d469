package etcdapi

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node"
)

// TestFill leaves the revision at which something was read, also when there are later ones.
func TestFill(t *testing.T) {
	t.Parallel()
	n, endpoint := startNode(t, node.Config{}, Options{})
	dial(t, endpoint).answer(t, row{r: put("a", "1")})
	s := newService(n, Options{})
	for _, test := range []struct{ revision, want int64 }{{1, 1}, {0, 2}} {
		h := &pb.ResponseHeader{Revision: test.revision}
		s.fill(h)
		if h.Revision != test.want || h.MemberId != n.ID() || h.ClusterId != n.ClusterID() || h.RaftTerm == 0 {
			t.Errorf("revision %d: filled %v, want %d", test.revision, h, test.want)
		}
	}
}
