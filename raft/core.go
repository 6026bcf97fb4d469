package raft

import (
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// core is the state machine behind RawNode. Its methods return an error when Storage fails or a
// message is refused. What they had done by then is complete in itself: it is as if the rest of the
// message got lost, which Raft is made to survive.
type core struct {
	id   uint64
	term uint64
	vote uint64

	state StateType
	lead  uint64

	log *raftLog
	trk tracker.Tracker

	// msgs may be sent at once. msgsAfterAppend may be sent only when all that is unstable now is
	// on disk: they promise it. They may be to the member itself.
	msgs            []raftpb.Message
	msgsAfterAppend []raftpb.Message
	readStates      []ReadState

	elapsed   timers
	timeout   int  // the election timeout for this term and role, drawn from rand
	timeoutOK bool // whether timeout was drawn

	// termStart is the index of the leader's first entry in its term. All entries from there on are
	// of its term; none before is. Means nothing at others.
	termStart uint64
	// pendingConfIndex is the index of the last membership change that may not be applied yet, or
	// one beyond which there is none. A leader proposes the next only when it has applied that far.
	pendingConfIndex uint64
	uncommittedSize  uint64 // payload bytes that a leader took and that aren't applied yet
	transferee       uint64 // who is to become leader

	reads        readQueue
	pendingReads []raftpb.Message // to be answered when this leader has committed in its term

	notifier
	cfg Config
}

// timers count ticks.
type timers struct {
	election  int // since word of the leader, or at a leader since the last check of the quorum
	heartbeat int // since the last heartbeat, at a leader
}

// newCore returns a follower with the state that Storage holds.
func newCore(cfg Config) (*core, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &core{id: cfg.ID, cfg: cfg, notifier: notifier{id: cfg.ID, observer: cfg.Observer}}
	c.trk = tracker.Tracker{
		MaxInflight:      cfg.MaxInflightMsgs,
		MaxInflightBytes: orNoLimit(cfg.MaxInflightBytes),
	}
	c.reads.option = cfg.ReadOnlyOption
	var err error
	if c.log, err = newLog(cfg.Storage, cfg.maxApplying(), c.notifier); err != nil {
		return nil, err
	}
	if err := c.restoreState(); err != nil {
		return nil, err
	}
	c.becomeFollower(c.term, None)
	return c, c.announce()
}

// restoreState takes over hard state, membership and applied index.
func (c *core) restoreState() error {
	hs, cs, err := c.cfg.Storage.InitialState()
	if err != nil {
		return fmt.Errorf("raft: storage: initial state: %w", err)
	}
	changer := confchange.Changer{Tracker: &c.trk, LastIndex: c.log.lastIndex()}
	result, err := confchange.Restore(changer, cs)
	if err != nil {
		return fmt.Errorf("raft: storage: initial state: %w", err)
	}
	if _, err := c.switchConfig(result); err != nil {
		return err
	}
	if err := c.checkRestored(&cs); err != nil {
		return err
	}
	return c.loadState(hs)
}

// checkRestored returns an error if the membership in force isn't the one that was to be restored.
func (c *core) checkRestored(cs *raftpb.ConfState) error {
	got := c.trk.ConfState()
	if err := cs.Equivalent(&got); err != nil {
		return fmt.Errorf("raft: storage: initial state: membership contradicts itself: %w", err)
	}
	return nil
}

func (c *core) loadState(hs raftpb.HardState) error {
	if !hs.IsEmpty() {
		if hs.Commit > c.log.lastIndex() {
			return configError("Storage", "has commit index %d, outside of the log [%d, %d]",
				hs.Commit, c.log.committed, c.log.lastIndex())
		}
		// What is compacted was committed, even if a crash kept the hard state from saying so.
		c.term, c.vote = hs.Term, hs.Vote
		c.log.commitTo(hs.Commit)
	}
	return c.loadApplied(c.cfg.Applied)
}

// loadApplied takes over the applied index. What was applied was committed, even if the hard state
// that said so did not make it to the disk: a commit index alone is never waited for.
func (c *core) loadApplied(applied uint64) error {
	if applied == 0 {
		return nil
	}
	if applied < c.log.applied || applied > c.log.lastIndex() {
		return configError("Applied", "is %d, outside of the log [%d, %d]",
			applied, c.log.applied, c.log.lastIndex())
	}
	c.log.commitTo(applied)
	c.log.appliedTo(applied, 0)
	return nil
}

// announce tells the observer of the new member.
func (c *core) announce() error {
	if !c.on() {
		return nil
	}
	last, err := c.log.lastEntryID()
	if err != nil {
		return err
	}
	c.emit(Started{
		Voters:    slices.Clone(c.trk.Voters.IDs()),
		HardState: c.hardState(),
		Applied:   c.log.applied,
		Last:      last,
	})
	return nil
}

func (c *core) softState() SoftState { return SoftState{Lead: c.lead, RaftState: c.state} }

func (c *core) hardState() raftpb.HardState {
	return raftpb.HardState{Term: c.term, Vote: c.vote, Commit: c.log.committed}
}

// reset prepares for a role in a term. In a new term nobody was voted for.
func (c *core) reset(term uint64) {
	if c.term != term {
		c.term, c.vote = term, None
	}
	c.lead = None
	c.elapsed = timers{}
	c.timeoutOK = false
	c.transferee = None
	c.trk.ResetVotes()
	c.trk.ResetProgress(c.id, c.log.lastIndex())
	c.pendingConfIndex = 0
	c.uncommittedSize = 0
	c.reads.reset()
}

func (c *core) becomeFollower(term, lead uint64) {
	c.reset(term)
	c.lead, c.state = lead, StateFollower
	c.emitState()
}

// becomeCandidate enters a new term with this member's vote for itself.
func (c *core) becomeCandidate() {
	c.reset(c.term + 1)
	c.vote, c.state = c.id, StateCandidate
	c.emitState()
}

// becomePreCandidate changes nothing that others could notice: neither term nor vote.
func (c *core) becomePreCandidate() {
	c.trk.ResetVotes()
	c.lead, c.state = None, StatePreCandidate
	c.emitState()
}

// becomeLeader starts the term with an empty entry: committing it commits what earlier terms left,
// which may not be committed by counting copies (paper, section 5.4.2).
func (c *core) becomeLeader() {
	c.reset(c.term)
	c.lead, c.state = c.id, StateLeader
	self := c.trk.Members.Get(c.id)
	self.BecomeReplicate()
	self.RecentActive = true
	// There may be a membership change among the entries not yet committed. Rather than to look,
	// the next one waits until all of them are applied.
	c.pendingConfIndex = c.log.lastIndex()
	c.termStart = c.log.lastIndex() + 1
	c.appendEntries([]raftpb.Entry{{}})
	c.emitState()
}

func (c *core) emitState() {
	if c.on() {
		c.emit(StateChanged{State: c.state, Term: c.term})
	}
}
