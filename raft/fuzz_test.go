package raft

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// source turns bytes into choices. When they are used up, all choices are the first.
type source struct{ data []byte }

func (s *source) byte() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func (s *source) intn(n int) int { return int(s.byte()) % n }

// number returns a number that is likely to be near one that matters.
func (s *source) number(near uint64) uint64 {
	switch k := s.byte(); {
	case k < 150:
		return near + uint64(k%5) - 2
	case k < 220:
		return uint64(k % 16)
	case k < 240:
		return []uint64{1 << 62, 1<<62 + 1, 1<<64 - 1, 1 << 63, 1<<62 - 1}[k%5]
	}
	var b [8]byte
	for i := range b {
		b[i] = s.byte()
	}
	return binary.LittleEndian.Uint64(b[:])
}

// FuzzStep steps arbitrary messages into arbitrary states. There must be no panic, and what was
// committed must stay so.
func FuzzStep(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		seed := make([]byte, 400)
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) { abuse(t, data) })
}

// TestArbitraryMessages is FuzzStep with random input.
func TestArbitraryMessages(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		data := make([]byte, 4000)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		abuse(t, data)
	}
}

// victim is a member that is mistreated.
type victim struct {
	t      *testing.T
	s      *source
	node   *RawNode
	store  *MemoryStorage
	async  bool
	todo   []raftpb.Message
	terms  map[uint64]uint64 // of committed entries, by index
	commit uint64
}

func abuse(t *testing.T, data []byte) {
	s := &source{data: data}
	v := &victim{t: t, s: s, store: NewMemoryStorage(), terms: map[uint64]uint64{}}
	cs := raftpb.ConfState{Voters: []uint64{1, 2, 3}, Learners: []uint64{4}}
	switch s.intn(6) {
	case 0:
		cs = raftpb.ConfState{Voters: []uint64{1}}
	case 1:
		cs = raftpb.ConfState{}
	case 2:
		cs = raftpb.ConfState{Voters: []uint64{2}, Learners: []uint64{1}}
	case 3:
		cs = raftpb.ConfState{Voters: []uint64{1, 2}, VotersOutgoing: []uint64{1, 3}}
		cs.AutoLeave = true
	}
	must(t, v.store.ApplySnapshot(raftpb.Snapshot{
		Metadata: raftpb.SnapshotMetadata{Index: 5, Term: 2, ConfState: cs},
	}))
	must(t, v.store.SetHardState(raftpb.HardState{Term: 2, Commit: 5}))
	cfg := baseConfig(1, v.store)
	flags := s.byte()
	cfg.CheckQuorum, cfg.PreVote = flags&1 != 0, flags&2 != 0
	cfg.AsyncStorageWrites, cfg.StepDownOnRemoval = flags&4 != 0, flags&8 != 0
	cfg.DisableConfChangeValidation = flags&16 != 0
	cfg.MaxSizePerMsg = []uint64{NoLimit, 0, 30}[s.intn(3)]
	cfg.MaxInflightMsgs = 1 + s.intn(3)
	if flags&3 == 3 && flags&32 != 0 {
		cfg.ReadOnlyOption = ReadOnlyLeaseBased
	}
	v.async = cfg.AsyncStorageWrites
	cfg.Observer = ObserverFunc(func(_ uint64, e Event) { _ = fmt.Sprint(e) })
	var err error
	v.node, err = NewRawNode(&cfg)
	must(t, err)
	for len(s.data) > 0 {
		v.act()
		v.check()
	}
}

// act does one thing to the member. Errors are what it is about.
func (v *victim) act() {
	n, s := v.node, v.s
	switch s.intn(16) {
	case 0:
		_ = n.Tick()
	case 1:
		_ = n.Campaign()
	case 2:
		_ = n.Propose([]byte{s.byte()})
	case 3:
		_ = n.ProposeConfChange(v.change())
	case 4:
		_ = n.ReadIndex([]byte{s.byte()})
	case 5:
		_ = n.TransferLeader(uint64(s.intn(5)))
	case 6, 7, 8:
		v.ready()
	case 9:
		_ = v.store.Compact(n.BasicStatus().Applied)
	case 10:
		_ = n.ReportSnapshot(uint64(s.intn(5)), SnapshotStatus(1+s.intn(2)))
	case 11:
		_ = n.ReportUnreachable(uint64(s.intn(5)))
	default:
		_ = n.Step(v.message())
	}
}

func (v *victim) change() raftpb.ConfChangeV2 {
	change := raftpb.ConfChangeV2{Transition: raftpb.ConfChangeTransition(v.s.intn(4))}
	for range v.s.intn(4) {
		change.Changes = append(change.Changes, raftpb.ConfChangeSingle{
			Type: raftpb.ConfChangeType(v.s.intn(5)), NodeID: uint64(v.s.intn(6)),
		})
	}
	return change
}

