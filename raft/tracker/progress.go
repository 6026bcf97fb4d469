package tracker

import (
	"fmt"
	"strings"
)

// Progress is what the leader knows of one member. On other members it is kept but means nothing.
type Progress struct {
	// Match is the index up to which the member's log is known to equal the leader's.
	Match uint64
	// Next is the index of the next entry to send; those between Match and Next are on their way.
	// Invariant: Match < Next. In StateSnapshot Next is PendingSnapshot+1.
	Next uint64
	// SentCommit is the highest commit index on its way to the member. It falls back when it
	// becomes likely that the message which carried it was lost.
	SentCommit uint64
	// State decides what may be sent.
	State State
	// PendingSnapshot is the index of the snapshot that was sent, in StateSnapshot, else 0. A
	// snapshot at another index, by other means, ends the state too if the log reaches it.
	PendingSnapshot uint64
	// RecentActive is true when the member answered since the last check of the quorum. The
	// leader's own is always true.
	RecentActive bool
	// MsgAppFlowPaused is true while nothing more may be sent until the member answers.
	MsgAppFlowPaused bool
	// Inflights holds the messages on their way, in StateReplicate.
	Inflights Inflights
	// IsLearner is true for a member that doesn't vote.
	IsLearner bool
}

// reset enters a state with nothing on its way.
func (p *Progress) reset(state State) {
	p.MsgAppFlowPaused = false
	p.PendingSnapshot = 0
	p.State = state
	p.Inflights.reset()
}

// BecomeProbe starts looking for the end of the common log: after the snapshot if one was sent,
// else after the last index known to match.
func (p *Progress) BecomeProbe() {
	next := p.Match + 1
	if p.State == StateSnapshot {
		next = max(next, p.PendingSnapshot+1)
	}
	p.reset(StateProbe)
	p.Next = next
	p.SentCommit = min(p.SentCommit, p.Next-1)
}

// BecomeReplicate starts pipelining after the last index known to match.
func (p *Progress) BecomeReplicate() {
	p.reset(StateReplicate)
	p.Next = p.Match + 1
}

// BecomeSnapshot waits for a snapshot that includes index.
func (p *Progress) BecomeSnapshot(index uint64) {
	p.reset(StateSnapshot)
	p.PendingSnapshot = index
	p.Next = index + 1
	p.SentCommit = index
}

// SentEntries records that a message with n entries of the given payload size in bytes was sent. A
// probe pauses the flow; so does a message that fills the window, or that was sent to test a full
// one.
func (p *Progress) SentEntries(n int, size uint64) {
	if p.State != StateReplicate {
		p.MsgAppFlowPaused = p.MsgAppFlowPaused || n > 0
		return
	}
	if n > 0 {
		p.Next += uint64(n)
		p.Inflights.Add(p.Next-1, size)
	}
	p.MsgAppFlowPaused = p.Inflights.Full()
}

// CanBumpCommit reports whether telling the member of the commit index now could make it commit
// more: it has not yet been told of one that covers all that was sent.
func (p *Progress) CanBumpCommit(commit uint64) bool {
	return commit > p.SentCommit && p.SentCommit < p.Next-1
}

// MaybeUpdate records that the member acknowledged index. It reports whether that was news.
func (p *Progress) MaybeUpdate(index uint64) bool {
	if index <= p.Match {
		return false
	}
	p.Match = index
	p.Next = max(p.Next, index+1)
	p.MsgAppFlowPaused = false
	return true
}

// MaybeDecrTo records that the member refused entries after index rejected, and that its log may
// match at hint. It reports false for an answer that is out of date: one about what has matched
// since or, while probing, not about the last probe.
func (p *Progress) MaybeDecrTo(rejected, hint uint64) bool {
	if p.State == StateReplicate {
		if rejected <= p.Match {
			return false
		}
		p.Next = p.Match + 1
	} else {
		if rejected != p.Next-1 {
			return false
		}
		p.Next = max(min(rejected, hint+1), p.Match+1)
		p.MsgAppFlowPaused = false
	}
	p.SentCommit = min(p.SentCommit, p.Next-1)
	return true
}

// IsPaused reports whether nothing may be sent to the member now.
func (p *Progress) IsPaused() bool { return p.State == StateSnapshot || p.MsgAppFlowPaused }

// String formats the progress as etcd's raft does.
func (p *Progress) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s match=%d next=%d", p.State, p.Match, p.Next)
	if p.IsLearner {
		b.WriteString(" learner")
	}
	if p.IsPaused() {
		b.WriteString(" paused")
	}
	if p.PendingSnapshot > 0 {
		fmt.Fprintf(&b, " pendingSnap=%d", p.PendingSnapshot)
	}
	if !p.RecentActive {
		b.WriteString(" inactive")
	}
	if n := p.Inflights.Count(); n > 0 {
		fmt.Fprintf(&b, " inflight=%d", n)
		if p.Inflights.Full() {
			b.WriteString("[full]")
		}
	}
	return b.String()
}
