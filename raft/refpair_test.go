package raft

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	ref "go.etcd.io/raft/v3"
	refpb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/raftctl/raftctl/raftpb"
)

// pair is a member of this package and one of the reference, which get the same input and must give
// the same output. Everything is compared in the types of this package.
type pair struct {
	tb       testing.TB
	id       uint64
	cfg      Config
	ours     *RawNode
	theirs   *ref.RawNode
	store    *MemoryStorage
	refStore *ref.MemoryStorage
	conf     raftpb.ConfState
	applied  uint64
	held     Ready // to be advanced
	heldRef  ref.Ready
	pending  bool
	appends  []raftpb.Message // work of the storage threads
	applies  []raftpb.Message
	ourLog   []string // since the last comparison, in the reference's words
	theirLog *lineLog
}

func newPair(tb testing.TB, cfg Config, start raftpb.Snapshot) *pair {
	p := &pair{tb: tb, id: cfg.ID, cfg: cfg}
	p.store, p.refStore = NewMemoryStorage(), ref.NewMemoryStorage()
	if start.Metadata.Index > 0 {
		must(tb, p.store.ApplySnapshot(start))
		must(tb, p.refStore.ApplySnapshot(toRefSnapshot(&start)))
		hs := raftpb.HardState{Term: start.Metadata.Term, Commit: start.Metadata.Index}
		p.setHardState(hs)
		p.applied = start.Metadata.Index
		p.conf = start.Metadata.ConfState
	}
	p.start()
	return p
}

func (p *pair) setHardState(hs raftpb.HardState) {
	must(p.tb, p.store.SetHardState(hs))
	must(p.tb, p.refStore.SetHardState(&refpb.HardState{
		Term: new(hs.Term), Vote: new(hs.Vote), Commit: new(hs.Commit),
	}))
}

// start starts both from their storages, as after a crash.
func (p *pair) start() {
	p.tb.Helper()
	p.pending, p.appends, p.applies = false, nil, nil
	if hs, _, _ := p.store.InitialState(); hs.Commit < p.applied {
		hs.Commit = p.applied // without this, the reference doesn't start
		p.setHardState(hs)
	}
	cfg := p.cfg
	cfg.Storage = p.store
	cfg.Rand = steady(int(p.id))
	cfg.Applied = p.applied
	p.ourLog, p.theirLog = nil, &lineLog{}
	cfg.Observer = ObserverFunc(func(id uint64, e Event) {
		p.ourLog = append(p.ourLog, refLines(id, e)...)
	})
	var err error
	p.ours, err = NewRawNode(&cfg)
	must(p.tb, err)
	option := ref.ReadOnlySafe
	if cfg.ReadOnlyOption == ReadOnlyLeaseBased {
		option = ref.ReadOnlyLeaseBased
	}
	p.theirs, err = ref.NewRawNode(&ref.Config{
		ID: cfg.ID, ElectionTick: cfg.ElectionTick, HeartbeatTick: cfg.HeartbeatTick,
		Storage: p.refStore, Applied: cfg.Applied, AsyncStorageWrites: cfg.AsyncStorageWrites,
		MaxSizePerMsg: cfg.MaxSizePerMsg, MaxCommittedSizePerReady: cfg.MaxCommittedSizePerReady,
		MaxUncommittedEntriesSize: cfg.MaxUncommittedEntriesSize,
		MaxInflightMsgs:           cfg.MaxInflightMsgs, MaxInflightBytes: cfg.MaxInflightBytes,
		CheckQuorum: cfg.CheckQuorum, PreVote: cfg.PreVote, ReadOnlyOption: option, Logger: p.theirLog,
		DisableProposalForwarding:   cfg.DisableProposalForwarding,
		DisableConfChangeValidation: cfg.DisableConfChangeValidation,
		StepDownOnRemoval:           cfg.StepDownOnRemoval,
	})
	must(p.tb, err)
	p.compare("start")
}

// pinTimeout makes the reference's election timeout what ours is.
func (p *pair) pinTimeout() {
	core := reflect.ValueOf(p.theirs).Elem().FieldByName("raft").Elem()
	field := core.FieldByName("randomizedElectionTimeout")
	timeout := (*int)(unsafe.Pointer(field.UnsafeAddr()))
	*timeout = p.cfg.ElectionTick + steady(int(p.id)).IntN(p.cfg.ElectionTick)
}

func (p *pair) tick() {
	p.pinTimeout()
	must(p.tb, p.ours.Tick())
	p.theirs.Tick()
	p.compare("tick")
}

