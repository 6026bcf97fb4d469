package firetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
)

// operatorClient moves the leader about, and has a member come and go: as a learner, then as a voter.
func (s *story) operatorClient(_ int, rng *rand.Rand) func() bool {
	return func() bool {
		s.pause(rng, 2*time.Second)
		if rng.IntN(3) > 0 {
			return s.moveLeader(rng)
		}
		s.changes.Lock()
		defer s.changes.Unlock()
		ctx, cancel := context.WithTimeout(s.ctx, 10*requestTimeout) // nobody joins while a member is missing, which may wait for this
		joined := s.join(ctx, s.spare)
		cancel()
		if joined {
			s.pause(rng, 4*time.Second)
		}
		// Also what may have been added without an answer is removed.
		ctx, cancel = context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.remove(ctx, s.spare); err != nil {
			s.t.Errorf("a member stays: %v", err)
		}
		if s.spare.process() != nil {
			s.spare.kill()
		}
		s.spare.wipe()
		s.spare.occupants++
		return joined
	}
}

// moveLeader has the leader make another voter the leader.
func (s *story) moveLeader(rng *rand.Rand) bool {
	from, to := s.leader(s.ctx, s.clients), s.someoneBy(rng)
	if from == nil || from == to {
		return false
	}
	ctx, cancel := s.timeout()
	defer cancel()
	st, err := s.clients[to.number-1].Status(ctx, to.clientURL())
	if err != nil {
		return false
	}
	_, err = s.clients[from.number-1].MoveLeader(ctx, st.Header.MemberId)
	return err == nil
}

// anyone returns a client of some member that may be there.
func (s *story) anyone() *clientv3.Client { return s.clients[rand.IntN(len(s.seats))] }

// members returns the members as the cluster has them now.
func (s *story) members(ctx context.Context) (all []*member, err error) {
	err = until(ctx, func() (bool, error) {
		ctx, cancel := s.timeout()
		defer cancel()
		list, err := s.anyone().MemberList(ctx)
		if err != nil {
			return false, err
		}
		for _, m := range list.Members {
			all = append(all, &member{id: m.ID, url: m.PeerURLs[0], learner: m.IsLearner})
		}
		return true, nil
	})
	return all, err
}

// member is one as the cluster knows it.
type member struct {
	id      uint64
	url     string
	learner bool
}

// find returns a member, nil if it isn't there, and all. Only who changes the membership calls it.
func (s *story) find(ctx context.Context, m *seat) (found *member, all []*member, err error) {
	n := naming{verb: look, name: s.nameOf(m), call: s.now()}
	all, err = s.members(ctx)
	i := slices.IndexFunc(all, func(x *member) bool { return x.url == m.peerURL() })
	if i >= 0 {
		found = all[i]
	}
	s.named(n, found != nil, err == nil)
	return found, all, err
}

// nameOf returns the name of the member that a seat has now: each is another.
func (s *story) nameOf(m *seat) string { return fmt.Sprintf("%s, its %d.", m.name(), m.occupants) }

// named records what came of something done with a name.
func (s *story) named(n naming, there, known bool) {
	n.there, n.known, n.ret = there, known, s.now()
	record(s, &s.found.namings, n)
}

// changed records what came of a change of the membership, which may have been refused for what says nothing of the name.
func (s *story) changed(n naming, there, says bool, err error) {
	var code codes.Code
	if said := new(rpctypes.EtcdError); errors.As(err, said) {
		code = said.Code()
	}
	refused := code == codes.FailedPrecondition
	if err == nil || says || !refused {
		s.named(n, there, err == nil || says)
	}
	if err != nil && !refused && !says {
		time.Sleep(time.Second) // many without an answer make the search for an order long
	}
}

// until repeats a step of an operation that isn't finished, as long as the context allows.
func until(ctx context.Context, step func() (done bool, err error)) error {
	for {
		done, err := step()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// join adds a member to the cluster, starts it on an empty directory, and makes it a voter.
func (s *story) join(ctx context.Context, m *seat) bool {
	err := until(ctx, func() (bool, error) {
		found, _, err := s.find(ctx, m)
		if found != nil || err != nil {
			return found != nil, err
		}
		ctx, cancel := s.timeout()
		defer cancel()
		n := naming{verb: add, name: s.nameOf(m), call: s.now()}
		_, err = s.anyone().MemberAddAsLearner(ctx, []string{m.peerURL()})
		there := errors.Is(err, rpctypes.ErrPeerURLExist) || errors.Is(err, rpctypes.ErrMemberExist)
		s.changed(n, there, there, err)
		return false, err
	})
	if err != nil {
		return false
	}
	return until(ctx, func() (bool, error) {
		found, all, err := s.find(ctx, m)
		switch {
		case err != nil:
			return false, err
		case found == nil:
			return false, errors.New("the member is gone") // which the judge of names will say
		case !found.learner:
			return true, nil
		}
		if err := s.runJoined(m, all); err != nil {
			return false, err
		}
		ctx, cancel := s.timeout()
		defer cancel()
		_, err = s.anyone().MemberPromote(ctx, found.id)
		return false, err
	}) == nil
}

// runJoined sees that a member that was added runs.
func (s *story) runJoined(m *seat, all []*member) error {
	if p := m.process(); p != nil {
		if ended, _ := p.Ended(); !ended {
			return nil
		}
	}
	var initial []string
	for _, x := range all {
		for _, seat := range append(slices.Clone(s.seats), s.spare) {
			if seat.peerURL() == x.url {
				initial = append(initial, seat.name()+"="+x.url)
			}
		}
	}
	m.start(strings.Join(initial, ","), "--initial-cluster-state", "existing")
	return nil
}

// remove removes a member from the cluster, if it is there.
func (s *story) remove(ctx context.Context, m *seat) error {
	return until(ctx, func() (bool, error) {
		found, _, err := s.find(ctx, m)
		if err != nil || found == nil {
			return err == nil, err
		}
		ctx, cancel := s.timeout()
		defer cancel()
		n := naming{verb: remove, name: s.nameOf(m), call: s.now()}
		_, err = s.anyone().MemberRemove(ctx, found.id)
		s.changed(n, err == nil, errors.Is(err, rpctypes.ErrMemberNotFound), err)
		return false, err
	})
}

// replace gives the place of a member to a new one, with an empty directory.
func (s *story) replace(m *seat) {
	s.t.Helper()
	s.changes.Lock()
	defer s.changes.Unlock()
	m.kill()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	must(s.t, s.remove(ctx, m))
	m.wipe()
	m.occupants++
	if !s.join(ctx, m) {
		s.t.Fatalf("%s can't be added again\n%s", m.name(), tail(m.process().Log()))
	}
}
