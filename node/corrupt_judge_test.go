package node

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

func said(member uint64, revision, compacted int64, hash uint32) peerHash {
	return peerHash{member: member, answer: &etcdserverpb.HashKVResponse{
		Header: &etcdserverpb.ResponseHeader{Revision: revision}, CompactRevision: compacted, Hash: hash,
	}}
}

func TestFindMinority(t *testing.T) {
	own := mvcc.KeyValueHash{Hash: 10, Revision: 9, CompactRevision: 5}
	for _, c := range []struct {
		name  string
		peers []peerHash
		wrong []uint64
		all   bool
	}{
		{"all agree", []peerHash{said(2, 9, 5, 10), said(3, 9, 5, 10)}, nil, true},
		{"one is silent", []peerHash{said(2, 9, 5, 10), {member: 3}}, nil, false},
		{"one is compacted further", []peerHash{said(2, 9, 5, 10), said(3, 9, 6, 11)}, nil, false},
		{"one of three", []peerHash{said(2, 9, 5, 10), said(3, 9, 5, 11)}, []uint64{3}, true},
		{"the leader", []peerHash{said(2, 9, 5, 11), said(3, 9, 5, 11)}, []uint64{1}, true},
		{"one of two", []peerHash{said(2, 9, 5, 11)}, []uint64{0}, true},
		{"all differ", []peerHash{said(2, 9, 5, 11), said(3, 9, 5, 12)}, []uint64{0}, true},
		{"one differs, one is silent", []peerHash{said(2, 9, 5, 11), {member: 3}}, []uint64{0}, true},
		{"two of five", []peerHash{said(2, 9, 5, 10), said(3, 9, 5, 11), said(4, 9, 5, 10), said(5, 9, 5, 12)},
			[]uint64{3, 5}, true},
	} {
		wrong, all := findMinority(1, own, c.peers)
		if diff := cmp.Diff(c.wrong, wrong); diff != "" || all != c.all {
			t.Errorf("%s: members %v, all %v, want %v, %v", c.name, wrong, all, c.wrong, c.all)
		}
	}
}

func TestFindCorrupt(t *testing.T) {
	hash := mvcc.KeyValueHash{Hash: 10, Revision: 9, CompactRevision: 5}
	other, later, compacted := hash, hash, hash
	other.Hash = 11
	later.Hash, later.Revision = 12, 11
	compacted.CompactRevision = 7
	for _, c := range []struct {
		name   string
		own    ownHashes
		peers  []peerHash
		member uint64
	}{
		{"all agree", ownHashes{hash, hash, 9}, []peerHash{said(2, 9, 5, 10), said(3, 9, 5, 10)}, 0},
		{"one is behind, and can't say", ownHashes{hash, hash, 9}, []peerHash{{member: 2}}, 0},
		{"one is compacted less", ownHashes{hash, hash, 9}, []peerHash{said(2, 9, 4, 12)}, 0},
		{"another hash", ownHashes{hash, later, 11}, []peerHash{said(2, 9, 5, 10), said(3, 9, 5, 11)}, 3},
		{"the leader has two hashes", ownHashes{hash, other, 9}, []peerHash{said(2, 9, 5, 10)}, 1},
		{"ahead of the leader", ownHashes{hash, hash, 9}, []peerHash{said(2, 10, 5, 10)}, 2},
		{"as far as the leader since", ownHashes{hash, later, 11}, []peerHash{said(2, 11, 5, 10)}, 0},
		{"compacted beyond the leader", ownHashes{hash, hash, 9}, []peerHash{said(2, 9, 6, 12)}, 2},
		{"compacted as the leader since", ownHashes{hash, compacted, 9}, []peerHash{said(2, 9, 7, 12)}, 0},
	} {
		if member, why := findCorrupt(1, c.own, c.peers); member != c.member || (why == "") != (c.member == 0) {
			t.Errorf("%s: member %d, %q, want %d", c.name, member, why, c.member)
		}
	}
}
