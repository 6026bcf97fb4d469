package tla

import "github.com/raftctl/raftctl/raftpb"

// follows is a leader in a term, and a member.
type follows struct{ leader, term, member uint64 }

// bound is what a message of a leader proves of what it knew when it sent that: of a member, acknowledgements up to an index at
// most.
type bound struct {
	at    int
	index uint64
}

// boundsOf returns what leaders did not know yet, in the order of messages: who sends what follows an index has taken no
// acknowledgement beyond it, nor has who tells by heartbeat of less than it has committed. Acknowledgements that were on their way
// then were taken later, whichever came first where the messages were seen.
func boundsOf(list []said) map[follows][]bound {
	all := map[follows][]bound{}
	told := map[follows]uint64{} // the highest commit index that a leader told, of any member
	for i := range list {
		s := &list[i]
		key, own := follows{s.from, s.term, s.to}, follows{s.from, s.term, 0}
		switch s.typ {
		case raftpb.MsgApp:
			all[key] = append(all[key], bound{i, s.index})
			told[own] = max(told[own], s.commit)
		case raftpb.MsgHeartbeat:
			if s.commit < told[own] {
				all[key] = append(all[key], bound{i, s.commit})
			}
			told[own] = max(told[own], s.commit)
		}
	}
	return all
}

// mayBeTaken reports whether a leader may have taken an acknowledgement by now: no later message shows that it had not.
func (x *explanation) mayBeTaken(l *letter) bool {
	list := x.bounds[follows{l.to, l.term, l.from}]
	for i := len(list) - 1; i >= 0 && list[i].at >= x.at; i-- {
		if list[i].index < l.index && !x.done[list[i].at] {
			return false
		}
	}
	return true
}
