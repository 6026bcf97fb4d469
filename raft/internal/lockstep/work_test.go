package lockstep

import (
	"errors"
	"runtime"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
)

// work is a Ready that is being handled in the synchronous mode. Other things may happen to the
// member, and it may crash, between any two stages.
type work struct {
	stage stage
	ours  raft.Ready
	ref   refraft.Ready
}

type stage byte

const (
	taken stage = iota
	stored
	sent
	applied
)

// jobQueue is what the storage threads of the asynchronous mode were asked to do, and the answers
// of theirs that the member itself has not got yet. Each thread does one after the other.
type jobQueue struct {
	append, apply []packet
	answers       []packet
}

// process does the work there is for a member: all of it, or with slow disks a part.
func (m *member) process() {
	switch {
	case m.config.AsyncStorageWrites && m.w.shape.slow:
		m.processSlowly()
	case m.config.AsyncStorageWrites:
		m.takeReady()
		for len(m.jobs.append) > 0 || len(m.jobs.apply) > 0 || len(m.jobs.answers) > 0 {
			m.appendJob()
			m.applyJob()
			m.answer(len(m.jobs.answers))
		}
	case m.work == nil:
		m.takeReady()
		if m.w.shape.slow {
			return
		}
		fallthrough
	default:
		for m.work != nil {
			m.nextStage()
		}
	}
}

// processSlowly leaves a few jobs to the storage threads.
func (m *member) processSlowly() {
	m.takeReady()
	for len(m.jobs.append) > m.w.steps%5 {
		m.appendJob()
	}
	for len(m.jobs.apply) > m.w.steps%3 {
		m.applyJob()
	}
	m.answer(m.w.steps % 4)
}

// takeReady takes a Ready from both sides, if there is one, and compares them.
func (m *member) takeReady() {
	if !m.ours.HasReady() {
		return
	}
	w := &work{}
	err := m.do("ready", func(n *raft.RawNode) (err error) {
		w.ours, err = n.Ready()
		return err
	}, func(n *refraft.RawNode) error {
		w.ref = n.Ready()
		return nil
	})
	if err != nil {
		return // possible only with a failing disk
	}
	if m.ref != nil {
		if what := differentReady(&w.ours, &w.ref); what != "" {
			m.w.fail("%d: ready: %s differ: got\n%s\nwant\n%s", m.id, what,
				raft.DescribeReady(w.ours, nil), refraft.DescribeReady(w.ref, nil))
		}
	}
	m.history.take(m, w.ours.CommittedEntries)
	if m.config.AsyncStorageWrites {
		m.dispatch(w)
		return
	}
	m.work = w
}

// nextStage does a part of the work in hand.
func (m *member) nextStage() {
	w := m.work
	switch w.stage {
	case taken:
		m.store(&storing{
			hs: w.ours.HardState, snap: w.ours.Snapshot, refSnap: w.ref.Snapshot,
			entries: w.ours.Entries, refEntries: w.ref.Entries, sync: w.ours.MustSync,
		})
	case stored:
		for i := range w.ours.Messages {
			m.w.send(packetOf(w.ours.Messages, w.ref.Messages, i))
		}
	case sent:
		m.apply(w.ours.CommittedEntries)
	case applied:
		m.doQuietly("advance", func(n *raft.RawNode) error { return n.Advance(w.ours) },
			func(n *refraft.RawNode) { n.Advance(w.ref) })
		m.work = nil
		return
	}
	w.stage++
}

// packetOf returns a message with its counterpart, if there is one.
func packetOf(ours []raftpb.Message, ref []*refpb.Message, i int) packet {
	p := packet{ours: ours[i]}
	if i < len(ref) {
		p.ref = ref[i]
	}
	return p
}

// dispatch sends the messages of a Ready in the asynchronous mode, to members and storage threads.
func (m *member) dispatch(w *work) {
	for i := range w.ours.Messages {
		switch p := packetOf(w.ours.Messages, w.ref.Messages, i); p.ours.To {
		case raft.LocalAppendThread:
			m.jobs.append = append(m.jobs.append, p)
		case raft.LocalApplyThread:
			m.jobs.apply = append(m.jobs.apply, p)
		default:
			m.w.send(p)
		}
	}
}

// appendJob has the append thread do its next piece of work.
func (m *member) appendJob() {
	if len(m.jobs.append) == 0 {
		return
	}
	p := m.jobs.append[0]
	m.jobs.append = m.jobs.append[1:]
	s := &storing{
		hs:   raftpb.HardState{Term: p.ours.Term, Vote: p.ours.Vote, Commit: p.ours.Commit},
		snap: p.ours.Snapshot, entries: p.ours.Entries, sync: len(p.ours.Responses) > 0,
	}
	if p.ref != nil {
		s.refSnap, s.refEntries = p.ref.GetSnapshot(), p.ref.GetEntries()
	}
	m.store(s)
	m.respond(&p)
}

// applyJob has the apply thread do its next piece of work.
func (m *member) applyJob() {
	if len(m.jobs.apply) == 0 {
		return
	}
	p := m.jobs.apply[0]
	m.jobs.apply = m.jobs.apply[1:]
	m.apply(p.ours.Entries)
	m.respond(&p)
}

// respond delivers the responses that came with a piece of work that is done.
func (m *member) respond(p *packet) {
	for i := range p.ours.Responses {
		if r := packetOf(p.ours.Responses, p.ref.GetResponses(), i); r.ours.To == m.id {
			m.jobs.answers = append(m.jobs.answers, r)
		} else {
			m.w.send(r)
		}
	}
}

