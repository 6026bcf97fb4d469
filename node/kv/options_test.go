package kv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/auth"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
	"go.etcd.io/etcd/server/v3/lease"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
)

// waiters keeps the results of those that wait.
type waiters map[uint64]kv.Result

func (w waiters) Waiting(id uint64) bool { return id < 100 }

func (w waiters) Done(id uint64, r kv.Result) { w[id] = r }

// TestWaiters hands over results: of reads too, of what is refused, and of changes of the membership.
func TestWaiters(t *testing.T) {
	w := waiters{}
	s := small(t, t.TempDir(), kv.Options{Waiters: w})
	apply(t, s, []raftpb.Entry{
		request(5, &etcdserverpb.InternalRaftRequest{Range: &etcdserverpb.RangeRequest{Key: []byte("a")}}),
		compaction(6, 2), compaction(7, 2), removeMember(8, 5), addLearner(9, 5), removeMember(10, 5),
		addMember(11, 6), removeMember(12, 1), grant(1013, 9, 9), compaction(14, 99),
	}[:8])
	if r, ok := w[5].Resp.(*etcdserverpb.RangeResponse); !ok || r.Count != 1 || string(r.Kvs[0].Value) != "1" {
		t.Errorf("result of the read: %+v", w[5])
	}
	if r := w[6]; r.Err != nil || r.Compacted == nil {
		t.Errorf("result of the compaction: %+v", r)
	} else {
		<-r.Compacted
	}
	if r := w[7]; r.Err == nil {
		t.Error("the second compaction was not refused")
	}
	if r := w[8]; r.Err == nil || r.ConfChange.NodeID != raftpb.None {
		t.Errorf("result of a removal that was refused: %+v", r)
	}
	if r := w[9]; r.Err != nil || r.ConfChange.NodeID != 5 || r.RemovedSelf {
		t.Errorf("result of an addition: %+v", r)
	}
	if r := w[12]; r.Err != nil || !r.RemovedSelf {
		t.Errorf("result of the removal of this member: %+v", r)
	}
	if w[10].RemovedSelf {
		t.Error("the removal of another member removed this one")
	}
	check(t, s.Close())
}

// TestReadsWithoutWaiters doesn't do what nobody waits for.
func TestReadsWithoutWaiters(t *testing.T) {
	w := waiters{}
	s := small(t, t.TempDir(), kv.Options{Waiters: w})
	e := request(5, &etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: 1000},
		Range:  &etcdserverpb.RangeRequest{Key: []byte("a"), SortOrder: 1, SortTarget: 9},
	})
	apply(t, s, []raftpb.Entry{e})
	if _, done := w[1000]; done || s.Applied().Index != 5 {
		t.Errorf("result %v, entry %v is applied", w[1000], s.Applied())
	}
	check(t, s.Close())
}

// TestConfChange tells Raft of each change before it is in the database, and writes the membership that
// it says.
func TestConfChange(t *testing.T) {
	var told []string
	dir := t.TempDir()
	var s *kv.Store
	fail := false
	o := kv.Options{Member: 1, ConfChange: func(cc raftpb.ConfChange) (raftpb.ConfState, error) {
		if fail {
			return raftpb.ConfState{}, errors.New("not now")
		}
		told = append(told, fmt.Sprintf("%d of %d, %d members", cc.Type, cc.NodeID, len(s.Cluster().Members())))
		return raftpb.ConfState{Voters: []uint64{1, 77}, AutoLeave: true}, nil
	}}
	s, err := kv.Open(dir, o)
	check(t, err)
	apply(t, s, []raftpb.Entry{addMember(1, 1), addLearner(2, 2), removeMember(3, 9)})
	want := []string{"0 of 1, 0 members", "3 of 2, 1 members", "1 of 0, 2 members"}
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
	fail = true
	if _, err := s.Apply([]raftpb.Entry{addMember(4, 4)}); err == nil || !strings.Contains(err.Error(), "not now") {
		t.Errorf("error %v, want that of the callback", err)
	}
	if len(s.Cluster().Members()) != 2 || s.Applied().Index != 3 {
		t.Errorf("%d members, entry %v applied", len(s.Cluster().Members()), s.Applied())
	}
	fail = false
	apply(t, s, []raftpb.Entry{addMember(4, 4)})
	if d := cmp.Diff(raftpb.ConfState{Voters: []uint64{1, 4}, Learners: []uint64{2}}, s.ConfState()); d != "" {
		t.Errorf("by the members: %s", d)
	}
	check(t, s.Close())
	if got := readState(t, dir)["meta"]["confState"]; got != `{"voters":[1,77],"auto_leave":true}` {
		t.Errorf("confState %s", got)
	}
}