func (p *pair) step(m raftpb.Message) {
	p.tb.Helper()
	what := "step " + raftpb.DescribeMessage(m, nil)
	got := p.ours.Step(m)
	want := p.theirs.Step(toRefMessage(&m))
	p.sameError(what, got, want)
	p.compare(what)
}

func (p *pair) propose(data []byte) {
	p.tb.Helper()
	p.sameError("propose", p.ours.Propose(data), p.theirs.Propose(data))
	p.compare("propose")
}

func (p *pair) proposeConfChange(change raftpb.ConfChangeI) {
	p.tb.Helper()
	what := "propose " + raftpb.DescribeConfChange(change)
	want := p.theirs.ProposeConfChange(toRefChange(change))
	p.sameError(what, p.ours.ProposeConfChange(change), want)
	p.compare(what)
}

func (p *pair) campaign() {
	p.tb.Helper()
	p.sameError("campaign", p.ours.Campaign(), p.theirs.Campaign())
	p.compare("campaign")
}

// call makes the same call of both.
func (p *pair) call(what string, ours func() error, theirs func()) {
	p.tb.Helper()
	must(p.tb, ours())
	theirs()
	p.compare(what)
}

var refErrors = map[error]error{
	ref.ErrProposalDropped:  ErrProposalDropped,
	ref.ErrStepLocalMsg:     ErrStepLocalMsg,
	ref.ErrStepPeerNotFound: ErrStepPeerNotFound,
}

func (p *pair) sameError(what string, got, want error) {
	p.tb.Helper()
	if !errors.Is(got, refErrors[want]) && got != refErrors[want] {
		p.tb.Fatalf("member %d: %s: error %v, reference has %v", p.id, what, got, want)
	}
}

// ready takes a Ready of both and compares them.
func (p *pair) ready() []raftpb.Message {
	p.tb.Helper()
	if p.pending || !p.ours.HasReady() {
		return nil
	}
	rd, err := p.ours.Ready()
	must(p.tb, err)
	want := p.theirs.Ready()
	if diff := cmp.Diff(fromRefReady(&want), rd, cmpopts.EquateEmpty()); diff != "" {
		p.tb.Fatalf("member %d: Ready differs from the reference's (-want +got):\n%s", p.id, diff)
	}
	if p.cfg.AsyncStorageWrites {
		var out []raftpb.Message
		for _, m := range rd.Messages {
			switch m.To {
			case LocalAppendThread:
				p.appends = append(p.appends, m)
			case LocalApplyThread:
				p.applies = append(p.applies, m)
			default:
				out = append(out, m)
			}
		}
		p.compare("ready")
		return out
	}
	p.write(rd.HardState, rd.Entries, rd.Snapshot)
	p.held, p.heldRef, p.pending = rd, want, true
	p.compare("ready")
	return rd.Messages
}

// advance finishes a Ready.
func (p *pair) advance() {
	p.tb.Helper()
	if !p.pending {
		return
	}
	p.pending = false
	p.apply(p.held.CommittedEntries)
	must(p.tb, p.ours.Advance(p.held))
	p.theirs.Advance(p.heldRef)
	p.compare("advance")
}

// work does one piece of the append or the apply thread's work, and returns what that lets go.
func (p *pair) work(queue *[]raftpb.Message) []raftpb.Message {
	if len(*queue) == 0 {
		return nil
	}
	m := (*queue)[0]
	*queue = (*queue)[1:]
	if m.To == LocalAppendThread {
		hs := raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
		p.write(hs, m.Entries, m.Snapshot)
	} else {
		p.apply(m.Entries)
	}
	var out []raftpb.Message
	for _, r := range m.Responses {
		if r.To == p.id {
			p.step(r)
		} else {
			out = append(out, r)
		}
	}
	return out
}

func (p *pair) write(hs raftpb.HardState, entries []raftpb.Entry, s *raftpb.Snapshot) {
	if !hs.IsEmpty() {
		p.setHardState(hs)
	}
	if s != nil {
		must(p.tb, p.store.ApplySnapshot(*s))
		must(p.tb, p.refStore.ApplySnapshot(toRefSnapshot(s)))
		p.applied, p.conf = s.Metadata.Index, s.Metadata.ConfState
	}
	must(p.tb, p.store.Append(entries))
	must(p.tb, p.refStore.Append(toRefEntries(entries)))
}

