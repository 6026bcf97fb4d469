package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"

	"github.com/raftctl/raftctl/node"
)

// change begins a change of the membership, unless an operator is at one.
func (w *world) change() {
	if !w.changing.CompareAndSwap(false, true) {
		return
	}
	o := &operator{w: w, dice: rand.New(rand.NewPCG(w.dice.Uint64(), 3))}
	do := o.remove
	if len(w.seats) < w.shape.voters+w.shape.spares && w.dice.IntN(2) == 0 {
		s := w.newSeat()
		do = func() { o.add(s, o.dice.IntN(2) == 0) }
	}
	w.acting.Go(func() {
		defer w.changing.Store(false)
		do()
	})
}

// operator changes the membership, by whichever member will.
type operator struct {
	w    *world
	dice *rand.Rand
}

// try has members do something, one after the other, until one succeeds.
func (o *operator) try(do func(context.Context, *node.Node) error) (err error) {
	err = errLost
	for range 6 {
		if l := o.w.anyLiving(o.dice); l != nil {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			err = do(ctx, l.n)
			cancel()
		}
		if err == nil || o.w.quiet.Load() {
			return err
		}
		time.Sleep(time.Duration(o.dice.Int64N(int64(time.Second))))
	}
	return err
}

// add adds a member, and starts it. A learner is promoted then.
func (o *operator) add(s *seat, learner bool) {
	now := time.Now()
	m := membership.NewMember(s.name, types.MustNewURLs([]string{s.url}), "", &now)
	m.Name, m.IsLearner = "", learner
	err := o.try(func(ctx context.Context, n *node.Node) error {
		_, err := n.AddMember(ctx, *m)
		if errors.Is(err, membership.ErrIDExists) || errors.Is(err, membership.ErrPeerURLexists) {
			return nil // nobody told that it had succeeded
		}
		return err
	})
	o.w.note("%s is added, learner: %v: %v", s.name, learner, err)
	o.w.countIf(err, &o.w.stats.Added)
	s.mu.Lock()
	s.initial, s.joins = s.name+"="+s.url, true
	s.mu.Unlock()
	s.start() // also if it isn't known whether it was added: the start tells
	if err == nil && learner {
		time.Sleep(time.Duration(o.dice.Int64N(int64(3 * time.Second))))
		o.promote(s, uint64(m.ID))
	}
}

func (o *operator) promote(s *seat, id uint64) {
	err := o.try(func(ctx context.Context, n *node.Node) error {
		_, err := n.PromoteMember(ctx, id)
		return err
	})
	o.w.note("%s is promoted: %v", s.name, err)
	o.w.countIf(err, &o.w.stats.Promoted)
}

// remove removes a member, if there are others.
func (o *operator) remove() {
	var url string
	err := o.try(func(ctx context.Context, n *node.Node) error {
		members := n.Store().Cluster().Members()
		if len(n.Store().Cluster().VotingMembers()) < 3 {
			return errFew
		}
		m := members[o.dice.IntN(len(members))]
		url = m.PeerURLs[0]
		_, err := n.RemoveMember(ctx, uint64(m.ID))
		return err
	})
	o.w.note("%s is removed: %v", url, err)
	o.w.countIf(err, &o.w.stats.Removed)
}

// errFew is why no member is removed.
var errFew = errors.New("too few members")
