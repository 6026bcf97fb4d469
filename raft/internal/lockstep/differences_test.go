package lockstep

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
	refraft "go.etcd.io/raft/v3"
)

// The tests below are the list of what we do otherwise on purpose: where the reference panics, ours
// returns an error and is as it was. docs/raft.md gives the reasons.

// threeMembers returns a world of three, the first of which leads in term 2.
func threeMembers(t *testing.T) *world {
	t.Helper()
	var h [headerSize]byte
	h[0], h[1], h[7], h[11] = 2, 0b111, 0x05, 7
	w := newWorld(h, false, nil)
	w.members[0].campaign(0, 0)
	w.settle(7)
	if s := w.members[0].ours.BasicStatus(); s.SoftState.RaftState != raft.StateLeader {
		t.Fatalf("member 1 is %v, want leader", s.SoftState.RaftState)
	}
	return w
}

// panics reports whether f does.
func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

func TestMessagesThatCrashTheReference(t *testing.T) {
	const leader, follower = 0, 1
	number := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	snapshot := func(cs raftpb.ConfState) *raftpb.Snapshot {
		m := raftpb.SnapshotMetadata{Index: 50, Term: 2, ConfState: cs}
		return &raftpb.Snapshot{Metadata: m}
	}
	for _, tt := range []struct {
		name   string
		to     int
		msg    raftpb.Message
		reason raft.Refusal
		then   *raftpb.Message // what brings it to light, if not the message itself
	}{
		{"transfer passed on twice", follower, raftpb.Message{
			Type: raftpb.MsgTransferLeader, From: 3, Term: 2,
		}, raft.RefusedForwarded, nil},
		{"empty proposal", leader, raftpb.Message{
			Type: raftpb.MsgProp, From: 2,
		}, raft.RefusedEmpty, nil},
		{"proposal of what is no membership change", leader, raftpb.Message{
			Type: raftpb.MsgProp, From: 2, Entries: []raftpb.Entry{{
				Type: raftpb.EntryConfChange, Data: []byte{0x08},
			}},
		}, raft.RefusedConfChange, nil},
		{"short read context", leader, raftpb.Message{
			Type: raftpb.MsgHeartbeatResp, From: 2, Term: 2, Context: []byte{1, 2, 3},
		}, raft.RefusedContext, nil},
		{"confirmation of a read that nobody asked for", leader, raftpb.Message{
			Type: raftpb.MsgHeartbeatResp, From: 2, Term: 2, Context: number(9),
		}, raft.RefusedContext, &raftpb.Message{
			Type: raftpb.MsgHeartbeatResp, From: 3, Term: 2, Context: number(9),
		}},
		{"read without a context", leader, raftpb.Message{
			Type: raftpb.MsgReadIndex, From: 1,
		}, raft.RefusedEmpty, &raftpb.Message{
			Type: raftpb.MsgHeartbeatResp, From: 3, Term: 2, Context: number(1),
		}},
		{"heartbeat that commits what does not exist", follower, raftpb.Message{
			Type: raftpb.MsgHeartbeat, From: 1, Term: 2, Commit: 1000,
		}, raft.RefusedCommit, nil},
		{"snapshot without voters", follower, raftpb.Message{
			Type: raftpb.MsgSnap, From: 1, Term: 2,
			Snapshot: snapshot(raftpb.ConfState{Learners: []uint64{2}}),
		}, raft.RefusedSnapshot, nil},
		{"snapshot whose learner votes", follower, raftpb.Message{
			Type: raftpb.MsgSnap, From: 1, Term: 2,
			Snapshot: snapshot(raftpb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{2}}),
		}, raft.RefusedSnapshot, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := threeMembers(t)
			m := w.members[tt.to]
			tt.msg.To = m.id
			refuses(t, m, tt.msg, tt.reason)
			crashed := panics(func() {
				_ = m.ref.Step(refMessage(&tt.msg))
				if tt.then != nil {
					_ = m.ref.Step(refMessage(tt.then))
				}
			})
			if !crashed {
				t.Error("the reference survives, so this is no difference")
			}
		})
	}
}

