package kv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// request is an entry of term 1 that holds a request.
func request(index uint64, r *etcdserverpb.InternalRaftRequest) raftpb.Entry {
	if r.Header == nil {
		r.Header = &etcdserverpb.RequestHeader{ID: index}
	}
	b, err := proto.Marshal(r)
	if err != nil {
		panic(err) // a request of a test's own
	}
	return raftpb.Entry{Term: 1, Index: index, Data: b}
}

func put(index uint64, key, value string) raftpb.Entry {
	return request(index, &etcdserverpb.InternalRaftRequest{
		Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(value)},
	})
}

func del(index uint64, key, end string) raftpb.Entry {
	return request(index, &etcdserverpb.InternalRaftRequest{
		DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)},
	})
}

func compaction(index uint64, rev int64) raftpb.Entry {
	return request(index, &etcdserverpb.InternalRaftRequest{
		Compaction: &etcdserverpb.CompactionRequest{Revision: rev},
	})
}

func grant(index uint64, id, ttl int64) raftpb.Entry {
	return request(index, &etcdserverpb.InternalRaftRequest{
		LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id, TTL: ttl},
	})
}

// change is an entry that asks for a change of the membership.
func change(index uint64, cc raftpb.ConfChange) raftpb.Entry {
	cc.ID = index
	return raftpb.Entry{Term: 1, Index: index, Type: raftpb.EntryConfChange, Data: cc.Marshal(raftpb.FlavorGogo)}
}

// describe is the context of a change: a member, and other fields.
func describe(id uint64, more string) []byte {
	return fmt.Appendf(nil, `{"id":%d,"peerURLs":["http://m%d:2380"]%s}`, id, id, more)
}

func addMember(index, id uint64) raftpb.Entry {
	return change(index, raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: id, Context: describe(id, "")})
}

func addLearner(index, id uint64) raftpb.Entry {
	return change(index, raftpb.ConfChange{
		Type: raftpb.ConfChangeAddLearnerNode, NodeID: id, Context: describe(id, `,"isLearner":true`),
	})
}

func removeMember(index, id uint64) raftpb.Entry {
	return change(index, raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: id})
}

// small opens a store with a member, two keys and a lease, of which entry 4 is the last.
func small(t testing.TB, dir string, o kv.Options) *kv.Store {
	t.Helper()
	o.Member, o.Cluster, o.NoSync, o.BcryptCost = 1, 2, true, 4
	s, err := kv.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Applied().Index == 0 {
		apply(t, s, []raftpb.Entry{addMember(1, 1), grant(2, 7, 60), put(3, "a", "1"), put(4, "b", "2")})
	}
	return s
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// metadataContext is the context of a client's call with a token.
func metadataContext(t testing.TB, token string) context.Context {
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs("token", token))
}
