package repairtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
)

// cluster is the history of a cluster: what its members agreed upon, and what some of them held for a while.
type cluster struct {
	rng     *rand.Rand
	release string
	id      uint64
	voters  []uint64
	peers   []etcdtest.Peer

	truth     []proposal // from index 1 on; those behind committed may yet be overwritten
	committed uint64
	// strays are what the leader of the term before had at an index where a term begins, and most
	// members never got.
	strays map[uint64][]proposal

	learner       uint64            // a member that is added and removed again
	added, gone   uint64            // the entries that do so; 0: never
	left          map[uint64]uint64 // the entries that removed voters
	alone         uint64            // the entry that removed the last but one
	dbs           map[uint64][]byte
	membersMade   int
	proposalsMade int
}

// proposal is an entry, whatever member holds it.
type proposal struct {
	raftpb.EntryID
	Type raftpb.EntryType
	Data []byte
}

const (
	firstVoter = 0x8e9e05c52164694d
	clusterID  = 0xcdf818194e3a8c32
)

// newCluster makes the history of a cluster of some members: entries that a real etcd can apply.
func newCluster(rng *rand.Rand, release string, peers []etcdtest.Peer) *cluster {
	c := &cluster{rng: rng, release: release, id: clusterID + rng.Uint64N(1000), peers: peers,
		strays: map[uint64][]proposal{}, dbs: map[uint64][]byte{}, learner: firstVoter + 100, left: map[uint64]uint64{}}
	for i := range peers {
		c.voters = append(c.voters, firstVoter+uint64(i))
	}
	for i := range peers {
		c.change(1, raftpb.ConfChangeAddNode, c.voters[i], fmt.Sprintf(`{"id":%d,"peerURLs":[%q],"name":%q}`,
			c.voters[i], peers[i].URL, peers[i].Name))
	}
	n := 40 + rng.IntN(120)
	for term := uint64(2); len(c.truth) < n; term += 1 + uint64(rng.IntN(2)) {
		c.rule(term, 5+rng.IntN(60))
	}
	c.committed = uint64(len(c.truth) - rng.IntN(4))
	return c
}

// shrink removes all members but the first, so that it can be started alone.
func (c *cluster) shrink() {
	term := c.truth[c.last()-1].Term
	for _, id := range c.voters[1:] {
		c.change(term, raftpb.ConfChangeRemoveNode, id, "")
		c.left[id], c.alone = c.last(), c.last()
	}
	for range 3 + c.rng.IntN(20) {
		c.propose(term, raftpb.EntryNormal, c.request())
	}
	c.committed = c.last()
}

// rule appends what a leader brings about in its term.
func (c *cluster) rule(term uint64, n int) {
	if c.last() > uint64(len(c.peers)) && len(c.peers) > 1 && c.rng.IntN(2) == 0 {
		c.strays[c.last()+1] = c.stray(c.truth[c.last()-1].Term, c.last())
	}
	c.propose(term, raftpb.EntryNormal, nil)
	for range n {
		switch {
		case c.added == 0 && c.rng.IntN(20) == 0:
			c.change(term, raftpb.ConfChangeAddLearnerNode, c.learner,
				fmt.Sprintf(`{"id":%d,"peerURLs":["http://127.0.0.1:1"],"isLearner":true}`, c.learner))
			c.added = c.last()
		case c.added > 0 && c.gone == 0 && c.rng.IntN(10) == 0:
			c.change(term, raftpb.ConfChangeRemoveNode, c.learner, "")
			c.gone = c.last()
		default:
			c.propose(term, raftpb.EntryNormal, c.request())
		}
	}
}

// stray makes some entries of a term behind an entry, which a later leader overwrites.
func (c *cluster) stray(term, after uint64) (list []proposal) {
	for i := range 1 + c.rng.IntN(4) {
		id := raftpb.EntryID{Term: term, Index: after + 1 + uint64(i)}
		list = append(list, proposal{id, raftpb.EntryNormal, c.request()})
	}
	return list
}

func (c *cluster) last() uint64 { return uint64(len(c.truth)) }

func (c *cluster) propose(term uint64, t raftpb.EntryType, data []byte) {
	c.truth = append(c.truth, proposal{raftpb.EntryID{Term: term, Index: c.last() + 1}, t, data})
}

func (c *cluster) change(term uint64, t raftpb.ConfChangeType, id uint64, context string) {
	c.proposalsMade++
	cc := raftpb.ConfChange{ID: uint64(c.proposalsMade), Type: t, NodeID: id}
	if context != "" {
		cc.Context = []byte(context)
	}
	c.propose(term, raftpb.EntryConfChange, cc.Marshal(raftpb.FlavorGogo))
}

