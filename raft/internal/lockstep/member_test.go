package lockstep

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"unsafe"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
	reftracker "go.etcd.io/raft/v3/tracker"
)

// member is one member of a world, twice: ours and the reference. In a world on our own, which sees
// what the reference does not survive, ref is nil.
type member struct {
	w      *world
	id     uint64
	config raft.Config

	ours    *raft.RawNode
	ref     *refraft.RawNode
	hidden  refHidden
	ourDisk *ourStorage
	refDisk *refStorage

	up      bool
	applied uint64           // how far the application has applied
	conf    raftpb.ConfState // the membership as of applied
	synced  raftpb.HardState // the last one that a crash can't lose
	settled uint64           // the index of the last membership change that was applied

	work *work    // the Ready in hand, in the synchronous mode
	jobs jobQueue // of the storage threads, in the asynchronous mode

	// readsWait is set while reads may wait for the first commit of a leader in its term.
	readsWait bool

	history history
}

// refHidden points to fields of the reference that it offers no way to read or set.
type refHidden struct {
	timeout          *int    // the election timeout, drawn from crypto/rand
	pendingConfIndex *uint64 // the index of the last membership change that may not be applied
}

func hiddenOf(n *refraft.RawNode) refHidden {
	r := reflect.ValueOf(n).Elem().FieldByName("raft").Elem()
	field := func(name string) unsafe.Pointer {
		return unsafe.Pointer(r.FieldByName(name).UnsafeAddr())
	}
	return refHidden{
		timeout:          (*int)(field("randomizedElectionTimeout")),
		pendingConfIndex: (*uint64)(field("pendingConfIndex")),
	}
}

// drawn gives ours the election timeout that the reference gets set.
type drawn struct{ m *member }

func (d drawn) IntN(n int) int {
	return d.m.w.shape.timeout(d.m.id, d.m.ours.BasicStatus().HardState.Term, n)
}

// refPanic is what the reference's logger is told to panic with.
type refPanic struct {
	format string
	args   []any
}

func (p refPanic) String() string {
	if p.format == "" {
		return fmt.Sprint(p.args...)
	}
	return fmt.Sprintf(p.format, p.args...)
}

// boot starts the member from what its disks hold, with an application that has applied up to
// m.applied.
func (m *member) boot() {
	c := m.config
	c.Applied, c.Storage, c.Rand = m.applied, m.ourDisk, drawn{m}
	m.ourDisk.conf = m.conf
	var err error
	m.guard("ours: boot", func() { m.ours, err = raft.NewRawNode(&c) })
	if err != nil {
		m.bootFailed(err)
		return
	}
	m.up, m.work, m.jobs, m.readsWait = true, nil, jobQueue{}, false
	m.history.rebooted()
	m.history.restarted(m.applied)
	if m.w.alone {
		m.check("boot")
		return
	}
	m.refDisk.conf = refConfState(&m.conf)
	m.guard("reference: boot", func() { m.ref, err = refraft.NewRawNode(refConfig(&c, m.refDisk)) })
	if err != nil {
		m.w.fail("%d: boot: reference: %v", m.id, err)
	}
	m.hidden = hiddenOf(m.ref)
	m.check("boot")
}

// bootFailed handles that ours did not start, which only a failing disk excuses.
func (m *member) bootFailed(err error) {
	if !errors.Is(err, errDisk) {
		m.w.fail("%d: boot: %v", m.id, err)
	}
	m.up = false
}

// guard calls f, and makes a panic a failure.
func (m *member) guard(what string, f func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *failure, worldsEnd:
			panic(p)
		default:
			m.w.fail("%d: %s: panic: %v\n%s", m.id, what, p, panicSite())
		}
	}()
	f()
}

// panicSite returns the part of the stack that a panic came from.
func panicSite() string {
	stack := string(debug.Stack())
	if i := strings.LastIndex(stack, "panic("); i >= 0 {
		stack = stack[i:]
	}
	lines := strings.SplitAfter(stack, "\n")
	return strings.Join(lines[:min(len(lines), 14)], "")
}

// do has both sides do the same, and compares what they say and where it leaves them.
func (m *member) do(
	what string, ours func(*raft.RawNode) error, ref func(*refraft.RawNode) error,
) error {
	m.w.steps++
	m.w.trace("%d: %s", m.id, what)
	var err error
	m.guard("ours: "+what, func() { err = ours(m.ours) })
	if m.ref != nil {
		var refErr error
		m.mayEnd(err)
		m.guard("reference: "+what, func() { refErr = ref(m.ref) })
		if got, want := errorName(err), refErrorName(refErr); got != want {
			m.w.fail("%d: %s: got error %q, want %q", m.id, what, got, want)
		}
	}
	m.check(what)
	return err
}

