package etcdapi

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	election "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	lock "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/raftctl/raftctl/node"
)

// leases of both sides, so that keys have the same names.
const firstLease, secondLease = 0x111, 0x222

// recipe is a call of the services Lock and Election.
type recipe struct {
	name string
	call func(ctx context.Context, s *side) (proto.Message, error)
}

func lockCall(r *lock.LockRequest) func(context.Context, *side) (proto.Message, error) {
	return func(ctx context.Context, s *side) (proto.Message, error) {
		return lock.NewLockClient(s.conn).Lock(ctx, r)
	}
}

func unlockCall(key string) func(context.Context, *side) (proto.Message, error) {
	return func(ctx context.Context, s *side) (proto.Message, error) {
		return lock.NewLockClient(s.conn).Unlock(ctx, &lock.UnlockRequest{Key: []byte(key)})
	}
}

func campaignCall(name, value string, lease int64) func(context.Context, *side) (proto.Message, error) {
	return func(ctx context.Context, s *side) (proto.Message, error) {
		return election.NewElectionClient(s.conn).Campaign(ctx, &election.CampaignRequest{
			Name: []byte(name), Lease: lease, Value: []byte(value),
		})
	}
}

func leaderCall(name string) func(context.Context, *side) (proto.Message, error) {
	return func(ctx context.Context, s *side) (proto.Message, error) {
		return election.NewElectionClient(s.conn).Leader(ctx, &election.LeaderRequest{Name: []byte(name)})
	}
}

func proclaimCall(l *election.LeaderKey, value string) func(context.Context, *side) (proto.Message, error) {
	return func(ctx context.Context, s *side) (proto.Message, error) {
		return election.NewElectionClient(s.conn).Proclaim(ctx, &election.ProclaimRequest{Leader: l, Value: []byte(value)})
	}
}

func resignCall(l *election.LeaderKey) func(context.Context, *side) (proto.Message, error) {
	return func(ctx context.Context, s *side) (proto.Message, error) {
		return election.NewElectionClient(s.conn).Resign(ctx, &election.ResignRequest{Leader: l})
	}
}

// recipes are made one after the other. None of them waits.
func recipes() []recipe {
	first := &election.LeaderKey{Name: []byte("e"), Key: []byte("e/111"), Rev: 5, Lease: firstLease}
	wrong := &election.LeaderKey{Name: []byte("e"), Key: []byte("e/111"), Rev: 99, Lease: firstLease}
	return []recipe{
		{"lock", lockCall(&lock.LockRequest{Name: []byte("l"), Lease: firstLease})},
		{"lock again, by the same", lockCall(&lock.LockRequest{Name: []byte("l"), Lease: firstLease})},
		{"unlock", unlockCall("l/111")},
		{"unlock again", unlockCall("l/111")},
		{"lock, no such lease", lockCall(&lock.LockRequest{Name: []byte("l"), Lease: 0x999})},
		{"lock without a name", lockCall(&lock.LockRequest{Lease: firstLease})},
		{"leader of none", leaderCall("e")},
		{"campaign", campaignCall("e", "one", firstLease)},
		{"leader", leaderCall("e")},
		{"campaign again, by the same", campaignCall("e", "two", firstLease)},
		{"proclaim", proclaimCall(first, "three")},
		{"leader after that", leaderCall("e")},
		{"proclaim, not elected", proclaimCall(wrong, "four")},
		{"proclaim, no leader named", proclaimCall(nil, "five")},
		{"resign, not elected", resignCall(wrong)},
		{"resign", resignCall(first)},
		{"resign again", resignCall(first)},
		{"resign, no leader named", resignCall(nil)},
		{"leader of none again", leaderCall("e")},
		{"campaign, no such lease", campaignCall("e", "six", 0x999)},
	}
}

// Locks and elections answer as those of an etcd.
func TestRecipesBesideEtcd(t *testing.T) {
	ours, etcds := sides(t, node.Config{})
	var got, want []answered
	for _, p := range []struct {
		s  *side
		to *[]answered
	}{{ours, &got}, {etcds, &want}} {
		p.s.grant(t)
		for _, r := range recipes() {
			*p.to = append(*p.to, p.s.recipe(t, r))
		}
	}
	for i, r := range recipes() {
		if diff := cmp.Diff(want[i], got[i], protocmp.Transform()); diff != "" {
			t.Errorf("%s (- etcd, + ours):\n%s", r.name, diff)
		}
	}
}

// grant grants the leases.
func (s *side) grant(t *testing.T) {
	t.Helper()
	for _, id := range []int64{firstLease, secondLease} {
		if _, err := s.do(t.Context(), &pb.LeaseGrantRequest{ID: id, TTL: 600}, false); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *side) recipe(t *testing.T, r recipe) answered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	response, err := r.call(ctx, s)
	a := answered{Status: status.Convert(err).Code().String() + ": " + status.Convert(err).Message()}
	if err == nil {
		level(response.ProtoReflect())
		a.Responses = []proto.Message{response}
	}
	return a
}

// Who waits for a lock or an election gets it when the one before lets go, in the order of waiting.
func TestRecipesWait(t *testing.T) {
	_, endpoint := startNode(t, node.Config{}, Options{})
	s := dial(t, endpoint)
	s.grant(t)
	for _, step := range []struct{ take, wait, free recipe }{
		{
			recipe{"lock", lockCall(&lock.LockRequest{Name: []byte("l"), Lease: firstLease})},
			recipe{"lock", lockCall(&lock.LockRequest{Name: []byte("l"), Lease: secondLease})},
			recipe{"unlock", unlockCall("l/111")},
		}, {
			recipe{"campaign", campaignCall("e", "one", firstLease)},
			recipe{"campaign", campaignCall("e", "two", secondLease)},
			recipe{"lease", func(ctx context.Context, s *side) (proto.Message, error) {
				return pb.NewLeaseClient(s.conn).LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: firstLease})
			}},
		},
	} {
		if _, err := step.take.call(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", step.take.name, err)
		}
		waited := make(chan error, 1)
		go func() {
			_, err := step.wait.call(t.Context(), s)
			waited <- err
		}()
		s.awaitKeys(t, 2)
		select {
		case err := <-waited:
			t.Errorf("%s: not waited for the one before: %v", step.wait.name, err)
		default:
		}
		if _, err := step.free.call(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", step.free.name, err)
		}
		if err := <-waited; err != nil {
			t.Errorf("%s after %s: %v", step.wait.name, step.free.name, err)
		}
		if _, err := s.do(t.Context(), del("\x00", "\x00"), false); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitKeys waits until there are so many keys.
func (s *side) awaitKeys(t *testing.T, n int64) {
	t.Helper()
	for {
		responses, err := s.do(t.Context(), &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}, CountOnly: true}, false)
		if err != nil {
			t.Fatal(err)
		}
		if responses[0].(*pb.RangeResponse).Count == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// Observe tells the leader there is, and each that follows.
func TestObserve(t *testing.T) {
	_, endpoint := startNode(t, node.Config{}, Options{})
	s := dial(t, endpoint)
	s.grant(t)
	stream, err := election.NewElectionClient(s.conn).Observe(t.Context(), &election.LeaderRequest{Name: []byte("e")})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"one", "two"} {
		r, err := campaignCall("e", value, firstLease)(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for {
			told, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if string(told.Kv.Value) == value {
				break
			}
		}
		if _, err := resignCall(r.(*election.CampaignResponse).Leader)(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}