// answer steps the first n answers of the storage threads.
func (m *member) answer(n int) {
	for range min(n, len(m.jobs.answers)) {
		p := m.jobs.answers[0]
		m.jobs.answers = m.jobs.answers[1:]
		_ = m.step(&p)
	}
}

// storing is what is to be put on a member's disks.
type storing struct {
	hs         raftpb.HardState
	snap       *raftpb.Snapshot
	refSnap    *refpb.Snapshot
	entries    []raftpb.Entry
	refEntries []*refpb.Entry
	sync       bool
}

// store puts on the disks what is to be there.
func (m *member) store(s *storing) {
	m.w.trace("%d: store %+v, %d entries, snapshot %t, sync %t",
		m.id, s.hs, len(s.entries), s.snap != nil, s.sync)
	if !s.snap.IsEmpty() {
		err := m.ourDisk.ApplySnapshot(*s.snap)
		m.sameDiskError("apply snapshot", err,
			func() error { return m.refDisk.ApplySnapshot(s.refSnap) })
		if err == nil {
			m.applied, m.conf = s.snap.Metadata.Index, s.snap.Metadata.ConfState
			m.history.restarted(m.applied)
		}
	}
	if len(s.entries) > 0 {
		err := m.ourDisk.Append(s.entries)
		m.sameDiskError("append", err, func() error { return m.refDisk.Append(s.refEntries) })
	}
	if s.hs.IsEmpty() {
		return
	}
	m.setHardState(s.hs)
	if s.sync || !s.snap.IsEmpty() {
		m.synced = s.hs
	}
}

func (m *member) setHardState(hs raftpb.HardState) {
	err := m.ourDisk.SetHardState(hs)
	m.sameDiskError("set hard state", err,
		func() error { return m.refDisk.SetHardState(refHardState(hs)) })
}

func (m *member) sameDiskError(what string, err error, ref func() error) {
	if m.w.alone {
		return
	}
	var refErr error
	m.guard("reference: "+what, func() { refErr = ref() })
	same := (err == nil) == (refErr == nil) &&
		errors.Is(err, raft.ErrCompacted) == errors.Is(refErr, refraft.ErrCompacted) &&
		errors.Is(err, raft.ErrSnapOutOfDate) == errors.Is(refErr, refraft.ErrSnapOutOfDate)
	if !same {
		m.w.fail("%d: %s: got error %v, want %v", m.id, what, err, refErr)
	}
}

// apply has the application apply committed entries.
func (m *member) apply(entries []raftpb.Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Index <= m.applied {
			continue // it is in a snapshot that came meanwhile
		}
		if change := decodeChange(e); change != nil {
			m.applyChange(e, change)
		}
		m.applied = e.Index
	}
}

// applyChange applies a membership change, unless the applications reject it: all the same ones.
func (m *member) applyChange(e *raftpb.Entry, change raftpb.ConfChangeI) {
	if m.w.shape.rejects && (e.Index*7+e.Term)%5 == 0 && !m.w.founding(e) {
		m.w.trace("%d: reject change at %d", m.id, e.Index)
		return
	}
	refChange, err := refConfChange(change)
	if err != nil {
		m.w.fail("%d: conf change: %v", m.id, err)
	}
	m.w.steps++
	m.w.trace("%d: apply change %s", m.id, raftpb.DescribeConfChange(change))
	var cs raftpb.ConfState
	m.guard("ours: apply change", func() { cs, err = m.ours.ApplyConfChange(change) })
	if m.ref != nil {
		m.sameChange(refChange, &cs, err)
	}
	if err == nil {
		m.conf, m.settled = cs, max(m.settled, e.Index)
	}
	m.check("apply change")
}

// sameChange applies a change to the reference. Intended difference: over one that can't be made it
// panics, having changed nothing; ours returns an error.
func (m *member) sameChange(change refpb.ConfChangeI, cs *raftpb.ConfState, err error) {
	want, impossible := m.refApply(change)
	if impossible != (err != nil) {
		m.w.fail("%d: apply change: got error %v, reference panics: %t", m.id, err, impossible)
	}
	if err == nil && !sameConfState(cs, want) {
		m.w.fail("%d: apply change: got %+v, want %v", m.id, *cs, want)
	}
}

func (m *member) refApply(change refpb.ConfChangeI) (cs *refpb.ConfState, impossible bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, bug := p.(runtime.Error); bug {
				m.w.fail("%d: reference: apply change: panic: %v", m.id, p)
			}
			impossible = true
		}
	}()
	return m.ref.ApplyConfChange(change), false
}

// decodeChange returns the membership change that an entry holds, nil for none.
func decodeChange(e *raftpb.Entry) raftpb.ConfChangeI {
	switch e.Type {
	case raftpb.EntryConfChange:
		var v1 raftpb.ConfChange
		if v1.Unmarshal(e.Data) == nil {
			return v1
		}
	case raftpb.EntryConfChangeV2:
		var v2 raftpb.ConfChangeV2
		if v2.Unmarshal(e.Data) == nil {
			return v2
		}
	}
	return nil
}

// leavesJoint reports whether a conf change of the reference leaves the joint configuration.
func leavesJoint(e *refpb.Entry) bool {
	change := decodeChange(&raftpb.Entry{Type: raftpb.EntryType(e.GetType()), Data: e.GetData()})
	return change != nil && len(change.AsV2().Changes) == 0
}