// refuses checks that ours refuses a message for a reason, and changes nothing but, perhaps, its
// term.
func refuses(t *testing.T, m *member, msg raftpb.Message, reason raft.Refusal) {
	t.Helper()
	before := m.ours.BasicStatus()
	err := m.ours.Step(msg)
	var refused *raft.RefusedError
	if !errors.As(err, &refused) || refused.Reason != reason ||
		!errors.Is(err, raft.ErrMessageRefused) {
		t.Fatalf("got error %v, want refused for %q", err, reason)
	}
	if after := m.ours.BasicStatus(); after != before && msg.Term <= before.HardState.Term {
		t.Errorf("got %+v, want %+v as before", after, before)
	}
}

// The reference believes a member that claims to have what the leader has not, and would count it
// into the quorum once the leader does have something there.
func TestAcknowledgementOfWhatDoesNotExist(t *testing.T) {
	w := threeMembers(t)
	m := w.members[0]
	msg := raftpb.Message{Type: raftpb.MsgAppResp, To: 1, From: 2, Term: 2, Index: 1000}
	refuses(t, m, msg, raft.RefusedAcked)
	_ = m.ref.Step(refMessage(&msg))
	if p := m.ref.Status().Progress[2]; p.Match != 1000 {
		t.Errorf("the reference takes %d to match, so this is no difference", p.Match)
	}
}

// The reference tells a leader that its log matches, without a look, when the append is older than
// what the follower has committed.
func TestAppendThatContradictsWhatIsCommitted(t *testing.T) {
	w := threeMembers(t)
	m := w.members[1]
	msg := raftpb.Message{
		Type: raftpb.MsgApp, To: 2, From: 3, Term: 3, Index: 2, LogTerm: 2,
		Entries: []raftpb.Entry{{Term: 3, Index: 3}},
	}
	refuses(t, m, msg, raft.RefusedConflict)
	_ = m.ref.Step(refMessage(&msg))
	rd := m.ref.Ready()
	if n := len(rd.Messages); n != 1 || rd.Messages[0].GetReject() ||
		rd.Messages[0].GetIndex() != 3 {
		t.Errorf("the reference answers %v, so this is no difference", rd.Messages)
	}
}

// A request that a follower has passed on carries a term, which the next follower would stumble
// over.
func TestTransferPassedOnTwice(t *testing.T) {
	w := threeMembers(t)
	w.members[1].transfer(3, 0)
	w.processAll()
	if len(w.net) != 1 || w.net[0].ours.Type != raftpb.MsgTransferLeader ||
		w.net[0].ours.Term != 2 {
		t.Fatalf("got %d messages, want one transfer request of term 2", len(w.net))
	}
	p := w.net[0]
	if m := w.members[2]; !m.refDies(&p.ours) {
		t.Errorf("refDies is false for %s", showMessage(&p.ours))
	} else {
		m.stepRefused(&p)
	}
}