// worldsEnd ends a world without a failure.
type worldsEnd struct{}

// mayEnd ends an unsafe world in which ours refuses a message because the logs of two members
// contradict each other. The reference would panic, now or later.
func (m *member) mayEnd(err error) {
	var refused *raft.RefusedError
	if !m.w.shape.unsafe() || !errors.As(err, &refused) {
		return
	}
	switch refused.Reason {
	case raft.RefusedCommit, raft.RefusedConflict, raft.RefusedAcked:
		m.w.trace("%d: the end: %v", m.id, err)
		panic(worldsEnd{})
	}
}

// doQuietly is do for calls whose errors the reference swallows: ours must have none.
func (m *member) doQuietly(
	what string, ours func(*raft.RawNode) error, ref func(*refraft.RawNode),
) {
	_ = m.do(what, ours, func(n *refraft.RawNode) error {
		ref(n)
		return nil
	})
}

func errorName(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, raft.ErrProposalDropped):
		return "proposal dropped"
	case errors.Is(err, raft.ErrStepLocalMsg):
		return "local message"
	case errors.Is(err, raft.ErrStepPeerNotFound):
		return "peer not found"
	}
	return err.Error()
}

func refErrorName(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, refraft.ErrProposalDropped):
		return "proposal dropped"
	case errors.Is(err, refraft.ErrStepLocalMsg):
		return "local message"
	case errors.Is(err, refraft.ErrStepPeerNotFound):
		return "peer not found"
	}
	return err.Error()
}

// check compares where both sides are. It sets the reference's election timeout, for it may have
// drawn a new one.
func (m *member) check(what string) {
	status := m.ours.BasicStatus()
	m.history.check(m, what, &status)
	if m.ref == nil {
		return
	}
	m.readsGo(&status)
	refStatus := m.ref.BasicStatus()
	if !sameStatus(&status, &refStatus) {
		m.w.fail("%d: %s: got status %+v, want %+v %v",
			m.id, what, status, refStatus, refStatus.HardState)
	}
	*m.hidden.timeout = m.config.ElectionTick +
		m.w.shape.timeout(m.id, status.HardState.Term, m.config.ElectionTick)
	if got, want := m.ours.HasReady(), m.ref.HasReady(); got != want {
		m.w.fail("%d: %s: got HasReady %t, want %t", m.id, what, got, want)
	}
	m.checkProgress(what, status.SoftState.RaftState == raft.StateLeader)
}

// checkProgress compares membership and progress, in full at a leader. A follower's is compared now
// and then: it changes with roles and memberships only, and is what the member begins with as a
// leader.
func (m *member) checkProgress(what string, leader bool) {
	if !leader && m.w.steps%8 != 0 {
		return
	}
	status, refStatus := m.ours.Status(), m.ref.Status()
	if !sameConfig(&status.Config, &refStatus.Config) {
		m.w.fail("%d: %s: got config %s, want %s", m.id, what, status.Config, refStatus.Config)
	}
	if len(status.Progress) != len(refStatus.Progress) {
		m.w.fail("%d: %s: got progress of %d members, want %d",
			m.id, what, len(status.Progress), len(refStatus.Progress))
	}
	for i := range status.Progress {
		p := &status.Progress[i]
		want, ok := refStatus.Progress[p.ID]
		if !ok || !sameProgress(&p.Progress, &want) || !sameWindow(&p.Inflights, want.Inflights) {
			m.w.fail("%d: %s: got progress of %d %s, want %s", m.id, what, p.ID, &p.Progress, &want)
		}
	}
	if !leader {
		m.checkVisits(what)
	}
}

// checkVisits compares progress as WithProgress gives it.
func (m *member) checkVisits(what string) {
	type visit struct {
		id  uint64
		typ int
		p   tracker.Progress
	}
	var visits []visit
	m.ours.WithProgress(func(id uint64, typ raft.ProgressType, p tracker.Progress) {
		visits = append(visits, visit{id, int(typ), p})
	})
	m.ref.WithProgress(func(id uint64, typ refraft.ProgressType, p reftracker.Progress) {
		if len(visits) == 0 {
			m.w.fail("%d: %s: no progress of %d, want %+v", m.id, what, id, p)
		}
		v := visits[0]
		visits = visits[1:]
		if v.id != id || v.typ != int(typ) || !sameProgress(&v.p, &p) {
			m.w.fail("%d: %s: got progress %+v, want %d %d %+v", m.id, what, v, id, typ, p)
		}
	})
	if len(visits) != 0 {
		m.w.fail("%d: %s: progress %+v too many", m.id, what, visits)
	}
}

