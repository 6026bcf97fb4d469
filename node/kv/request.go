package kv

import (
	"errors"
	"fmt"

	"github.com/coreos/go-semver/semver"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	"go.etcd.io/etcd/server/v3/etcdserver/apply"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"

	"go.etcd.io/etcd/client/pkg/v3/types"

	"github.com/raftctl/raftctl/raftpb"
)

// applyNormal applies an entry that holds a request, or nothing.
func (s *Store) applyNormal(e *raftpb.Entry) error {
	if len(e.Data) == 0 {
		return nil
	}
	req, err := parseRequest(e.Data)
	if err != nil || req == nil {
		return err
	}
	if aboutCluster(req) {
		if s.o.KeepMembers {
			return nil
		}
		if err := s.checkClusterRequest(req); err != nil {
			return err
		}
	}
	id := req.ID
	if id == 0 {
		id = req.Header.GetID()
	}
	waiting := s.o.Waiters != nil && s.o.Waiters.Waiting(id)
	if !waiting && onlyReads(req) {
		return nil
	}
	got := s.applier.Apply(&apply.InternalRaftRequestWrapper{
		InternalRaftRequest: req,
		SkipRangeExecution:  !waiting && req.Txn != nil,
	}, membership.ApplyBoth)
	if got.Physc != nil && s.o.WaitCompaction {
		<-got.Physc
	}
	if s.o.NoSpace != nil && errors.Is(got.Err, etcderrors.ErrNoSpace) {
		s.o.NoSpace()
	}
	if waiting {
		s.o.Waiters.Done(id, Result{Resp: got.Resp, Err: got.Err, Compacted: got.Physc})
	}
	return nil
}

// parseRequest reads the request of an entry, in the form that etcd 3.7 applies; nil for one of the v2
// store that changes nothing else.
func parseRequest(data []byte) (*etcdserverpb.InternalRaftRequest, error) {
	if v2, ok := parseV2(data); ok {
		return v2.toV3()
	}
	req := new(etcdserverpb.InternalRaftRequest)
	if err := proto.Unmarshal(data, req); err != nil {
		return nil, fmt.Errorf("no request: %w", err)
	}
	if !asksFor(req) {
		return nil, fmt.Errorf("%w: a request that asks for nothing that 3.7 knows", errUnknown)
	}
	if req.ID == 0 && req.Header == nil {
		return nil, errors.New("a request without a header")
	}
	return req, nil
}

// asksFor reports whether a request has anything but its ID and header that 3.7 knows.
func asksFor(req *etcdserverpb.InternalRaftRequest) bool {
	m := req.ProtoReflect()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Message() != nil && f.Name() != "header" && m.Has(f) {
			return true
		}
	}
	return false
}

// onlyReads reports whether a request is of no use when nobody waits for its result.
func onlyReads(req *etcdserverpb.InternalRaftRequest) bool {
	return req.Range != nil || req.AuthUserGet != nil || req.AuthRoleGet != nil || req.AuthStatus != nil ||
		req.AuthUserList != nil || req.AuthRoleList != nil
}

// aboutCluster reports whether a request is about members or versions, and not about what clients store.
func aboutCluster(req *etcdserverpb.InternalRaftRequest) bool {
	return req.ClusterVersionSet != nil || req.ClusterMemberAttrSet != nil || req.DowngradeInfoSet != nil ||
		req.DowngradeVersionTest != nil
}

// checkClusterRequest refuses what etcd's membership panics on, now or when it is opened the next time.
func (s *Store) checkClusterRequest(req *etcdserverpb.InternalRaftRequest) error {
	if set := req.ClusterMemberAttrSet; set != nil {
		if id := types.ID(set.Member_ID); s.cluster.Member(id) == nil && !s.cluster.IsIDRemoved(id) {
			return fmt.Errorf("attributes of member %s, which is unknown", id)
		}
	}
	return checkRequest(req)
}

// newest is the release whose libraries these are.
var newest = semver.Must(semver.NewVersion(version.Version))