// TestKeepMembers applies what a cluster's clients asked for, and passes over what it says of itself.
func TestKeepMembers(t *testing.T) {
	w := waiters{}
	dir := t.TempDir()
	s := small(t, dir, kv.Options{})
	check(t, s.Close())
	before := readState(t, dir)
	s = small(t, dir, kv.Options{KeepMembers: true, Waiters: w})
	apply(t, s, []raftpb.Entry{
		addMember(5, 2), removeMember(6, 1), v2(7, "PUT", "/0/members/99/attributes", "{}"),
		v2(8, "PUT", "/0/version", "9.9.9"), change(9, raftpb.ConfChange{Type: 9}), put(10, "c", "3"),
		request(11, &etcdserverpb.InternalRaftRequest{Alarm: &etcdserverpb.AlarmRequest{Action: 1, MemberID: 5, Alarm: 1}}),
	})
	check(t, s.Close())
	after := readState(t, dir)
	for _, bucket := range []string{"members", "members_removed", "cluster"} {
		same(t, state{bucket: before[bucket]}, state{bucket: after[bucket]})
	}
	if after["meta"]["confState"] != before["meta"]["confState"] {
		t.Error("the ConfState has changed")
	}
	if len(after["key"]) != 3 || len(after["alarm"]) != 1 || after.index() != 11 {
		t.Errorf("%d changes, %d alarms at entry %d", len(after["key"]), len(after["alarm"]), after.index())
	}
}

// TestMaxLearners takes as many learners as it is told to.
func TestMaxLearners(t *testing.T) {
	for most, want := range map[int]int{0: 1, 1: 1, 2: 2} {
		s := small(t, t.TempDir(), kv.Options{MaxLearners: most})
		apply(t, s, []raftpb.Entry{addLearner(5, 5), addLearner(6, 6), addLearner(7, 7)})
		if got := len(s.ConfState().Learners); got != want {
			t.Errorf("%d learners at most: %d, want %d", most, got, want)
		}
		check(t, s.Close())
	}
}

// TestMinLeaseTTL grants a lease for no less than that.
func TestMinLeaseTTL(t *testing.T) {
	for least, want := range map[int64]int64{0: 2, 1: 1, 30: 30} {
		s := small(t, t.TempDir(), kv.Options{MinLeaseTTL: least})
		apply(t, s, []raftpb.Entry{grant(5, 55, 1)})
		if got := s.Lessor().Lookup(55).TTL(); got != want {
			t.Errorf("TTL %d with %d at least, want %d", got, least, want)
		}
		check(t, s.Close())
	}
}

// TestQuota answers that there is no room, though it has applied the put, as every other member has.
func TestQuota(t *testing.T) {
	for quota, want := range map[int64]error{0: nil, -1: nil, 10_000: etcderrors.ErrNoSpace} {
		w := waiters{}
		s := small(t, t.TempDir(), kv.Options{QuotaBytes: quota, Waiters: w})
		apply(t, s, []raftpb.Entry{put(5, "a", strings.Repeat("x", 9000))})
		if !errors.Is(w[5].Err, want) || s.KV().Rev() != 4 {
			t.Errorf("quota %d: error %v at revision %d, want %v", quota, w[5].Err, s.KV().Rev(), want)
		}
		check(t, s.Close())
	}
}

// TestWaitCompaction has no compaction under way when Apply returns.
func TestWaitCompaction(t *testing.T) {
	dir := t.TempDir()
	s := small(t, dir, kv.Options{WaitCompaction: true})
	var es []raftpb.Entry
	for i := uint64(5); i < 2500; i++ {
		es = append(es, put(i, "a", "x"))
	}
	apply(t, s, append(es, compaction(2500, 2400)))
	left := readState(t, snapshotOf(t, s))
	if n := len(left["key"]); n != 100 || left["meta"]["finishedCompactRev"] == "" {
		t.Errorf("%d changes are left", n)
	}
	check(t, s.Close())
}

// TestHashAfterCompactionOfNothing compacts up to revision 0, which etcd takes, and asks for the hash.
func TestHashAfterCompactionOfNothing(t *testing.T) {
	s := small(t, t.TempDir(), kv.Options{WaitCompaction: true})
	want, _, err := s.HashKV(0)
	check(t, err)
	apply(t, s, []raftpb.Entry{compaction(5, 0)})
	got, _, err := s.HashKV(0)
	if err != nil || got.Hash != want.Hash || got.Revision != want.Revision {
		t.Errorf("hash %+v, error %v, want %+v", got, err, want)
	}
	check(t, s.Close())
}

