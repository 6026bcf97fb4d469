package sim

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
)

// change changes the membership, by whoever is there.
func (w *world) change() {
	l := w.anyLiving(w.dice)
	if l == nil {
		return
	}
	dice := rand.New(rand.NewPCG(w.dice.Uint64(), 3))
	members := l.n.Store().Cluster().Members()
	if len(members) == 0 {
		return
	}
	m := members[dice.IntN(len(members))]
	if i := slices.IndexFunc(members, func(m *membership.Member) bool { return m.IsLearner }); i >= 0 && dice.IntN(2) == 0 {
		m = members[i]
	}
	switch n := dice.IntN(3); {
	case n == 0 && len(w.seats) < w.shape.voters+w.shape.spares:
		s := w.newSeat()
		w.acting.Go(func() { w.add(l, s, dice.IntN(2) == 0) })
	case n == 1 && len(l.n.Store().Cluster().VotingMembers()) > 2:
		w.acting.Go(func() { w.remove(l, m) })
	case m.IsLearner:
		w.acting.Go(func() { w.promote(l, m) })
	}
}

func changeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

// add adds a member, and starts it. If it isn't known whether it was added, the start tells.
func (w *world) add(l *life, s *seat, learner bool) {
	ctx, cancel := changeContext()
	defer cancel()
	now := time.Now()
	m := membership.NewMember(s.name, types.MustNewURLs([]string{s.url}), "", &now)
	m.Name, m.IsLearner = "", learner
	_, err := l.n.AddMember(ctx, *m)
	w.note("%s adds %s, learner: %v: %v", l.seat.name, s.name, learner, err)
	w.countIf(err, &w.stats.Added)
	s.mu.Lock()
	s.initial, s.joins = s.name+"="+s.url, true
	s.mu.Unlock()
	s.start()
}

func (w *world) remove(l *life, m *membership.Member) {
	ctx, cancel := changeContext()
	defer cancel()
	_, err := l.n.RemoveMember(ctx, uint64(m.ID))
	w.note("%s removes %s: %v", l.seat.name, m.PeerURLs[0], err)
	w.countIf(err, &w.stats.Removed)
}

func (w *world) promote(l *life, m *membership.Member) {
	ctx, cancel := changeContext()
	defer cancel()
	_, err := l.n.PromoteMember(ctx, uint64(m.ID))
	w.note("%s promotes %s: %v", l.seat.name, m.PeerURLs[0], err)
	w.countIf(err, &w.stats.Promoted)
}