func TestConfigsThatCrashTheReference(t *testing.T) {
	for _, tt := range []struct {
		field string
		spoil func(c *raft.Config)
	}{
		{"ID", func(c *raft.Config) { c.ID = 0 }},
		{"ID", func(c *raft.Config) { c.ID = raft.LocalAppendThread }},
		{"ID", func(c *raft.Config) { c.ID = raft.LocalApplyThread }},
		{"HeartbeatTick", func(c *raft.Config) { c.HeartbeatTick = 0 }},
		{"ElectionTick", func(c *raft.Config) { c.ElectionTick = c.HeartbeatTick }},
		{"MaxInflightMsgs", func(c *raft.Config) { c.MaxInflightMsgs = 0 }},
		{"MaxInflightBytes", func(c *raft.Config) {
			c.MaxSizePerMsg, c.MaxInflightBytes = 100, 99
		}},
		{"CheckQuorum", func(c *raft.Config) { c.ReadOnlyOption = raft.ReadOnlyLeaseBased }},
		{"Applied", func(c *raft.Config) { c.Applied = 1 }}, // compacted up to 2
		{"", func(*raft.Config) {}},
	} {
		w := threeMembers(t)
		m := w.members[0]
		c := m.config
		c.Storage, c.Rand = m.ourDisk, drawn{m}
		tt.spoil(&c)
		_, err := raft.NewRawNode(&c)
		var bad *raft.ConfigError
		if errors.As(err, &bad) != (tt.field != "") || bad != nil && bad.Field != tt.field {
			t.Errorf("got error %v, want one about %q", err, tt.field)
		}
		panicked := panics(func() { _, _ = refraft.NewRawNode(refConfig(&c, m.refDisk)) })
		if want := tt.field != ""; panicked != want {
			t.Errorf("%s: the reference panics: %t, want %t", tt.field, panicked, want)
		}
	}
}