// TestBatch ends transactions as it is told to.
func TestBatch(t *testing.T) {
	for name, c := range map[string]struct {
		o    kv.Options
		want uint64 // the entry that is on the disk
	}{
		"limit":    {kv.Options{BatchInterval: time.Hour, BatchLimit: 2}, 9},
		"none":     {kv.Options{BatchInterval: time.Hour}, 0},
		"interval": {kv.Options{BatchInterval: time.Millisecond}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := small(t, dir, c.o)
			for i := uint64(5); i <= 10; i++ {
				apply(t, s, []raftpb.Entry{put(i, "a", "x")})
			}
			got := readState(t, copyDB(t, dir)).index()
			for c.o.BatchInterval < time.Hour && got < c.want {
				got = readState(t, copyDB(t, dir)).index()
			}
			if got > 10 || got < c.want || name == "none" && got > 4 {
				t.Errorf("entry %d is on the disk, want %d", got, c.want)
			}
			check(t, s.Commit())
			if got := readState(t, copyDB(t, dir)).index(); got != 10 {
				t.Errorf("entry %d is on the disk after a commit", got)
			}
			check(t, s.Close())
		})
	}
}

// otherLeads is a Raft that another member leads.
type otherLeads struct{}

func (otherLeads) MemberID() types.ID     { return 5 }
func (otherLeads) Leader() types.ID       { return 6 }
func (otherLeads) CommittedIndex() uint64 { return 7 }
func (otherLeads) AppliedIndex() uint64   { return 8 }
func (otherLeads) Term() uint64           { return 9 }

// TestStatus answers with what Raft says, or what the entries do.
func TestStatus(t *testing.T) {
	for _, o := range []kv.Options{{Status: otherLeads{}}, {}} {
		w := waiters{}
		o.Waiters = w
		s := small(t, t.TempDir(), o)
		apply(t, s, []raftpb.Entry{grant(5, 55, 9)})
		h := w[5].Resp.(*etcdserverpb.LeaseGrantResponse).Header
		want := [3]uint64{1, 1, 2}
		if o.Status != nil {
			want = [3]uint64{5, 9, 2}
		}
		if got := [3]uint64{h.MemberId, h.RaftTerm, h.ClusterId}; got != want {
			t.Errorf("header %v, want %d", h, want)
		}
		check(t, s.Close())
	}
}

// TestForceSnapshot asks for a snapshot when the cluster's version is lowered.
func TestForceSnapshot(t *testing.T) {
	asked := 0
	s := small(t, t.TempDir(), kv.Options{ForceSnapshot: func() { asked++ }})
	apply(t, s, []raftpb.Entry{v2(5, "PUT", "/0/version", "3.6.0"), v2(6, "PUT", "/0/version", "3.7.0")})
	if asked != 0 {
		t.Errorf("asked %d times", asked)
	}
	apply(t, s, []raftpb.Entry{v2(7, "PUT", "/0/version", "3.6.0")})
	if asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
	check(t, s.Close())
}

// TestTokens makes tokens that end in the index before the entry, as every member's do, and hold when the
// index is applied.
func TestTokens(t *testing.T) {
	var waited []uint64
	closedChan := make(chan struct{})
	close(closedChan)
	w := waiters{}
	s := small(t, t.TempDir(), kv.Options{Waiters: w, TokenTTL: time.Hour,
		AppliedWait: func(index uint64) <-chan struct{} { waited = append(waited, index); return closedChan }})
	apply(t, s, furtherEntries())
	apply(t, s, []raftpb.Entry{put(63, "x", "y"), request(64, &etcdserverpb.InternalRaftRequest{
		Authenticate: &etcdserverpb.InternalAuthenticateRequest{Name: "root", SimpleToken: "prefix"}})})
	r, ok := w[64].Resp.(*etcdserverpb.AuthenticateResponse)
	if !ok || r.Token != "prefix.63" {
		t.Fatalf("result %+v, want token prefix.63", w[64])
	}
	ctx := metadataContext(t, r.Token)
	info, err := s.Auth().AuthInfoFromCtx(ctx)
	if err != nil || info == nil || info.Username != "root" || len(waited) != 1 || waited[0] != 63 {
		t.Errorf("%+v, error %v, waited for %d", info, err, waited)
	}
	check(t, s.Close())

	if _, err := kv.Open(t.TempDir(), kv.Options{AuthToken: "none such"}); !errors.Is(err, auth.ErrInvalidAuthOpts) {
		t.Errorf("error %v, want that of the token provider", err)
	}
}