func (p *pair) apply(entries []raftpb.Entry) {
	p.tb.Helper()
	for i := range entries {
		p.applied = entries[i].Index
		if entries[i].Type == raftpb.EntryNormal {
			continue
		}
		change, err := decodeConfChange(&entries[i])
		must(p.tb, err)
		cs, err := p.ours.ApplyConfChange(change)
		if err != nil {
			continue // the reference panics; an application would reject the change everywhere
		}
		want := p.theirs.ApplyConfChange(toRefChange(change))
		if diff := cmp.Diff(fromRefConfState(want), cs, cmpopts.EquateEmpty()); diff != "" {
			p.tb.Fatalf("member %d: membership (-want +got):\n%s", p.id, diff)
		}
		p.conf = cs
	}
}

// compact makes a snapshot of what is applied and drops the log before it, but for a few entries.
func (p *pair) compact(keep uint64) {
	p.tb.Helper()
	_, err := p.store.CreateSnapshot(p.applied, &p.conf, []byte("state"))
	if err != nil {
		return
	}
	_, err = p.refStore.CreateSnapshot(p.applied, toRefConfState(&p.conf), []byte("state"))
	must(p.tb, err)
	if p.applied <= keep {
		return
	}
	if err := p.store.Compact(p.applied - keep); err == nil {
		must(p.tb, p.refStore.Compact(p.applied-keep))
	}
	p.compare("compact")
}

// compare compares all that can be seen from outside.
func (p *pair) compare(what string) {
	p.tb.Helper()
	if got, want := p.ours.HasReady(), p.theirs.HasReady(); got != want {
		p.tb.Fatalf("member %d: after %s: HasReady is %t, want %t", p.id, what, got, want)
	}
	if diff := cmp.Diff(p.theirLog.lines, p.ourLog, cmpopts.EquateEmpty()); diff != "" {
		p.tb.Fatalf("member %d: after %s: log (-want +got):\n%s", p.id, what, diff)
	}
	p.ourLog, p.theirLog.lines = p.ourLog[:0], p.theirLog.lines[:0]
	status, want := p.ours.Status(), p.theirs.Status()
	if diff := cmp.Diff(fromRefStatus(&want), seen(status), cmpopts.EquateEmpty()); diff != "" {
		p.tb.Fatalf("member %d: after %s: status (-want +got):\n%s", p.id, what, diff)
	}
}

// statusView is what a status shows.
type statusView struct {
	Basic    BasicStatus
	Config   string
	Progress []string
	Flags    []string
}

func seen(s Status) statusView {
	s.Config.AutoLeave = false // the reference's Status leaves it out
	v := statusView{Basic: s.BasicStatus, Config: s.Config.String()}
	for i := range s.Progress {
		m := &s.Progress[i]
		v.Progress = append(v.Progress, fmt.Sprintf("%d: %s", m.ID, &m.Progress))
		flags := fmt.Sprint(m.SentCommit, m.MsgAppFlowPaused, m.RecentActive, m.Inflights.Size())
		v.Flags = append(v.Flags, flags)
	}
	return v
}

func fromRefStatus(s *ref.Status) statusView {
	v := statusView{
		Basic: BasicStatus{
			ID:             s.ID,
			HardState:      fromRefHardState(s.HardState),
			SoftState:      SoftState{Lead: s.Lead, RaftState: StateType(s.RaftState)},
			Applied:        s.Applied,
			LeadTransferee: s.LeadTransferee,
		},
		Config: s.Config.String(),
	}
	for _, id := range slices.Sorted(func(yield func(uint64) bool) {
		for id := range s.Progress {
			if !yield(id) {
				return
			}
		}
	}) {
		pr := s.Progress[id]
		v.Progress = append(v.Progress, fmt.Sprintf("%d: %s", id, &pr))
		field := reflect.ValueOf(&pr).Elem()
		size := field.FieldByName("Inflights").Elem().FieldByName("bytes").Uint()
		v.Flags = append(v.Flags, fmt.Sprint(field.FieldByName("sentCommit").Uint(),
			pr.MsgAppFlowPaused, pr.RecentActive, size))
	}
	return v
}

func fromRefHardState(hs *refpb.HardState) raftpb.HardState {
	return raftpb.HardState{Term: hs.GetTerm(), Vote: hs.GetVote(), Commit: hs.GetCommit()}
}

func fromRefConfState(cs *refpb.ConfState) raftpb.ConfState {
	return raftpb.ConfState{
		Voters: cs.GetVoters(), Learners: cs.GetLearners(), VotersOutgoing: cs.GetVotersOutgoing(),
		LearnersNext: cs.GetLearnersNext(), AutoLeave: cs.GetAutoLeave(),
	}
}

