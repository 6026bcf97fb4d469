package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// applier applies what is committed, and does everything else that the state machine wants from one
// goroutine.
type applier struct {
	n    *Node
	work *queue[job] // entries, as many as the core hands out; besides those as many jobs as callers

	running  bool           // the core is there to be told of changes of the membership
	applying raftpb.EntryID // the change that is being applied
	onDisk   raftpb.EntryID // the last snapshot in the log
	saving   chan error     // of a snapshot that is being recorded; nil: none is
}

// job is something for the applier to do: one of its fields is set.
type job struct {
	apply       []raftpb.Entry
	restore     *received
	snapshotFor *raftpb.Message // a MsgSnap that wants a state
	call        func()

	replies []raftpb.Message // when it is done
}

func newApplier(n *Node) *applier { return &applier{n: n, work: newQueue[job](0)} }

// begin tells that what the log has is applied. The next snapshot is due after as many entries as ever behind the one
// that the log was read from, however often the member starts: else the log of one that starts often would grow
// without end.
func (a *applier) begin() { a.running = true }

func (a *applier) run() {
	for {
		select {
		case <-a.work.ready:
		case <-a.n.ctx.Done():
			a.waitSaved()
			return
		}
		for _, j := range a.work.take() {
			if err := a.do(&j); err != nil {
				a.n.fail(a.advise(err))
				a.waitSaved()
				return
			}
		}
	}
}

func (a *applier) do(j *job) error {
	switch {
	case j.call != nil:
		j.call()
		return nil
	case j.snapshotFor != nil:
		return a.sendSnapshot(j.snapshotFor)
	case j.restore != nil:
		if err := a.restore(j.restore); err != nil {
			return err
		}
	default:
		if err := a.apply(j.apply); err != nil {
			return err
		}
	}
	a.n.deliver(j.replies)
	return nil
}

// apply applies entries, each change of the membership by itself, and so the first entry of a term: whoever
// waits for an entry behind it finds a leader that does all that leaders do.
func (a *applier) apply(entries []raftpb.Entry) error {
	for len(entries) > 0 {
		n := 0
		for n < len(entries) && entries[n].Type == raftpb.EntryNormal && len(entries[n].Data) > 0 {
			n++
		}
		if n == 0 {
			n = 1
			a.applying = entries[0].ID()
		}
		if _, err := a.n.store.Apply(entries[:n]); err != nil {
			return err
		}
		a.n.memory.kept.add(entries[:n])
		a.note(entries[:n])
		entries = entries[n:]
	}
	return a.afterwards()
}

// note tells everybody what was applied.
func (a *applier) note(entries []raftpb.Entry) {
	last := entries[len(entries)-1]
	for i := range entries {
		if e := &entries[i]; e.Type == raftpb.EntryNormal && len(e.Data) == 0 {
			a.firstOfTerm(e)
		}
	}
	cs := a.n.memory.applied.Load().ConfState
	if last.Type != raftpb.EntryNormal {
		cs = a.n.store.ConfState()
		a.n.endIfRemoved()
	}
	a.n.memory.setApplied(last.ID(), cs)
	a.n.standing.applied.Store(last.Index)
	a.n.metrics.applied.Set(float64(last.Index))
	a.n.appliedWait.Trigger(last.Index)
}

// firstOfTerm is told of an entry without data, with which each leader begins its term: from now on reads
// can be answered, and leases expire by this member's clock if it is the leader.
func (a *applier) firstOfTerm(e *raftpb.Entry) {
	if e.Term != a.n.standing.term.Load() {
		return
	}
	a.n.reads.retry()
	if a.n.standing.leads() {
		signal(a.n.versions.due)
		a.n.store.Lessor().Promote(a.n.cfg.ElectionTimeout)
	}
}

// confChange is told of a change of the membership before it is in the database; see kv.Options. The core
// is told once the log says durably that the change is committed: else a crash could make the member
// campaign in a membership that is no more.
func (a *applier) confChange(cc raftpb.ConfChange) (cs raftpb.ConfState, err error) {
	if !a.running {
		return cs, nil
	}
	index := a.applying.Index
	select {
	case <-a.n.appended.Wait(index):
	case <-a.n.ctx.Done():
		return cs, ErrStopped
	}
	if err := a.n.wal.Sync(); err != nil {
		return cs, err
	}
	var next raftpb.ConfState // the core's goroutine may still write it where do returns an error
	err = a.n.loop.do(a.n.ctx, func(core *raft.RawNode) (err error) {
		if st := core.LogStatus(); index <= max(st.Applied, st.Snapshot) {
			return nil // a snapshot brought a later membership
		}
		next, err = core.ApplyConfChange(cc)
		return err
	})
	if err != nil {
		return cs, err
	}
	if cc.NodeID != raftpb.None {
		err = a.n.changePeers(&cc)
	}
	return next, err
}

// onApplier has the applier call a function between two jobs, and returns its error.
func (n *Node) onApplier(ctx context.Context, f func() error) error {
	result := make(chan error, 1)
	n.applier.work.add(job{call: func() { result <- f() }}, 0)
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-n.ctx.Done():
		return ErrStopped
	}
}

// advise adds to an error of the state machine what helps.
func (a *applier) advise(err error) error {
	if _, ok := errors.AsType[*kv.EntryError](err); ok {
		return withDoctor(a.n.cfg.DataDir, err)
	}
	return fmt.Errorf("%s: %w", a.n.databasePath(), err)
}
