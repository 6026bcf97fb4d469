package firetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// session is a lease that a client renews while it wants it.
type session struct {
	s      *story
	client *clientv3.Client
	id     clientv3.LeaseID
	life
}

// grant asks for a lease; ok is false without an answer.
func (s *story) grant(c *clientv3.Client, ttl time.Duration) (x *session, ok bool) {
	ctx, cancel := s.timeout()
	defer cancel()
	began := s.now()
	l, err := c.Grant(ctx, int64(ttl/time.Second))
	if err != nil {
		return nil, false
	}
	return &session{s: s, client: c, id: l.ID, life: life{ttl: ttl, renewed: began}}, true
}

// until is when the lease may end at the earliest.
func (x *session) until() int64 { return x.renewed + int64(x.ttl) }

// renew asks for a renewal.
func (x *session) renew() bool {
	ctx, cancel := x.s.timeout()
	defer cancel()
	began := x.s.now()
	r, err := x.client.KeepAliveOnce(ctx, x.id)
	if err != nil || r.TTL <= 0 {
		return false
	}
	x.renewed = began
	return true
}

// leaseClient has keys hang on leases, renews these for a while, and lets them end or ends them.
func (s *story) leaseClient(client int, rng *rand.Rand) func() bool {
	count := 0
	return func() bool {
		s.pause(rng, 200*time.Millisecond)
		x, ok := s.grant(s.clients[rng.IntN(len(s.seats))], time.Duration(2+rng.IntN(3))*time.Second)
		if !ok {
			return false
		}
		count++
		x.key = fmt.Sprintf("lease/%d/%d", client, count)
		defer func() { record(s, &s.found.lives, x.life) }()
		ctx, cancel := s.timeout()
		defer cancel()
		if _, err := x.client.Put(ctx, x.key, x.key, clientv3.WithLease(x.id)); err != nil {
			return false
		}
		for range rng.IntN(6) {
			s.pause(rng, x.ttl/2)
			x.client = s.clients[rng.IntN(len(s.seats))]
			if !x.renew() {
				return false
			}
		}
		if rng.IntN(4) > 0 {
			return true
		}
		ctx, cancel = s.timeout()
		defer cancel()
		x.revoked = s.now()
		_, err := x.client.Revoke(ctx, x.id)
		return err == nil
	}
}

// awaitNoLease waits until the leases of all clients have ended, by themselves.
func (s *story) awaitNoLease() {
	for i, m := range s.seats {
		s.await("the leases end, says "+m.name(), func() bool {
			ctx, cancel := s.timeout()
			defer cancel()
			l, err := s.clients[i].Leases(ctx)
			if err != nil || len(l.Leases) > 0 {
				return false
			}
			got, err := s.clients[i].Get(ctx, "lease/", clientv3.WithPrefix(), clientv3.WithCountOnly())
			return err == nil && got.Count == 0
		})
	}
}