// request is a write of a client, as etcd encodes it.
func (c *cluster) request() []byte {
	c.proposalsMade++
	r := &pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: 0x6e70_0000_0000_0000 | uint64(c.proposalsMade)}}
	key := fmt.Appendf(nil, "k/%02d", c.rng.IntN(30))
	if c.rng.IntN(12) == 0 {
		r.DeleteRange = &pb.DeleteRangeRequest{Key: key}
	} else {
		r.Put = &pb.PutRequest{Key: key, Value: c.value()}
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("encode a request: %v", err))
	}
	return b
}

// value is mostly short, sometimes longer than a sector or a page, and now and then full of zeros, which
// makes a changed record look like one that was never written.
func (c *cluster) value() []byte {
	kind := c.rng.IntN(100)
	size := 1 + c.rng.IntN(60)
	switch {
	case kind < 3:
		size = 4000 + c.rng.IntN(5000)
	case kind < 10:
		size = 1000 + c.rng.IntN(2000)
	case kind < 30:
		size = 100 + c.rng.IntN(600)
	}
	b := fmt.Appendf(nil, "v%d ", c.proposalsMade)
	for len(b) < size {
		b = append(b, byte(c.rng.Uint32()))
	}
	if kind < 10 && c.rng.IntN(3) == 0 {
		clear(b[8 : len(b)-8])
	}
	return b
}

// keys returns the keys and values as of an entry, as clients see them, if some entries are lost.
func (c *cluster) keys(upTo uint64, lost func(index uint64) bool) map[string]string {
	keys := map[string]string{}
	for _, e := range c.truth[:upTo] {
		if lost(e.Index) || e.Type != raftpb.EntryNormal || len(e.Data) == 0 {
			continue
		}
		r := new(pb.InternalRaftRequest)
		if err := proto.Unmarshal(e.Data, r); err != nil {
			panic(fmt.Sprintf("entry %v: %v", e.EntryID, err))
		}
		if r.Put != nil {
			keys[string(r.Put.Key)] = string(r.Put.Value)
		} else {
			delete(keys, string(r.DeleteRange.Key))
		}
	}
	return keys
}

// membersAt are the voters as of an entry, by their numbers.
func (c *cluster) membersAt(index uint64) (list []int) {
	for i, id := range c.voters {
		if left := c.left[id]; uint64(i) < index && (left == 0 || index < left) {
			list = append(list, i)
		}
	}
	return list
}

// confState is the membership as of an entry.
func (c *cluster) confState(index uint64) *raftpb.ConfState {
	s := new(raftpb.ConfState)
	for _, i := range c.membersAt(index) {
		s.Voters = append(s.Voters, c.voters[i])
	}
	if c.added > 0 && c.added <= index && (c.gone == 0 || index < c.gone) {
		s.Learners = []uint64{c.learner}
	}
	return s
}

// snapshot is the content of the .snap file of an entry.
func (c *cluster) snapshot(id raftpb.EntryID) (name string, b []byte) {
	store, err := snapshot.NewStore(c.membership(id.Index))
	if err == nil {
		b, err = snapshot.Encode(&raftpb.Snapshot{Data: store.AppendJSON(nil), Metadata: raftpb.SnapshotMetadata{
			ConfState: *c.confState(id.Index), Index: id.Index, Term: id.Term}}, raftpb.FlavorGogo)
	}
	if err != nil {
		panic(fmt.Sprintf("snapshot of %v: %v", id, err))
	}
	return snapshot.FileName(id), b
}

// membership is what the store has as of an entry.
func (c *cluster) membership(index uint64) (m snapshot.Membership) {
	for _, i := range c.membersAt(index) {
		m.Members = append(m.Members, snapshot.Member{ID: c.voters[i], Name: c.peers[i].Name,
			PeerURLs: []string{c.peers[i].URL}, ClientURLs: []string{"http://127.0.0.1:2"}})
	}
	if c.added > 0 && c.added <= index && (c.gone == 0 || index < c.gone) {
		m.Members = append(m.Members, snapshot.Member{ID: c.learner, PeerURLs: []string{"http://127.0.0.1:1"}, Learner: true})
	}
	for _, id := range c.voters {
		if left := c.left[id]; left > 0 && left <= index {
			m.Removed = append(m.Removed, id)
		}
	}
	if c.gone > 0 && c.gone <= index {
		m.Removed = append(m.Removed, c.learner)
	}
	return m
}

// sortedKeys returns the keys of a map, sorted.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
