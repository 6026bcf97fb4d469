package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// Limits of what waits for the loop, or for whom the loop waits, in bytes.
const (
	inboxLimit    = 64 << 20 // messages of other members
	proposalLimit = 64 << 20 // of this member's clients
	appendLimit   = 64 << 20 // entries on their way to the disk: beyond, no messages are taken
	batchLimit    = 1 << 20  // proposals in one message
)

// What the core is told, as by etcd.
const (
	maxSizePerMsg   = 1 << 20
	maxInflight     = 512
	maxApplying     = 4 << 20 // committed entries that are being applied
	maxUncommitted  = 256 << 20
	minMessageBytes = 64 // that a message counts at least
)

// loop owns the core: one goroutine that feeds it, and hands on what it says.
type loop struct {
	n    *Node
	core *raft.RawNode

	inbox     *queue[raftpb.Message] // of other members
	replies   *queue[raftpb.Message] // of the appender and the applier, as many as they have work
	proposals *queue[*proposal]
	calls     *queue[func()] // as many as there are callers
	lastTick  time.Time
}

// proposal is an entry that somebody waits for.
type proposal struct {
	ctx     context.Context // of whoever waits
	data    []byte
	dropped chan<- error // gets the reason if the core doesn't take it
	taken   atomic.Bool  // the core has it
}

func newLoop(n *Node) *loop {
	return &loop{
		n:     n,
		inbox: newQueue[raftpb.Message](inboxLimit), replies: newQueue[raftpb.Message](0),
		proposals: newQueue[*proposal](proposalLimit), calls: newQueue[func()](0),
	}
}

// startLoop makes the core from what boot found.
func (n *Node) startLoop() error {
	c := &n.cfg
	core, err := raft.NewRawNode(&raft.Config{
		ID: n.standing.id, ElectionTick: c.electionTicks(), HeartbeatTick: 1,
		Storage: n.memory, Applied: n.memory.applied.Load().Index, AsyncStorageWrites: true,
		MaxSizePerMsg: maxSizePerMsg, MaxCommittedSizePerReady: maxApplying,
		MaxUncommittedEntriesSize: maxUncommitted, MaxInflightMsgs: maxInflight,
		CheckQuorum: true, PreVote: !c.NoPreVote,
		Rand: rand.New(rand.NewPCG(cmp.Or(c.machine.Seed, rand.Uint64()), n.standing.id)),
	})
	if err != nil {
		return withDoctor(c.DataDir, err)
	}
	n.loop.core = core
	st := core.BasicStatus()
	n.standing.set(&st)
	if len(n.memory.applied.Load().ConfState.Voters) == 1 && !c.NoElectionAdvance {
		for range c.electionTicks() - 1 {
			if err := core.Tick(); err != nil {
				return err
			}
		}
	}
	return nil
}

// run feeds the core until the member stops.
func (l *loop) run() {
	tick := time.NewTicker(l.n.cfg.Tick)
	defer tick.Stop()
	for {
		if err := l.handOn(); err != nil {
			l.n.fail(err)
			return
		}
		inbox, proposals := l.inbox.ready, l.proposals.ready
		if l.n.appender.work.bytes() > appendLimit {
			inbox, proposals = nil, nil
		}
		if l.n.standing.lead.Load() == raftpb.None {
			proposals = nil
		}
		var err error
		select {
		case <-tick.C:
			l.ticked()
			err = l.core.Tick()
		case <-inbox:
			err = l.step(l.inbox.take())
		case <-l.replies.ready:
			err = l.step(l.replies.take())
		case <-proposals:
			err = l.propose(l.proposals.take())
		case <-l.calls.ready:
			for _, call := range l.calls.take() {
				call()
			}
		case <-l.n.ctx.Done():
			return
		}
		if err != nil {
			l.n.fail(err)
			return
		}
	}
}

// ticked counts heartbeats that are late by more than one, as etcd does.
func (l *loop) ticked() {
	now := time.Now()
	if l.n.standing.leads() && !l.lastTick.IsZero() && now.Sub(l.lastTick) > 2*l.n.cfg.Tick {
		l.n.metrics.lateHeartbeats.Inc()
		l.n.log.Warn("heartbeats are late: the machine may be overloaded", "by", now.Sub(l.lastTick)-l.n.cfg.Tick)
	}
	l.lastTick = now
}

// step hands messages to the core. What a correct member would not send is logged; what tells that this
// log has lost something ends the member.
func (l *loop) step(messages []raftpb.Message) error {
	for i := range messages {
		m := &messages[i]
		err := l.core.Step(*m)
		switch refused, ok := errors.AsType[*raft.RefusedError](err); {
		case err == nil, errors.Is(err, raft.ErrProposalDropped), errors.Is(err, raft.ErrStepPeerNotFound):
		case ok && (refused.Reason == raft.RefusedCommit || refused.Reason == raft.RefusedConflict):
			return l.lost(refused)
		case ok, errors.Is(err, raft.ErrStepLocalMsg):
			l.n.log.Warn("refused a message", "from", fmt.Sprintf("%x", m.From), "type", m.Type, "error", err)
		default:
			return fmt.Errorf("%v of member %x: %w", m.Type, m.From, err)
		}
	}
	return nil
}

// lost says that the log lacks entries that it acknowledged, or has others in their place. Whatever the
// member did from here on might lose what the cluster has committed.
func (l *loop) lost(err *raft.RefusedError) error {
	return &HelpError{
		Err: fmt.Errorf("this log lost entries that it acknowledged: %w", err),
		Help: fmt.Sprintf("remove member %x from the cluster and add it again with an empty directory; "+
			"raftctl doctor %s shows what is left", l.n.standing.id, l.n.cfg.DataDir),
	}
}

// propose hands proposals to the core, many in one message.
func (l *loop) propose(batch []*proposal) error {
	for len(batch) > 0 {
		var entries []raftpb.Entry
		size, n := 0, 0
		for n < len(batch) && (n == 0 || size+len(batch[n].data) <= batchLimit) {
			if p := batch[n]; p.ctx.Err() == nil {
				p.taken.Store(true)
				entries = append(entries, raftpb.Entry{Data: p.data})
				size += len(p.data)
			}
			n++
		}
		if len(entries) > 0 {
			err := l.core.Step(raftpb.Message{Type: raftpb.MsgProp, From: l.n.standing.id, Entries: entries})
			if err != nil && !errors.Is(err, raft.ErrProposalDropped) {
				return err
			}
			for i := range batch[:n] {
				if err != nil {
					batch[i].dropped <- err
				}
			}
		}
		batch = batch[n:]
	}
	return nil
}

// tell has the loop call a function on the core, and waits for nothing. An error ends the member.
func (l *loop) tell(f func(*raft.RawNode) error) {
	l.calls.add(func() {
		if err := f(l.core); err != nil {
			l.n.fail(err)
		}
	}, 0)
}

// do has the loop call a function on the core, and returns its error.
func (l *loop) do(ctx context.Context, f func(*raft.RawNode) error) error {
	result := make(chan error, 1)
	l.calls.add(func() { result <- f(l.core) }, 0)
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.n.ctx.Done():
		return ErrStopped
	}
}
