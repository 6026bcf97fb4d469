package firetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
)

// holdTTL is of the leases of those who hold something: shorter than many faults last.
const holdTTL = 2 * time.Second

// held is what a service gives, and how it is given back.
type held struct {
	what    string
	acquire func(ctx context.Context) error
	release func(ctx context.Context) error
}

// lockClient takes a lock by etcd's service for it, and gives it back.
func (s *story) lockClient(client int, rng *rand.Rand) func() bool {
	return s.holdingClient(client, rng, func(x *session) held {
		locks := v3lockpb.NewLockClient(x.client.ActiveConnection())
		var key []byte
		return held{"lock/a", func(ctx context.Context) error {
			r, err := locks.Lock(ctx, &v3lockpb.LockRequest{Name: []byte("lock/a"), Lease: int64(x.id)})
			key = r.GetKey()
			return err
		}, func(ctx context.Context) error {
			_, err := locks.Unlock(ctx, &v3lockpb.UnlockRequest{Key: key})
			return err
		}}
	})
}

// electionClient campaigns by etcd's service for elections, proclaims something, and resigns.
func (s *story) electionClient(client int, rng *rand.Rand) func() bool {
	count := 0
	return s.holdingClient(10+client, rng, func(x *session) held {
		elections := v3electionpb.NewElectionClient(x.client.ActiveConnection())
		var leader *v3electionpb.LeaderKey
		count++
		value := fmt.Appendf(nil, "candidate %d.%d", client, count)
		return held{"election/a", func(ctx context.Context) error {
			r, err := elections.Campaign(ctx, &v3electionpb.CampaignRequest{Name: []byte("election/a"), Lease: int64(x.id), Value: value})
			leader = r.GetLeader()
			return err
		}, func(ctx context.Context) error {
			value = append(value, " proclaims"...)
			if _, err := elections.Proclaim(ctx, &v3electionpb.ProclaimRequest{Leader: leader, Value: value}); err != nil {
				return err
			}
			_, err := elections.Resign(ctx, &v3electionpb.ResignRequest{Leader: leader})
			return err
		}}
	})
}

// holdingClient waits for something, holds it for a while under a lease that it renews, and gives it back, or vanishes.
func (s *story) holdingClient(client int, rng *rand.Rand, of func(x *session) held) func() bool {
	return func() bool {
		s.pause(rng, 100*time.Millisecond)
		x, ok := s.grant(s.clients[rng.IntN(len(s.seats))], holdTTL)
		if !ok {
			return false
		}
		h := of(x)
		if !s.acquire(x, h) {
			return false // the lease ends by itself
		}
		got := hold{what: h.what, client: client, from: s.now()}
		for range rng.IntN(3) {
			s.pause(rng, holdTTL/3)
			if !x.renew() {
				break
			}
		}
		if rng.IntN(5) == 0 {
			got.until = x.until()
			record(s, &s.found.holds, got)
			return true
		}
		ctx, cancel := s.timeout()
		defer cancel()
		// It ends when it is asked to, in the middle of an election for whom is proclaimed.
		got.until = min(x.until(), s.now())
		record(s, &s.found.holds, got)
		if h.release(ctx) != nil {
			return false
		}
		_, err := x.client.Revoke(ctx, x.id)
		return err == nil
	}
}

// acquire waits for something, and renews the lease meanwhile.
func (s *story) acquire(x *session, h held) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.acquire(ctx) }()
	for s.ctx.Err() == nil {
		select {
		case err := <-done:
			return err == nil
		case <-time.After(holdTTL / 6):
		case <-s.ctx.Done():
		}
		if !x.renew() {
			break
		}
	}
	cancel()
	return <-done == nil // it may have come in the last moment
}
