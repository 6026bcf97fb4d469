package check

import (
	"slices"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// maxConfigs is how many memberships are remembered, the last ones.
const maxConfigs = 8

// membership follows the membership through what is committed.
type membership struct {
	scene *scene
	index uint64 // up to which it was followed
	list  []config
	why   string // why it is not known, if it isn't
	// guessed is true where it began with whom a leader asked for votes. Who was down then was not asked: so it holds
	// as long as nobody else is seen.
	guessed bool
}

// config is a membership, and the entry that made it.
type config struct {
	id     raftpb.EntryID
	result confchange.Result
}

const (
	whyNoMembers = "the membership isn't known; --data-dir gives it"
	whyBefore    = "the membership isn't known as of so early"
	whyHole      = "entries are missing that may have changed the membership"
)

// restore begins with a membership that is told in full.
func (c *membership) restore(index uint64, cs *raftpb.ConfState) {
	r, err := confchange.Restore(confchange.Changer{Tracker: &tracker.Tracker{MaxInflight: 1}}, *cs)
	if err != nil || len(cs.Voters) > maxMembers {
		return
	}
	c.add(config{id: raftpb.EntryID{Index: index}, result: r})
	c.index, c.why, c.guessed = index, "", false
}

func (c *membership) add(x config) {
	c.list = append(c.list, x)
	if len(c.list) > maxConfigs {
		c.list = c.list[1:]
	}
}

// advance follows the changes among the leader's entries up to a commit index.
func (c *membership) advance(l *leadership, commit uint64) {
	if commit <= c.index {
		return
	}
	if len(c.list) == 0 {
		c.begin(l, commit)
	}
	if len(c.list) == 0 || c.why != "" {
		c.index = commit
		return
	}
	if c.index == 0 {
		c.index = commit // where the evidence begins
		return
	}
	c.list, c.why = c.follow(c.list, l, commit)
	c.index = commit
}

// begin begins with whom the leader asked for votes, where that is known.
func (c *membership) begin(l *leadership, commit uint64) {
	if sets, why := c.inferred(l); why == "" {
		c.restore(commit, &raftpb.ConfState{Voters: sets[0][0]})
		c.guessed = true
	}
}

// follow returns the memberships after the changes up to an index.
func (c *membership) follow(list []config, l *leadership, to uint64) (_ []config, why string) {
	for index := c.index + 1; index <= to; index++ {
		term, ok := l.termAt(index)
		if !ok {
			term, ok = c.scene.c.committedTerm(index)
		}
		if !ok {
			return list, whyHole
		}
		cc, ok := c.scene.c.changeAt(raftpb.EntryID{Term: term, Index: index})
		if !ok {
			return list, whyHole
		}
		if cc == nil {
			continue
		}
		next := change(&list[len(list)-1].result, cc)
		list = append(slices.Clip(list), config{id: raftpb.EntryID{Term: term, Index: index}, result: next})
		if len(list) > maxConfigs {
			list = list[1:]
		}
	}
	return list, ""
}

// change returns the membership after a change, the same one if it can't be made.
func change(r *confchange.Result, cc *raftpb.ConfChangeV2) confchange.Result {
	changer := confchange.Changer{Tracker: &tracker.Tracker{Config: r.Config, Members: r.Members, MaxInflight: 1}}
	var next confchange.Result
	var err error
	autoLeave, joint := cc.EnterJoint()
	switch {
	case cc.LeaveJoint():
		next, err = changer.LeaveJoint()
	case joint:
		next, err = changer.EnterJoint(autoLeave, cc.Changes...)
	default:
		next, err = changer.Simple(cc.Changes...)
	}
	if err != nil {
		return *r
	}
	return next
}

// voters returns the memberships that may have counted when a leader committed up to an index. A change counts from
// when the leader applied it, which may be at any time after it was committed; but it proposes none before it has
// applied those before.
func (c *membership) voters(l *leadership, commit uint64) (sets []quorum.Joint, why string) {
	if c.guessed && !c.knowsAll() {
		c.list, c.guessed = nil, false
	}
	if len(c.list) == 0 {
		return c.inferred(l)
	}
	if commit < c.list[0].id.Index {
		return nil, whyBefore
	}
	list, why := c.list, c.why
	if why == "" && c.index > 0 && commit > c.index {
		list, why = c.follow(list, l, commit)
	}
	if why != "" {
		return nil, why
	}
	first := 0
	for i := range list {
		if id := list[i].id; i > 0 && id.Term == l.term {
			first = i - 1
		}
	}
	for _, x := range list[first:] {
		if index := x.id.Index; len(sets) > 0 && index > c.scene.commit &&
			!c.scene.wasCommitted(l, index, sets, withUnknown) {
			break // it can't be applied yet
		}
		sets = append(sets, x.result.Config.Voters)
	}
	return sets, ""
}

// knowsAll reports whether all who are seen are members, or were.
func (c *membership) knowsAll() bool {
	for id := range c.scene.seen {
		if !slices.ContainsFunc(c.list, func(x config) bool { return x.result.Members.Get(id) != nil }) {
			return false
		}
	}
	return true
}

// inferred returns the membership by whom the leader asked for votes when it was elected. That is all voters but those
// who were down, where it is seen how all members talk to each other, and there is nobody else.
func (c *membership) inferred(l *leadership) ([]quorum.Joint, string) {
	s := c.scene
	asked := s.asked.get(l.term)
	if asked == nil || asked.candidate != l.leader || l.ownConf > 0 {
		return nil, whyNoMembers
	}
	if !s.seesAll() || s.c.opts.Joint {
		return nil, whyNoMembers
	}
	ids := []uint64{l.leader}
	for id := range asked.asked {
		ids = append(ids, id)
	}
	if len(ids) != len(s.seen) {
		return nil, whyNoMembers
	}
	return []quorum.Joint{{quorum.NewSet(ids...)}}, ""
}