// message returns a message that may be right or wrong in any field.
func (v *victim) message() raftpb.Message {
	s, status := v.s, v.node.BasicStatus()
	last := v.node.core.log.lastIndex()
	m := raftpb.Message{
		Type:       raftpb.MessageType(s.intn(26)) - 1,
		To:         1,
		From:       uint64(s.intn(6)),
		Term:       s.number(status.HardState.Term),
		LogTerm:    s.number(status.HardState.Term),
		Index:      s.number(last),
		Commit:     s.number(status.HardState.Commit),
		Reject:     s.intn(3) == 0,
		RejectHint: s.number(last),
	}
	if s.intn(4) == 0 {
		m.From = []uint64{LocalAppendThread, LocalApplyThread}[s.intn(2)]
	}
	m.Entries = v.entries(m.Index, m.LogTerm)
	if s.intn(3) == 0 {
		m.Context = make([]byte, s.intn(10))
	}
	if m.Type == raftpb.MsgSnap || s.intn(4) == 0 {
		m.Snapshot = v.snapshot(last)
	}
	return m
}

func (v *victim) entries(index, term uint64) []raftpb.Entry {
	var entries []raftpb.Entry
	for range v.s.intn(4) {
		index++
		e := raftpb.Entry{Index: index, Term: term, Type: raftpb.EntryType(v.s.intn(4))}
		if v.s.intn(10) == 0 {
			e.Index, e.Term = v.s.number(index), v.s.number(term)
		}
		switch {
		case e.Type == raftpb.EntryConfChangeV2 && v.s.intn(4) != 0:
			change := v.change()
			e.Data = change.Marshal(raftpb.FlavorPbgo)
		case v.s.intn(2) == 0:
			e.Data = []byte{v.s.byte(), v.s.byte()}
		}
		entries = append(entries, e)
	}
	return entries
}

func (v *victim) snapshot(last uint64) *raftpb.Snapshot {
	s := v.s
	cs := raftpb.ConfState{Voters: []uint64{1, 2}}
	for range s.intn(4) {
		id := uint64(s.intn(5))
		switch s.intn(4) {
		case 0:
			cs.Voters = append(cs.Voters, id)
		case 1:
			cs.Learners = append(cs.Learners, id)
		case 2:
			cs.VotersOutgoing = append(cs.VotersOutgoing, id)
		case 3:
			cs.LearnersNext = append(cs.LearnersNext, id)
		}
	}
	return &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
		Index: s.number(last), Term: s.number(2), ConfState: cs,
	}}
}

// ready does what Ready says, and keeps what is to be told to the member for later, or for never.
func (v *victim) ready() {
	rd, err := v.node.Ready()
	if err != nil {
		v.t.Fatalf("Ready: %v", err)
	}
	if !v.async {
		v.write(rd.HardState, rd.Entries, rd.Snapshot)
		v.apply(rd.CommittedEntries)
		if err := v.node.Advance(rd); err != nil {
			v.t.Fatalf("Advance: %v", err)
		}
		return
	}
	for _, m := range rd.Messages {
		if raftpb.IsLocalMsgTarget(m.To) {
			v.todo = append(v.todo, m)
		}
	}
	for len(v.todo) > 0 && v.s.intn(4) != 0 {
		m := v.todo[0]
		v.todo = v.todo[1:]
		if m.To == LocalAppendThread {
			hs := raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
			v.write(hs, m.Entries, m.Snapshot)
		} else {
			v.apply(m.Entries)
		}
		for _, r := range m.Responses {
			if r.To == 1 {
				_ = v.node.Step(r)
			}
		}
	}
}

func (v *victim) write(hs raftpb.HardState, entries []raftpb.Entry, s *raftpb.Snapshot) {
	if !hs.IsEmpty() {
		must(v.t, v.store.SetHardState(hs))
	}
	if s != nil {
		must(v.t, v.store.ApplySnapshot(*s))
	}
	must(v.t, v.store.Append(entries))
}

// apply checks that what is handed out follows from what was before.
func (v *victim) apply(entries []raftpb.Entry) {
	for i := range entries {
		e := &entries[i]
		if term, found := v.terms[e.Index]; found && term != e.Term {
			v.t.Fatalf("entry %d applied with term %d, and with %d before", e.Index, e.Term, term)
		}
		v.terms[e.Index] = e.Term
		if change, err := decodeConfChange(e); err == nil {
			_, _ = v.node.ApplyConfChange(change)
		}
	}
}

// check checks the invariants of the log.
func (v *victim) check() {
	s := v.node.LogStatus()
	last := v.node.core.log.lastIndex()
	if s.Applied > s.Applying || s.Applying > s.Committed || s.Committed > last {
		v.t.Fatalf("log %v with last index %d", s, last)
	}
	if s.Offset > s.OffsetInProgress || s.OffsetInProgress > last+1 {
		v.t.Fatalf("log %v with last index %d", s, last)
	}
	if s.Committed < v.commit {
		v.t.Fatalf("commit index fell from %d to %d", v.commit, s.Committed)
	}
	v.commit = s.Committed
}