// The reference panics over the first committed entry; 0 is what Config says is one entry at a
// time.
func TestNoSizeAtAll(t *testing.T) {
	w := threeMembers(t)
	c := w.members[0].config
	c.MaxSizePerMsg, c.MaxCommittedSizePerReady = 0, 0
	disk := raft.NewMemoryStorage()
	if err := disk.ApplySnapshot(raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
		Index: 2, Term: 1, ConfState: raftpb.ConfState{Voters: []uint64{1}},
	}}); err != nil {
		t.Fatal(err)
	}
	for index := range uint64(3) {
		if err := disk.Append([]raftpb.Entry{{Term: 1, Index: 3 + index}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := disk.SetHardState(raftpb.HardState{Term: 1, Commit: 5}); err != nil {
		t.Fatal(err)
	}
	c.Storage, c.Rand = disk, drawn{w.members[0]}
	n, err := raft.NewRawNode(&c)
	if err != nil {
		t.Fatal(err)
	}
	for want := uint64(3); want <= 5; want++ {
		rd, err := n.Ready()
		if err != nil || len(rd.CommittedEntries) != 1 || rd.CommittedEntries[0].Index != want {
			t.Fatalf("got %+v, error %v, want entry %d", rd.CommittedEntries, err, want)
		}
		if err := n.Advance(rd); err != nil {
			t.Fatal(err)
		}
	}
}

// A crash loses the commit index, which need not be synced, but not what was applied.
func TestAppliedBeyondTheStoredCommit(t *testing.T) {
	w := threeMembers(t)
	m := w.members[1]
	m.setHardState(raftpb.HardState{Term: 2, Commit: 2})
	c := m.config
	c.Storage, c.Rand, c.Applied = m.ourDisk, drawn{m}, 3
	n, err := raft.NewRawNode(&c)
	if err != nil {
		t.Fatal(err)
	}
	if s := n.BasicStatus(); s.HardState.Commit != 3 || s.Applied != 3 {
		t.Errorf("got commit %d, applied %d, want 3 for both", s.HardState.Commit, s.Applied)
	}
	if !panics(func() { _, _ = refraft.NewRawNode(refConfig(&c, m.refDisk)) }) {
		t.Error("the reference survives, so this is no difference")
	}
	if c.Applied = 4; !errorIsAbout(c, "Applied") {
		t.Error("no error about entries that were applied and are gone")
	}
}

func errorIsAbout(c raft.Config, field string) bool {
	_, err := raft.NewRawNode(&c)
	var bad *raft.ConfigError
	return errors.As(err, &bad) && bad.Field == field
}

// A leader whose log begins later than its storage's snapshot can't help who needs more.
func TestNoSnapshotToSend(t *testing.T) {
	var h [headerSize]byte
	h[0], h[1], h[3], h[7], h[11] = 2, 0b111, byte(fromConfState), 0x05, 7
	w := newWorld(h, false, nil)
	m := w.members[0]
	m.campaign(0, 0)
	w.settle(7)
	w.net, w.blocked[1] = nil, 1<<3 // member 3 misses what follows
	for range 3 {
		m.propose(10, 0)
		w.settle(7)
	}
	err := m.ourDisk.Compact(3)
	m.sameDiskError("compact", err, func() error { return m.refDisk.Compact(3) })
	msg := raftpb.Message{Type: raftpb.MsgAppResp, To: 1, From: 3, Term: 1, Index: 3, Reject: true}
	if p := m.ours.Status().Progress.Get(3); p.State == tracker.StateReplicate {
		m.doQuietly("unreachable", func(n *raft.RawNode) error { return n.ReportUnreachable(3) },
			func(n *refraft.RawNode) { n.ReportUnreachable(3) })
	}
	msg.Index = m.ours.Status().Progress.Get(3).Next - 1
	if err := m.ours.Step(msg); !errors.Is(err, raft.ErrEmptySnapshot) {
		t.Errorf("got error %v, want ErrEmptySnapshot", err)
	}
	if !panics(func() { _ = m.ref.Step(refMessage(&msg)) }) {
		t.Error("the reference survives, so this is no difference")
	}
}

// An unknown transition counts as implicit: the membership is joint, and left by itself.
func TestUnknownTransition(t *testing.T) {
	w := threeMembers(t)
	m := w.members[1]
	change := raftpb.ConfChangeV2{
		Transition: 9,
		Changes:    []raftpb.ConfChangeSingle{{Type: raftpb.ConfChangeRemoveNode, NodeID: 3}},
	}
	refChange, err := refConfChange(change)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := m.ours.ApplyConfChange(change)
	if err != nil || !cs.AutoLeave || len(cs.VotersOutgoing) != 3 {
		t.Errorf("got %+v, error %v, want a joint configuration with AutoLeave", cs, err)
	}
	if !panics(func() { m.ref.ApplyConfChange(refChange) }) {
		t.Error("the reference survives, so this is no difference")
	}
}

func TestCallsThatCrashTheReference(t *testing.T) {
	w := threeMembers(t)
	m := w.members[0]
	m.propose(10, 0)
	m.takeReady()
	if _, err := m.ours.Ready(); !errors.Is(err, raft.ErrNotAdvanced) {
		t.Errorf("got error %v, want ErrNotAdvanced", err)
	}
	if !panics(func() { m.ref.Ready() }) {
		t.Error("the reference survives a second Ready")
	}
	var h [headerSize]byte
	h[6], h[7] = flagAsync, 0x05
	m = newWorld(h, false, nil).members[0]
	if err := m.ours.Advance(raft.Ready{}); !errors.Is(err, raft.ErrAsyncAdvance) {
		t.Errorf("got error %v, want ErrAsyncAdvance", err)
	}
	if !panics(func() { m.ref.Advance(refraft.Ready{}) }) {
		t.Error("the reference survives Advance in the asynchronous mode")
	}
}

// Of a joint configuration with AutoLeave, the reference's Status loses that it has.
func TestStatusShowsAutoLeave(t *testing.T) {
	var h [headerSize]byte
	h[0], h[1], h[3], h[4], h[5], h[7] = 2, 0b011, byte(fromJoint), 0b101, 0x80, 0x05
	w := newWorld(h, false, nil)
	m := w.members[0]
	if got := m.ours.Status().Config; !got.AutoLeave {
		t.Errorf("got config %v, want autoleave", got)
	}
	if m.ref.Status().Config.AutoLeave {
		t.Error("the reference shows it as well, so this is no difference")
	}
}

// A leader that was removed asks the one voter that is left before it answers a read: that may
// lead in a later term by now. The reference answers at once.
func TestReadAtRemovedLeader(t *testing.T) {
	w := threeMembers(t)
	m := w.members[0]
	for _, id := range []uint64{3, 1} {
		m.proposeChangeOf(t, raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: id})
		w.settle(7)
	}
	s := m.ours.Status()
	if s.SoftState.RaftState != raft.StateLeader || !m.refReadsStale() {
		t.Fatalf("member 1 is %v in %v, want leader and removed", s.SoftState.RaftState, s.Config)
	}
	context := []byte("read")
	if err := m.ours.ReadIndex(context); err != nil {
		t.Fatal(err)
	}
	m.ref.ReadIndex(context)
	rd, err := m.ours.Ready()
	if err != nil || len(rd.ReadStates) != 0 || len(rd.Messages) != 1 {
		t.Errorf("got %d answers and %d messages, error %v, want one heartbeat",
			len(rd.ReadStates), len(rd.Messages), err)
	}
	if rd := m.ref.Ready(); len(rd.ReadStates) != 1 {
		t.Error("the reference does not answer at once, so this is no difference")
	}
}

func (m *member) proposeChangeOf(t *testing.T, change raftpb.ConfChange) {
	t.Helper()
	refChange, err := refConfChange(change)
	if err != nil {
		t.Fatal(err)
	}
	_ = m.do("propose change", func(n *raft.RawNode) error { return n.ProposeConfChange(change) },
		func(n *refraft.RawNode) error { return n.ProposeConfChange(refChange) })
}

// A candidate that is removed under its campaign does not become leader; the reference crashes when
// it has won, for it has no progress of its own.
func TestCandidateThatWasRemoved(t *testing.T) {
	w := threeMembers(t)
	m := w.members[1]
	m.campaign(0, 0)
	m.process()
	change := raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: m.id}
	refChange, err := refConfChange(change)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ours.ApplyConfChange(change); err != nil {
		t.Fatal(err)
	}
	m.ref.ApplyConfChange(refChange)
	vote := raftpb.Message{Type: raftpb.MsgVoteResp, To: 2, From: 1, Term: 3}
	for _, vote.From = range []uint64{1, 3} {
		if err := m.ours.Step(vote); err != nil {
			t.Errorf("got error %v for a vote", err)
		}
	}
	if s := m.ours.BasicStatus(); s.SoftState.RaftState == raft.StateLeader {
		t.Error("got a leader that is no member")
	}
	vote.From = 1
	_ = m.ref.Step(refMessage(&vote))
	vote.From = 3
	if !panics(func() { _ = m.ref.Step(refMessage(&vote)) }) {
		t.Error("the reference survives, so this is no difference")
	}
}

