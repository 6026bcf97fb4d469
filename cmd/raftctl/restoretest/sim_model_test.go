package restoretest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/raftpb"
)

// simKeys are the keys: those below "p" are put in transactions, those below "d" deleted in them, so that a
// transaction never does both to one key, which etcd refuses before it comes into the log.
var simKeys = []string{"p", "p/1", "p/2", "p/1x", "\xffp\x00", "d", "d/1", "d/2", "d/ü", "d/1\x1b[31m", "\xff\xff"}

func (c *simCluster) simKey(first string) []byte {
	for {
		if k := simKeys[c.rng.IntN(len(simKeys))]; strings.HasPrefix(k, first) {
			return []byte(k)
		}
	}
}

func (c *simCluster) put(first string) *pb.PutRequest {
	c.n++
	return &pb.PutRequest{Key: c.simKey(first), Value: fmt.Appendf(nil, "v%d", c.n)}
}

func (c *simCluster) del(first string) *pb.DeleteRangeRequest {
	r := &pb.DeleteRangeRequest{Key: c.simKey(first)}
	switch c.rng.IntN(6) {
	case 0:
		r = &pb.DeleteRangeRequest{Key: []byte("d/"), RangeEnd: []byte("d0")}
	case 1:
		if first == "" {
			r.RangeEnd = []byte{0} // all from the key on
		}
	}
	return r
}

// txn is a transaction that may have another one in it.
func (c *simCluster) txn(depth int) *pb.TxnRequest {
	branch := func() (ops []*pb.RequestOp) {
		used := map[string]bool{}
		for range c.rng.IntN(3) {
			if put := c.put("p"); !used[string(put.Key)] {
				used[string(put.Key)] = true
				ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}})
			}
		}
		for range c.rng.IntN(3) {
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: c.del("d")}})
		}
		if len(used) == 0 && depth > 0 {
			ops = append(ops, &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: c.txn(depth - 1)}})
		}
		return ops
	}
	r := &pb.TxnRequest{Success: branch(), Failure: branch()}
	if c.rng.IntN(4) > 0 {
		r.Compare = []*pb.Compare{{Result: pb.Compare_GREATER, Target: pb.Compare_VERSION, Key: c.simKey(""),
			TargetUnion: &pb.Compare_Version{Version: c.rng.Int64N(3)}}}
	}
	return r
}

// renewal is how a Kubernetes node renews its lease.
func (c *simCluster) renewal() *pb.PutRequest {
	node := fmt.Sprintf("n%d", c.rng.IntN(3))
	at := c.now.Add(-time.Duration(c.rng.IntN(300)) * time.Millisecond)
	return &pb.PutRequest{Key: []byte("/registry/leases/kube-node-lease/" + node), Value: fmt.Appendf(nil,
		`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":%q,"namespace":"kube-node-lease",`+
			`"creationTimestamp":%q},"spec":{"holderIdentity":%q,"leaseDurationSeconds":40,"renewTime":%q}}`,
		node, simBegin.Format(time.RFC3339), node, at.Format("2006-01-02T15:04:05.000000Z"))}
}

// requestID is one as a server gives it that was started an hour before.
func (c *simCluster) requestID() uint64 {
	c.n++
	member, started := 1+c.rng.Uint64N(3), uint64(simBegin.Add(-time.Hour).UnixMilli())
	return member<<48 | started&(1<<40-1)<<8 + uint64(c.n)
}

// request is an entry with a random request.
func (c *simCluster) request() simEntry {
	r := &pb.InternalRaftRequest{Header: &pb.RequestHeader{ID: c.requestID()}}
	lease := 1 + c.rng.Int64N(4)
	c.now = c.now.Add(time.Duration(c.rng.IntN(10000)) * time.Millisecond)
	if c.rng.IntN(400) == 0 {
		c.now = c.now.Add(time.Hour) // nothing is written for so long
	}
	switch c.rng.IntN(36) {
	case 0, 1, 2:
		r.DeleteRange = c.del("")
	case 3, 4, 5:
		r.Txn = c.txn(2)
	case 6, 7:
		r.LeaseGrant = &pb.LeaseGrantRequest{ID: lease, TTL: 100 + c.rng.Int64N(100)}
	case 8:
		r.LeaseRevoke = &pb.LeaseRevokeRequest{ID: lease}
	case 9:
		r.Compaction = &pb.CompactionRequest{Revision: 1 + c.rng.Int64N(int64(2+c.n))}
	case 10:
		r.AuthUserAdd = &pb.AuthUserAddRequest{Name: fmt.Sprint("u", lease), HashedPassword: "aGFzaA==",
			Options: &authpb.UserAddOptions{}}
	case 11:
		r.AuthUserDelete = &pb.AuthUserDeleteRequest{Name: fmt.Sprint("u", lease)}
	case 12:
		alarm := &pb.AlarmRequest{MemberID: simMemberID, Alarm: pb.AlarmType_NOSPACE}
		if alarm.Action = pb.AlarmRequest_DEACTIVATE; c.rng.IntN(3) == 0 {
			alarm.Action = pb.AlarmRequest_ACTIVATE
		}
		r.Alarm = alarm
	case 13:
		return simEntry{}
	case 14:
		cc := raftpb.ConfChange{Type: raftpb.ConfChangeUpdateNode, NodeID: simMemberID, Context: fmt.Appendf(nil,
			`{"id":%d,"peerURLs":["http://h%d:2380"],"name":"m1"}`, uint64(simMemberID), c.n)}
		return simEntry{Type: raftpb.EntryConfChange, Data: string(cc.Marshal(raftpb.FlavorGogo))}
	case 15, 16, 17:
		r.Put = c.put("")
		r.Put.Lease = lease
	case 18:
		r.Put = c.put("")
		r.Put.IgnoreValue, r.Put.Value = true, nil
	case 19:
		r.Put = c.put("")
		r.Put.IgnoreLease = true
	case 20, 21, 22, 23, 24:
		r.Put = c.put("")
	default:
		r.Put = c.renewal()
	}
	b, err := proto.Marshal(r)
	c.must(err)
	return simEntry{Data: string(b)}
}

