package classic

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/raftctl/raftctl/raftpb"
)

// Link is who a message goes between, as far as the message doesn't tell.
type Link struct{ From, To uint64 }

// ToRaft returns the message of raft.proto that says the same. What that has no field for, the number by which a
// request and its answer know each other, is its Context, 4 bytes. Who a request is from it says itself. The error
// says which number is negative.
func ToRaft(m Message, l Link) (raftpb.Message, error) {
	var c converter
	out := raftpb.Message{From: l.From, To: l.To}
	switch m := m.(type) {
	case *RequestVote:
		out.Type, out.Term, out.From = raftpb.MsgVote, c.number("term", m.Term), c.number("candidate_id", m.CandidateID)
		out.Index, out.LogTerm = c.number("last_log_index", m.LastLogIndex), c.number("last_log_term", m.LastLogTerm)
	case *RequestVoteResponse:
		out.Type, out.Term, out.Reject = raftpb.MsgVoteResp, c.number("term", m.Term), !m.VoteGranted
	case *AppendEntries:
		out.Type, out.Term, out.From = raftpb.MsgApp, c.number("term", m.Term), c.number("leader_id", m.LeaderID)
		out.Index, out.LogTerm = c.number("prev_log_index", m.PrevLogIndex), c.number("prev_log_term", m.PrevLogTerm)
		out.Commit, out.Context = c.number("leader_commit", m.LeaderCommit), numbers(nil, m.Seq)
		for i := range m.Entries {
			e := &m.Entries[i]
			out.Entries = append(out.Entries, raftpb.Entry{
				Term: c.number("term of an entry", e.Term), Index: out.Index + uint64(i) + 1, Data: e.Data,
			})
		}
	case *AppendEntriesResponse:
		out.Type, out.Term, out.From = raftpb.MsgAppResp, c.number("term", m.Term), c.number("follower_id", m.FollowerID)
		out.Index, out.Reject = c.number("log_index", m.LogIndex), !m.Success
		out.Commit, out.Context = c.number("follower_commit", m.FollowerCommit), numbers(nil, m.Ack)
		if out.Reject {
			out.RejectHint = out.Index
		}
	}
	return out, c.err
}

// FromRaft is the inverse of ToRaft. The error says what the protocol has no room for: other types of messages and
// of entries, and numbers that need more than 31 bits.
func FromRaft(m *raftpb.Message) (Message, error) {
	var c converter
	var out Message
	switch m.Type {
	case raftpb.MsgVote:
		out = &RequestVote{
			Term: c.int32("term", m.Term), CandidateID: c.int32("from", m.From),
			LastLogIndex: c.int32("index", m.Index), LastLogTerm: c.int32("log term", m.LogTerm),
		}
	case raftpb.MsgVoteResp:
		out = &RequestVoteResponse{Term: c.int32("term", m.Term), VoteGranted: !m.Reject}
	case raftpb.MsgApp:
		out = &AppendEntries{
			Term: c.int32("term", m.Term), LeaderID: c.int32("from", m.From),
			PrevLogIndex: c.int32("index", m.Index), PrevLogTerm: c.int32("log term", m.LogTerm),
			LeaderCommit: c.int32("commit", m.Commit), Seq: c.context(m.Context), Entries: c.entries(m),
		}
	case raftpb.MsgAppResp:
		out = &AppendEntriesResponse{
			Term: c.int32("term", m.Term), FollowerID: c.int32("from", m.From), LogIndex: c.int32("index", m.Index),
			Success: !m.Reject, FollowerCommit: c.int32("commit", m.Commit), Ack: c.context(m.Context),
		}
	default:
		return nil, fmt.Errorf("message of type %v, want MsgVote, MsgApp or an answer to one", m.Type)
	}
	if c.err == nil && out.payloadSize() > MaxPayload {
		c.err = fmt.Errorf("payload size %d, want at most %d", out.payloadSize(), MaxPayload)
	}
	if c.err != nil {
		return nil, c.err
	}
	return out, nil
}

// converter keeps the first error.
type converter struct{ err error }

func (c *converter) number(name string, n int32) uint64 {
	if n < 0 && c.err == nil {
		c.err = fmt.Errorf("%s %d, want 0 or more", name, n)
	}
	return uint64(max(n, 0))
}

func (c *converter) int32(name string, n uint64) int32 {
	if n > math.MaxInt32 && c.err == nil {
		c.err = fmt.Errorf("%s %d, want at most %d", name, n, math.MaxInt32)
	}
	return int32(n)
}

func (c *converter) context(b []byte) int32 {
	if len(b) == 0 {
		return 0
	}
	if len(b) != 4 {
		if c.err == nil {
			c.err = fmt.Errorf("context of %d bytes, want 4 or none", len(b))
		}
		return 0
	}
	return int32(binary.LittleEndian.Uint32(b))
}

func (c *converter) entries(m *raftpb.Message) (list []Entry) {
	for i := range m.Entries {
		e := &m.Entries[i]
		if c.err == nil && e.Type != raftpb.EntryNormal {
			c.err = fmt.Errorf("entry %d of type %v, want EntryNormal", e.Index, e.Type)
		}
		if want := m.Index + uint64(i) + 1; c.err == nil && e.Index != want {
			c.err = fmt.Errorf("entry %d, want %d", e.Index, want)
		}
		list = append(list, Entry{Term: c.int32("term of an entry", e.Term), Data: e.Data})
	}
	return list
}