// A single voter waits for the first commit in its term before it answers a read, since a crash may
// have cost it the commit index. The reference answers at once, from the index that it was left.
func TestReadOfNewSingleVoter(t *testing.T) {
	var h [headerSize]byte
	h[7] = 0x05
	m := newWorld(h, false, nil).members[0]
	m.campaign(0, 0)
	for m.takeReady(); m.work != nil; {
		m.nextStage() // up to Advance, by which it has its own vote
	}
	if !m.refReadsStale() {
		t.Fatalf("got %+v, want a leader that has committed nothing yet", m.ours.BasicStatus())
	}
	context := []byte("read")
	if err := m.ours.ReadIndex(context); err != nil {
		t.Fatal(err)
	}
	m.ref.ReadIndex(context)
	if rd := m.ref.Ready(); len(rd.ReadStates) != 1 {
		t.Error("the reference does not answer at once, so this is no difference")
	}
	var answers []raft.ReadState
	for m.ours.HasReady() {
		rd, err := m.ours.Ready()
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, rd.ReadStates...)
		if err := m.ourDisk.Append(rd.Entries); err != nil {
			t.Fatal(err)
		}
		if err := m.ours.Advance(rd); err != nil {
			t.Fatal(err)
		}
	}
	if len(answers) != 1 || answers[0].Index != m.ours.BasicStatus().HardState.Commit {
		t.Errorf("got answers %+v, want one, at the commit index", answers)
	}
}