// simState is what clients see after an entry.
type simState struct {
	term           uint64
	rev, compacted int64
	keys           map[string]key
	leases         map[int64]int64 // TTL by ID
	users          map[string]bool
	full           bool     // NOSPACE
	gone           []string // keys that the entry deleted
	changed        bool     // it wrote
}

func newSimState() simState {
	return simState{rev: 1, compacted: -1, keys: map[string]key{}, leases: map[int64]int64{}, users: map[string]bool{}}
}

// states are those after each entry, from none on.
func simStates(entries []simEntry) []simState {
	s := newSimState()
	list := []simState{s}
	for _, e := range entries {
		s.keys, s.leases, s.users, s.gone, s.changed = maps.Clone(s.keys), maps.Clone(s.leases), maps.Clone(s.users), nil, false
		s.term = e.Term
		s.apply(e)
		list = append(list, s)
	}
	return list
}

func (s *simState) apply(e simEntry) {
	var r pb.InternalRaftRequest
	if e.Type != raftpb.EntryNormal || e.Data == "" {
		return
	}
	if err := proto.Unmarshal([]byte(e.Data), &r); err != nil {
		panic(err)
	}
	switch {
	case r.Put != nil:
		if old, ok := s.keys[string(r.Put.Key)]; !s.full && (ok || !r.Put.IgnoreValue && !r.Put.IgnoreLease) {
			if _, granted := s.leases[r.Put.Lease]; granted || r.Put.Lease == 0 {
				s.put(r.Put, old)
			}
		}
	case r.DeleteRange != nil:
		s.del(r.DeleteRange)
	case r.Txn != nil:
		if !s.full || !puts(r.Txn) {
			s.txn(r.Txn)
		}
	case r.LeaseGrant != nil:
		if _, granted := s.leases[r.LeaseGrant.ID]; !granted && !s.full {
			s.leases[r.LeaseGrant.ID] = r.LeaseGrant.TTL
		}
	case r.LeaseRevoke != nil:
		for name, k := range s.keys {
			if k.Lease == r.LeaseRevoke.ID {
				s.remove(name)
			}
		}
		delete(s.leases, r.LeaseRevoke.ID)
	case r.Compaction != nil:
		if at := r.Compaction.Revision; at > s.compacted && at <= s.rev {
			s.compacted = at
		}
	case r.AuthUserAdd != nil:
		s.users[r.AuthUserAdd.Name] = true
	case r.AuthUserDelete != nil:
		delete(s.users, r.AuthUserDelete.Name)
	case r.Alarm != nil:
		s.full = r.Alarm.Action == pb.AlarmRequest_ACTIVATE
	}
	if s.changed {
		s.rev++
	}
}

// puts reports whether a transaction might put a key.
func puts(r *pb.TxnRequest) bool {
	return slices.ContainsFunc(slices.Concat(r.Success, r.Failure), func(op *pb.RequestOp) bool {
		return op.GetRequestPut() != nil || op.GetRequestTxn() != nil && puts(op.GetRequestTxn())
	})
}

func (s *simState) put(r *pb.PutRequest, old key) {
	k := key{Value: string(r.Value), Create: old.Create, Mod: s.rev + 1, Version: old.Version + 1, Lease: r.Lease}
	if r.IgnoreValue {
		k.Value = old.Value
	}
	if r.IgnoreLease {
		k.Lease = old.Lease
	}
	if old.Version == 0 {
		k.Create = s.rev + 1
	}
	s.keys[string(r.Key)], s.changed = k, true
}

func (s *simState) remove(name string) {
	delete(s.keys, name)
	s.gone, s.changed = append(s.gone, name), true
}

func (s *simState) del(r *pb.DeleteRangeRequest) {
	for name := range s.keys {
		switch end := string(r.RangeEnd); {
		case end == "" && name == string(r.Key), end == "\x00" && name >= string(r.Key),
			name >= string(r.Key) && name < end:
			s.remove(name)
		}
	}
}

// txn does a transaction.
func (s *simState) txn(r *pb.TxnRequest) { s.txnOn(r, maps.Clone(s.keys)) }

// txnOn does a transaction, or one within another: all branches are picked by what there was before.
func (s *simState) txnOn(r *pb.TxnRequest, before map[string]key) {
	ops := r.Success
	for _, c := range r.Compare {
		if before[string(c.Key)].Version <= c.GetVersion() {
			ops = r.Failure
		}
	}
	for _, op := range ops {
		switch {
		case op.GetRequestPut() != nil:
			put := op.GetRequestPut()
			s.put(put, s.keys[string(put.Key)])
		case op.GetRequestDeleteRange() != nil:
			s.del(op.GetRequestDeleteRange())
		case op.GetRequestTxn() != nil:
			s.txnOn(op.GetRequestTxn(), before)
		}
	}
}
