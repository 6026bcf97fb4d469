package ladder

import "github.com/raftctl/raftctl/raftpb"

// marks are what messages tell of terms and who leads them.
type marks struct {
	terms     []mark // where a term begins; lane is not used
	leaders   []mark // where a member is first seen to lead a term
	elections []mark // where a member first asks for votes in a term
	term      uint64
	led       map[mark]bool // of leaders and elections, with row 0
}

// mark says that something begins at a row.
type mark struct {
	row, lane int
	term      uint64
	kind      string // of an election: Vote or PreVote
}

// see takes in the message of a row.
func (k *marks) see(row, from int, m *raftpb.Message) {
	if k.led == nil {
		k.led = map[mark]bool{}
	}
	switch m.Type {
	case raftpb.MsgPreVote, raftpb.MsgPreVoteResp: // of a term that may never come
	default:
		if m.Term > k.term {
			k.term = m.Term
			k.terms = append(k.terms, mark{row: row, term: m.Term})
		}
	}
	switch m.Type {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap, raftpb.MsgTimeoutNow:
		k.leaders = k.once(k.leaders, mark{row, from, m.Term, ""})
	case raftpb.MsgVote:
		k.elections = k.once(k.elections, mark{row, from, m.Term, "Vote"})
	case raftpb.MsgPreVote:
		k.elections = k.once(k.elections, mark{row, from, m.Term, "PreVote"})
	}
}

// once appends a mark unless the same was seen before.
func (k *marks) once(to []mark, m mark) []mark {
	if m.term == 0 {
		return to
	}
	key := m
	key.row = 0
	if k.led[key] {
		return to
	}
	k.led[key] = true
	return append(to, m)
}
