package raft

import "github.com/raftctl/raftctl/raftpb"

// Ready is work for the application: what to store, send and apply.
//
// Entries and CommittedEntries, and what messages hold, stay as they are for ever and may be kept,
// but must not be changed. The array of Messages is used again: it is good until Ready is next
// called, so keep copies of the messages, not of the slice.
type Ready struct {
	// SoftState is set when it changed. It need not be stored.
	SoftState *SoftState
	// HardState is to be stored before Messages are sent. Empty when it did not change.
	HardState raftpb.HardState
	// ReadStates are answers to read requests.
	ReadStates []ReadState
	// Entries are to be stored before Messages are sent, in place of any at their indexes and
	// after.
	Entries []raftpb.Entry
	// Snapshot is to be stored before Entries and before Messages are sent, and is the state from
	// then on. Nil for none.
	Snapshot *raftpb.Snapshot
	// CommittedEntries are to be applied.
	CommittedEntries []raftpb.Entry
	// Messages are to be sent: after the above is stored, unless Config.AsyncStorageWrites is set,
	// in which case those to LocalAppendThread and LocalApplyThread say what to store and to apply,
	// and the others may be sent at once. A MsgSnap is to be reported on, see ReportSnapshot.
	Messages []raftpb.Message
	// MustSync tells that HardState and Entries must be on disk before Messages are sent, not just
	// written. It does not speak of Snapshot, which must be, nor of a commit index, which need not;
	// but see "Membership" in the package documentation.
	MustSync bool
}

// applyUnstable reports whether entries may be applied that are committed but not known to be in
// this member's Storage. The application writes them before it applies them when it does both for
// one Ready.
func (n *RawNode) applyUnstable() bool { return !n.core.cfg.AsyncStorageWrites }

// HasReady reports whether Ready has anything to say.
func (n *RawNode) HasReady() bool {
	c := n.core
	hs := c.hardState()
	return len(c.msgs) > 0 || len(c.msgsAfterAppend) > 0 ||
		len(c.log.unstable.nextEntries()) > 0 ||
		c.log.hasNextCommitted(n.applyUnstable()) ||
		hs != n.prevHardState && !hs.IsEmpty() ||
		c.softState() != n.prevSoftState ||
		c.log.unstable.nextSnapshot() != nil ||
		len(c.readStates) > 0
}

// Ready returns the work there is, which the application must then do. In the synchronous mode it
// must call Advance before it calls Ready again, else that returns ErrNotAdvanced. On error nothing
// was taken out: the same work will be in the next Ready.
func (n *RawNode) Ready() (Ready, error) {
	if len(n.onAdvance) > 0 {
		return Ready{}, ErrNotAdvanced
	}
	c := n.core
	committed, err := c.log.nextCommitted(n.applyUnstable())
	if err != nil {
		return Ready{}, err
	}
	rd := Ready{
		ReadStates:       c.readStates,
		Entries:          c.log.unstable.nextEntries(),
		Snapshot:         c.log.unstable.nextSnapshot(),
		CommittedEntries: committed,
	}
	c.readStates = nil
	n.takeStates(&rd)
	if c.cfg.AsyncStorageWrites {
		n.askStorage(&rd)
	} else {
		n.keepForAdvance(&rd)
	}
	rd.Messages = n.takeMessages()
	c.log.unstable.acceptInProgress()
	if len(committed) > 0 {
		c.log.acceptApplying(committed, n.applyUnstable())
	}
	return rd, nil
}

// takeStates sets the states that changed since the last Ready.
func (n *RawNode) takeStates(rd *Ready) {
	if soft := n.core.softState(); soft != n.prevSoftState {
		n.prevSoftState = soft
		rd.SoftState = &SoftState{Lead: soft.Lead, RaftState: soft.RaftState}
	}
	hard := n.core.hardState()
	rd.MustSync = MustSync(hard, n.prevHardState, len(rd.Entries))
	if hard != n.prevHardState {
		rd.HardState = hard
		if !hard.IsEmpty() {
			n.prevHardState = hard
		}
	}
}

// keepForAdvance sets aside what this member is to be told when the Ready is done, and queues what
// others are to be told with the Ready. The member's own acknowledgements come before the news that
// entries are stable: so their terms are still at hand.
func (n *RawNode) keepForAdvance(rd *Ready) {
	c := n.core
	for i := range c.msgsAfterAppend {
		if m := &c.msgsAfterAppend[i]; m.To == c.id {
			n.onAdvance = append(n.onAdvance, *m)
		} else {
			c.msgs = append(c.msgs, *m)
		}
	}
	clear(c.msgsAfterAppend)
	c.msgsAfterAppend = c.msgsAfterAppend[:0]
	if n.needAppendReply(rd) {
		n.onAdvance = append(n.onAdvance, n.appendReply(rd))
	}
	if len(rd.CommittedEntries) > 0 {
		n.onAdvance = append(n.onAdvance, n.applyReply(rd))
	}
}

// An array for more than keepMessages messages is let go when keepReadys Readys in a row needed
// less than a quarter of it.
const (
	keepMessages = 1024
	keepReadys   = 64
)

// takeMessages returns the queued messages. Two arrays take turns: the one given out is not touched
// until the next call.
func (n *RawNode) takeMessages() []raftpb.Message {
	c := n.core
	if len(c.msgs) == 0 {
		return nil
	}
	out := c.msgs
	clear(n.spare)
	c.msgs, n.spare = n.spare[:0], out
	if cap(out) <= keepMessages || len(out) >= cap(out)/4 {
		n.smallReadys = 0
		return out
	}
	if n.smallReadys++; n.smallReadys >= keepReadys {
		n.smallReadys, n.spare = 0, nil
	}
	return out
}
