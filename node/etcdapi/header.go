package etcdapi

import pb "go.etcd.io/etcd/api/v3/etcdserverpb"

// header returns a header without a revision, as etcd's answers about the membership have it.
func (s *service) header() *pb.ResponseHeader {
	h := &pb.ResponseHeader{}
	s.identify(h)
	return h
}

// fill completes a header. A revision that the state machine gave stays.
func (s *service) fill(h *pb.ResponseHeader) {
	if h == nil {
		return
	}
	s.identify(h)
	if h.Revision == 0 {
		h.Revision = s.node.Store().KV().Rev()
	}
}

func (s *service) identify(h *pb.ResponseHeader) {
	h.ClusterId = s.node.ClusterID()
	h.MemberId = s.node.ID()
	h.RaftTerm = s.node.Status().Term
}
