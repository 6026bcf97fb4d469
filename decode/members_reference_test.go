package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coreos/go-semver/semver"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	serverversion "go.etcd.io/etcd/server/v3/etcdserver/version"
	"go.etcd.io/raft/v3/confchange"
	refpb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// memoryBackend is where etcd's membership code keeps its members in these tests.
type memoryBackend struct {
	members map[types.ID]*membership.Member
	removed map[types.ID]bool
	version *semver.Version
}

func (b *memoryBackend) ClusterVersionFromBackend() *semver.Version              { return b.version }
func (b *memoryBackend) DowngradeInfoFromBackend() *serverversion.DowngradeInfo  { return nil }
func (b *memoryBackend) MustSaveClusterVersionToBackend(v *semver.Version)       { b.version = v }
func (b *memoryBackend) MustSaveDowngradeToBackend(*serverversion.DowngradeInfo) {}
func (b *memoryBackend) MustSaveMemberToBackend(m *membership.Member)            { b.members[m.ID] = m.Clone() }
func (b *memoryBackend) TrimMembershipFromBackend() error                        { return nil }
func (b *memoryBackend) MustCreateBackendBuckets()                               {}
func (b *memoryBackend) MustDeleteMemberFromBackend(id types.ID) {
	delete(b.members, id)
	b.removed[id] = true
}
func (b *memoryBackend) MustReadMembersFromBackend() (map[types.ID]*membership.Member, map[types.ID]bool) {
	return b.members, b.removed
}

// server follows a membership by etcd's own code, in the order of its server.
type server struct {
	cluster *membership.RaftCluster
	changer confchange.Changer
}

func newServer(maxLearners int) *server {
	panics := zap.WithFatalHook(zapcore.WriteThenPanic)
	s := &server{cluster: membership.NewCluster(zap.NewNop().WithOptions(panics), membership.WithMaxLearners(maxLearners))}
	s.cluster.SetBackend(&memoryBackend{members: map[types.ID]*membership.Member{}, removed: map[types.ID]bool{}})
	s.changer = confchange.Changer{Tracker: tracker.MakeProgressTracker(1, 0), LastIndex: 1}
	return s
}

// change applies a change. It returns what came of it.
func (s *server) change(c *refpb.ConfChange) (outcome string) {
	defer func() {
		if recover() != nil {
			outcome = "panics"
		}
	}()
	if err := s.cluster.ValidateConfigurationChange(c, membership.ApplyBoth); err != nil {
		return "refused"
	}
	cfg, progress, err := s.changer.Simple(&refpb.ConfChangeSingle{Type: c.Type, NodeId: c.NodeId})
	if err != nil {
		return "panics"
	}
	s.changer.Tracker.Config, s.changer.Tracker.Progress = cfg, progress
	var ctx membership.ConfigChangeContext
	if c.GetType() != refpb.ConfChangeRemoveNode {
		if err := json.Unmarshal(c.Context, &ctx); err != nil || uint64(ctx.ID) != c.GetNodeId() {
			return "panics"
		}
	}
	switch c.GetType() {
	case refpb.ConfChangeAddNode, refpb.ConfChangeAddLearnerNode:
		if ctx.IsPromote {
			s.cluster.PromoteMember(ctx.ID, membership.ApplyBoth)
		} else {
			s.cluster.AddMember(&ctx.Member, membership.ApplyBoth)
		}
	case refpb.ConfChangeRemoveNode:
		s.cluster.RemoveMember(types.ID(c.GetNodeId()), membership.ApplyBoth)
	case refpb.ConfChangeUpdateNode:
		s.cluster.UpdateRaftAttributes(ctx.ID, ctx.RaftAttributes, membership.ApplyBoth)
	}
	return "applied"
}

func (s *server) text() []string {
	var lines []string
	for _, e := range s.cluster.Members() {
		_, learner := s.changer.Tracker.Learners[uint64(e.ID)]
		lines = append(lines, fmt.Sprintf("%x %t %q %v %v", uint64(e.ID), learner, e.Name, e.PeerURLs, e.ClientURLs))
	}
	return lines
}

func membersText(m *Members) []string {
	var lines []string
	for _, e := range m.All() {
		lines = append(lines, fmt.Sprintf("%x %t %q %v %v", e.ID, e.Role == RoleLearner, e.Name, e.PeerURLs, e.ClientURLs))
	}
	return lines
}