func (m *member) tick() {
	m.doQuietly("tick", (*raft.RawNode).Tick, (*refraft.RawNode).Tick)
}

// step hands both sides a message. Intended difference: ours refuses what the reference would panic
// over.
func (m *member) step(p *packet) error {
	if m.refDies(&p.ours) {
		m.stepRefused(p)
		return nil
	}
	if p.ours.Type == raftpb.MsgReadIndex {
		if m.refReadsStale() {
			return nil
		}
		m.readComes()
	}
	what := "step"
	if m.w.tracing() {
		what = "step " + showMessage(&p.ours)
	}
	return m.do(what,
		func(n *raft.RawNode) error { return n.Step(p.ours) },
		func(n *refraft.RawNode) error { return n.Step(m.withoutRefused(copyRef(p.ref))) })
}

// refReadsStale reports whether the reference would answer a read without asking anyone. Intended
// difference: where one voter decides alone, it does so at any leader, also at one that is not that
// voter but was removed or demoted, while the voter may have become the leader of a later term, and
// before it committed in its term, when its commit index may be old. Ours asks the voter, and waits.
func (m *member) refReadsStale() bool {
	status := m.ours.Status()
	if m.ref == nil || status.SoftState.RaftState != raft.StateLeader || !status.Config.Singleton() {
		return false
	}
	return !status.Config.Voters.Contains(m.id) || !m.committedInTerm(&status.BasicStatus)
}

// committedInTerm reports whether the last committed entry is of the member's term, and stored.
func (m *member) committedInTerm(s *raft.BasicStatus) bool {
	term, err := m.ourDisk.MemoryStorage.Term(s.HardState.Commit)
	return err == nil && term == s.HardState.Term
}

// readComes notes that a read will wait if it comes to a leader that has not committed in its term.
func (m *member) readComes() {
	status := m.ours.BasicStatus()
	m.readsWait = m.readsWait ||
		status.SoftState.RaftState == raft.StateLeader && !m.committedInTerm(&status)
}

// readsGo ends the world when reads that waited are let go at a leader that has become the only
// voter. Intended difference: ours answers them, the reference asks the members that don't vote.
func (m *member) readsGo(s *raft.BasicStatus) {
	if !m.readsWait || m.ref == nil || s.SoftState.RaftState != raft.StateLeader {
		return
	}
	if config := m.ours.Status().Config; config.Singleton() {
		m.w.trace("%d: the end: reads waited for the only voter", m.id)
		panic(worldsEnd{})
	}
	m.readsWait = !m.committedInTerm(s)
}

// refDies reports whether the reference panics over a message: a request to transfer leadership
// that a follower has passed on, and with it its term, reaches another follower that would pass it
// on again.
func (m *member) refDies(msg *raftpb.Message) bool {
	status := m.ours.BasicStatus()
	return m.ref != nil && msg.Type == raftpb.MsgTransferLeader && msg.Term != 0 &&
		status.SoftState.RaftState == raft.StateFollower && status.SoftState.Lead != raft.None &&
		msg.Term == status.HardState.Term
}

// stepRefused hands ours a message that it is to refuse; the reference, which doesn't get it, then
// says whether that left ours as it was.
func (m *member) stepRefused(p *packet) {
	m.w.steps++
	m.w.trace("%d: refuse %s", m.id, showMessage(&p.ours))
	var err error
	m.guard("ours: refuse", func() { err = m.ours.Step(p.ours) })
	if !errors.Is(err, raft.ErrMessageRefused) {
		m.w.fail("%d: refuse %s: got error %v", m.id, showMessage(&p.ours), err)
	}
	m.check("refuse")
}

// withoutRefused replaces in a proposal to a leader the membership changes that it will refuse by
// empty entries, where the size of entries matters: the reference replaces them too, but by entries
// with an explicit zero for a type, which are two bytes larger than those without. Ours still gets
// the changes.
func (m *member) withoutRefused(msg *refpb.Message) *refpb.Message {
	if msg.GetType() != refpb.MsgProp || !m.w.shape.paged() ||
		m.config.DisableConfChangeValidation {
		return msg
	}
	status := m.ref.Status()
	if status.RaftState != refraft.StateLeader {
		return msg
	}
	pending := *m.hidden.pendingConfIndex > status.Applied
	joint := len(status.Config.Voters[1]) > 0
	for i, e := range msg.Entries {
		if e.GetType() == refpb.EntryNormal {
			continue
		}
		if leave := leavesJoint(e); pending || joint != leave {
			msg.Entries[i] = &refpb.Entry{}
			continue
		}
		pending = true
	}
	return msg
}