// TestCheckpoints is that a leading lessor asks for checkpoints of leases in the interval.
func TestCheckpoints(t *testing.T) {
	s := small(t, t.TempDir(), kv.Options{CheckpointInterval: time.Second})
	asked := make(chan struct{}, 100)
	s.Lessor().SetCheckpointer(func(_ context.Context, r *etcdserverpb.LeaseCheckpointRequest) error {
		if len(r.Checkpoints) == 1 && lease.LeaseID(r.Checkpoints[0].ID) == 7 {
			asked <- struct{}{}
		}
		return nil
	})
	s.Lessor().Promote(0)
	<-asked
	check(t, s.Close())
}

// TestLogger hands over what the libraries log.
func TestLogger(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	s := small(t, t.TempDir(), kv.Options{Logger: zap.New(core)})
	check(t, s.Close())
	if logs.FilterMessage("added member").Len() != 1 {
		t.Errorf("logged: %v", logs.All())
	}
}

// TestBcryptCost hashes passwords that the log has in plain text at that cost.
func TestBcryptCost(t *testing.T) {
	dir := t.TempDir()
	s, err := kv.Open(dir, kv.Options{BcryptCost: 5})
	check(t, err)
	apply(t, s, []raftpb.Entry{request(1, &etcdserverpb.InternalRaftRequest{
		AuthUserAdd: &etcdserverpb.AuthUserAddRequest{Name: "u", Password: "p"}})})
	check(t, s.Close())
	if user := readState(t, dir)["authUsers"]["u"]; !strings.Contains(user, "$2a$05$") {
		t.Errorf("user %q", user)
	}
}

// TestTwoStores has two stores in one process, whose libraries share their metrics.
func TestTwoStores(t *testing.T) {
	a, b := small(t, t.TempDir(), kv.Options{}), small(t, t.TempDir(), kv.Options{})
	apply(t, a, []raftpb.Entry{put(5, "a", "of a"), v2(6, "PUT", "/0/version", "3.6.0")})
	apply(t, b, []raftpb.Entry{del(5, "a", ""), v2(6, "PUT", "/0/version", "3.7.0")})
	if a.KV().Rev() != 4 || b.KV().Rev() != 4 || a.Cluster().Version().Minor != 6 || b.Cluster().Version().Minor != 7 {
		t.Error("the stores are mixed up")
	}
	ha, _, err := a.HashKV(0)
	check(t, err)
	hb, _, err := b.HashKV(0)
	check(t, err)
	if ha.Hash == hb.Hash {
		t.Error("the hashes are the same")
	}
	check(t, errors.Join(a.Close(), b.Close()))
}

// TestDefrag makes the file smaller, and goes on.
func TestDefrag(t *testing.T) {
	dir := t.TempDir()
	s := small(t, dir, kv.Options{WaitCompaction: true})
	for i := uint64(5); i < 50; i++ {
		apply(t, s, []raftpb.Entry{put(i, "a", strings.Repeat("x", 10_000))})
	}
	apply(t, s, []raftpb.Entry{compaction(50, s.KV().Rev())})
	want, _, err := s.HashKV(0)
	check(t, err)
	before, _ := s.Size()
	check(t, s.Defrag())
	after, inUse := s.Size()
	got, _, err := s.HashKV(0)
	if err != nil || got != want || after >= before/2 || inUse > after {
		t.Errorf("%d bytes of %d, %d in use, hash %v of %v, error %v", after, before, inUse, got, want, err)
	}
	apply(t, s, []raftpb.Entry{put(51, "b", "y")})
	check(t, s.Close())
	if got := readState(t, dir).index(); got != 51 {
		t.Errorf("entry %d is on the disk, want 51", got)
	}
}

// TestCompactionRests ends while a compaction rests after its first revision: the next start takes it up again.
func TestCompactionRests(t *testing.T) {
	dir := t.TempDir()
	core, logs := observer.New(zap.InfoLevel)
	await := func(message string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); logs.FilterMessage(message).Len() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%q is not logged, but: %v", message, logs.All())
			}
		}
	}
	s := small(t, dir, kv.Options{CompactionBatch: 1, CompactionPause: time.Hour, Logger: zap.New(core)})
	apply(t, s, []raftpb.Entry{put(5, "a", "2"), put(6, "a", "3"), put(7, "a", "4"), compaction(8, 5)})
	await("compact tree index")
	check(t, s.Close())
	s = small(t, dir, kv.Options{Logger: zap.New(core)})
	await("resume scheduled compaction")
	await("finished scheduled compaction")
	check(t, s.Close())
}