func fromRefReady(rd *ref.Ready) Ready {
	r := Ready{
		HardState:        fromRefHardState(rd.HardState),
		Entries:          fromRefEntries(rd.Entries),
		Snapshot:         fromRefSnapshot(rd.Snapshot),
		CommittedEntries: fromRefEntries(rd.CommittedEntries),
		Messages:         fromRefMessages(rd.Messages),
		MustSync:         rd.MustSync,
	}
	if rd.SoftState != nil {
		r.SoftState = &SoftState{Lead: rd.Lead, RaftState: StateType(rd.RaftState)}
	}
	for _, s := range rd.ReadStates {
		r.ReadStates = append(r.ReadStates, ReadState{Index: s.Index, RequestCtx: s.RequestCtx})
	}
	return r
}

func fromRefEntries(entries []*refpb.Entry) []raftpb.Entry {
	var out []raftpb.Entry
	for _, e := range entries {
		out = append(out, raftpb.Entry{
			Type:  raftpb.EntryType(e.GetType()),
			Term:  e.GetTerm(),
			Index: e.GetIndex(),
			Data:  e.GetData(),
		})
	}
	return out
}

func fromRefSnapshot(s *refpb.Snapshot) *raftpb.Snapshot {
	if s == nil {
		return nil
	}
	meta := s.GetMetadata()
	return &raftpb.Snapshot{Data: s.GetData(), Metadata: raftpb.SnapshotMetadata{
		ConfState: fromRefConfState(meta.GetConfState()),
		Index:     meta.GetIndex(),
		Term:      meta.GetTerm(),
	}}
}

func fromRefMessages(msgs []*refpb.Message) []raftpb.Message {
	var out []raftpb.Message
	for _, m := range msgs {
		out = append(out, raftpb.Message{
			Type: raftpb.MessageType(m.GetType()), To: m.GetTo(), From: m.GetFrom(),
			Term: m.GetTerm(), LogTerm: m.GetLogTerm(), Index: m.GetIndex(), Entries: fromRefEntries(m.GetEntries()),
			Commit: m.GetCommit(), Vote: m.GetVote(), Snapshot: fromRefSnapshot(m.GetSnapshot()),
			Reject: m.GetReject(), RejectHint: m.GetRejectHint(), Context: m.GetContext(),
			Responses: fromRefMessages(m.GetResponses()),
		})
	}
	return out
}

func toRefMessage(m *raftpb.Message) *refpb.Message {
	out := new(refpb.Message)
	unmarshalRef(m.Marshal(raftpb.FlavorPbgo), out)
	return out
}

func toRefEntries(entries []raftpb.Entry) []*refpb.Entry {
	var out []*refpb.Entry
	for i := range entries {
		e := new(refpb.Entry)
		unmarshalRef(entries[i].Marshal(raftpb.FlavorPbgo), e)
		out = append(out, e)
	}
	return out
}

func toRefSnapshot(s *raftpb.Snapshot) *refpb.Snapshot {
	out := new(refpb.Snapshot)
	unmarshalRef(s.Marshal(raftpb.FlavorPbgo), out)
	return out
}

func toRefConfState(cs *raftpb.ConfState) *refpb.ConfState {
	out := new(refpb.ConfState)
	unmarshalRef(cs.Marshal(raftpb.FlavorPbgo), out)
	return out
}

func toRefChange(change raftpb.ConfChangeI) refpb.ConfChangeI {
	if v1, ok := change.AsV1(); ok {
		out := new(refpb.ConfChange)
		unmarshalRef(v1.Marshal(raftpb.FlavorPbgo), out)
		return out
	}
	v2 := change.AsV2()
	out := new(refpb.ConfChangeV2)
	unmarshalRef(v2.Marshal(raftpb.FlavorPbgo), out)
	return out
}

func unmarshalRef(b []byte, m proto.Message) {
	if err := proto.Unmarshal(b, m); err != nil {
		panic(err)
	}
}

func refStatus(s SnapshotStatus) ref.SnapshotStatus {
	if s == SnapshotFailure {
		return ref.SnapshotFailure
	}
	return ref.SnapshotFinish
}

// readsStale reports whether the reference would answer a read here from an old commit index: at a
// leader that is not the only voter of its membership, which may lead by now, and at one that is,
// but has committed nothing in its term.
func (p *pair) readsStale() bool {
	c := p.ours.core
	return c.trk.Singleton() && (!c.trk.Voters.Contains(p.id) || c.log.committed < c.termStart)
}