// outcomeOf names what came of an entry as server.change does.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "applied"
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, ErrPanics):
		return "panics"
	}
	return err.Error()
}

// randomChange makes a change that is often a sensible one.
func randomChange(rng *rand.Rand) *refpb.ConfChange {
	id := 1 + rng.Uint64N(6)
	ctx := membership.ConfigChangeContext{IsPromote: rng.IntN(3) == 0}
	ctx.ID = types.ID(id)
	ctx.PeerURLs = []string{fmt.Sprint("http://h", rng.IntN(8))}
	typ := refpb.ConfChangeType(rng.IntN(4))
	ctx.IsLearner = typ == refpb.ConfChangeAddLearnerNode || rng.IntN(20) == 0
	if rng.IntN(3) == 0 {
		ctx.Name, ctx.ClientURLs = "m", []string{"http://c"}
	}
	if rng.IntN(40) == 0 {
		ctx.ID++
	}
	context, _ := json.Marshal(ctx) // of strings and numbers
	if typ == refpb.ConfChangeRemoveNode || rng.IntN(40) == 0 {
		context = nil
	}
	return &refpb.ConfChange{Type: &typ, NodeId: &id, Context: context}
}

// Random changes do to Members what they do to etcd's own membership code, up to a panic.
func TestMembersAgreeWithEtcd(t *testing.T) {
	const sequences, steps = 3000, 40
	outcomes := map[string]int{}
	for seed := range uint64(sequences) {
		rng := rand.New(rand.NewPCG(seed, 1))
		ref, m := newServer(1+int(seed%2)), Members{MaxLearners: 1 + int(seed%2)}
		for step := range steps {
			c := randomChange(rng)
			want := ref.change(c)
			ours := raftpb.ConfChange{Type: raftpb.ConfChangeType(c.GetType()), NodeID: c.GetNodeId(), Context: c.Context}
			var r Request
			if err := Payload(&r, &raftpb.Entry{Type: raftpb.EntryConfChange, Data: ours.Marshal(raftpb.FlavorGogo)}); err != nil {
				t.Fatal(err)
			}
			_, err := m.Apply(m.Index()+1, &r)
			outcomes[want]++
			if got := outcomeOf(err); got != want {
				t.Fatalf("seed %d, step %d: %v %d %s: %v, want %s", seed, step, c.GetType(), c.GetNodeId(), c.Context, err, want)
			}
			if want == "panics" {
				break
			}
			if diff := cmp.Diff(ref.text(), membersText(&m)); diff != "" {
				t.Fatalf("seed %d, step %d: %v %d %s (-etcd +ours)\n%s", seed, step, c.GetType(), c.GetNodeId(), c.Context, diff)
			}
		}
	}
	for _, outcome := range []string{"applied", "refused", "panics"} {
		if outcomes[outcome] < 100 {
			t.Errorf("%d changes were %s", outcomes[outcome], outcome)
		}
	}
}

// The changes of real logs do to Members what they do to etcd's own membership code.
func TestMembersAgreeWithEtcdOnRealLogs(t *testing.T) {
	seen := map[string]bool{}
	changes := 0
	for _, l := range corpus.Logs(t) {
		ref := newServer(1)
		replay(t, l, func(m *Members, r *Request, err error) {
			if r.Op != OpConfChange || !m.Complete() {
				return
			}
			c := &refpb.ConfChange{Type: new(refpb.ConfChangeType(r.change.v1.Type)), NodeId: new(r.change.v1.NodeID),
				Context: bytes.Clone(r.change.v1.Context)}
			if want := ref.change(c); outcomeOf(err) != want {
				t.Errorf("%s: index %d: %v, want %s", l.Name, m.Index(), err, want)
			}
			changes++
			seen[c.GetType().String()] = true
			var want, got []uint64
			for _, e := range ref.cluster.Members() {
				want = append(want, uint64(e.ID))
			}
			for _, e := range m.All() {
				got = append(got, e.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: index %d: members %x, want %x", l.Name, m.Index(), got, want)
			}
			for _, e := range m.Removed() {
				if !ref.cluster.IsIDRemoved(types.ID(e.ID)) {
					t.Errorf("%s: index %d: %x wasn't removed", l.Name, m.Index(), e.ID)
				}
			}
		})
	}
	if changes < 100 || len(seen) != 4 {
		t.Errorf("%d changes of types %v, want 100 and all four", changes, slices.Collect(maps.Keys(seen)))
	}
}
