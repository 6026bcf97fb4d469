package lockstep

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// forger makes up messages that nobody would send, for a world on our own. Values are mostly near
// those that matter to the member: a number drawn from all numbers only ever tests the first
// comparison.
type forger struct {
	*rand.Rand
	m    *member
	s    raft.BasicStatus
	last uint64 // the last index of the member's disk
}

// forge steps a made-up message, or lets the disk fail for a while.
func (m *member) forge(b, c byte) {
	if !m.w.alone {
		return
	}
	m.w.requests++
	f := forger{
		Rand: rand.New(rand.NewPCG(uint64(b)<<8|uint64(c), m.w.requests)),
		m:    m,
		s:    m.ours.BasicStatus(),
	}
	f.last, _ = m.ourDisk.MemoryStorage.LastIndex()
	if b>>4 == 0 {
		m.ourDisk.fails = f.failures()
		return
	}
	msg := f.message(1)
	m.history.lied = m.history.lied || raftpb.IsLocalMsgTarget(msg.From)
	what := "forged"
	if m.w.tracing() {
		what = "forged " + showMessage(&msg)
	}
	_ = m.do(what, func(n *raft.RawNode) error { return n.Step(msg) }, nil)
}

// failures returns what decides whether the disk fails: never, or one time in a few.
func (f *forger) failures() func() bool {
	n := f.IntN(12)
	if n < 4 {
		return nil
	}
	left := 100
	return func() bool {
		left--
		return left > 0 && f.IntN(n) == 0
	}
}

// near returns a number near one of some.
func (f *forger) near(numbers ...uint64) uint64 {
	switch n := numbers[f.IntN(len(numbers))]; f.IntN(16) {
	case 0:
		return 0
	case 1:
		return math.MaxUint64 - f.Uint64N(3)
	case 2:
		return f.Uint64()
	case 3, 4, 5:
		return n + f.Uint64N(4)
	case 6, 7:
		return n - f.Uint64N(4)
	default:
		return n
	}
}

func (f *forger) id() uint64 {
	if f.IntN(4) > 0 {
		return 1 + f.Uint64N(uint64(len(f.m.w.members)))
	}
	ids := []uint64{
		0, f.m.id, raft.LocalAppendThread, raft.LocalApplyThread, 77, f.s.SoftState.Lead,
	}
	return ids[f.IntN(len(ids))]
}

func (f *forger) index() uint64 {
	return f.near(f.last, f.s.HardState.Commit, f.s.Applied, f.last+1)
}

func (f *forger) term() uint64 { return f.near(f.s.HardState.Term) }

func (f *forger) message(depth int) raftpb.Message {
	m := raftpb.Message{
		Type: raftpb.MessageType(f.IntN(24)), To: f.m.id, From: f.id(), Term: f.term(),
		LogTerm: f.term(), Index: f.index(), Commit: f.index(), Vote: f.id(),
		Reject: f.IntN(3) == 0, RejectHint: f.index(), Context: f.context(),
	}
	switch f.IntN(16) {
	case 0:
		m.Type = raftpb.MessageType(f.Int32())
	case 1:
		m.To = f.id()
	case 2:
		m.Term = 0
	}
	if local := raftpb.IsLocalMsg(m.Type); local && f.IntN(2) == 0 {
		m.From = []uint64{raft.LocalAppendThread, raft.LocalApplyThread}[f.IntN(2)]
	}
	if m.Type == raftpb.MsgProp || m.Type == raftpb.MsgReadIndex {
		m.Term = 0
	}
	m.Entries = f.entries(&m)
	if m.Type == raftpb.MsgSnap || f.IntN(8) == 0 {
		m.Snapshot = f.snapshot()
	}
	for range f.IntN(4) * depth / 2 {
		m.Responses = append(m.Responses, f.message(0))
	}
	return m
}

func (f *forger) context() []byte {
	switch f.IntN(6) {
	case 0:
		return []byte("CampaignTransfer")
	case 1:
		return make([]byte, f.IntN(12))
	case 2, 3:
		return binary.LittleEndian.AppendUint64(nil, f.near(1, 2, 3))
	}
	return nil
}

func (f *forger) entries(m *raftpb.Message) []raftpb.Entry {
	var list []raftpb.Entry
	term := m.LogTerm
	for i := range uint64(f.IntN(5)) {
		e := raftpb.Entry{
			Index: m.Index + 1 + i, Term: term, Data: f.m.w.payload(byte(f.IntN(256))),
		}
		if f.IntN(4) == 0 {
			term = max(term, min(m.Term, f.term()))
		}
		if f.IntN(4) == 0 {
			change := f.m.w.change(byte(f.IntN(256)), byte(f.IntN(256)))
			e.Type, e.Data = raftpb.MarshalConfChange(change, raftpb.FlavorPbgo)
		}
		switch f.IntN(24) {
		case 0:
			e.Index = f.index()
		case 1:
			e.Term = f.term()
		case 2:
			e.Type = raftpb.EntryType(f.IntN(5))
		case 3:
			e.Type = raftpb.EntryConfChangeV2
			e.Data = []byte{0x08, byte(f.IntN(256)), 0x12}[:f.IntN(4)]
		}
		list = append(list, e)
	}
	return list
}

func (f *forger) snapshot() *raftpb.Snapshot {
	if f.IntN(8) == 0 {
		return nil
	}
	mask := func() []uint64 { return ids(byte(f.IntN(256)) & (1<<len(f.m.w.members) - 1)) }
	s := &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: f.index(), Term: f.term()}}
	cs := &s.Metadata.ConfState
	cs.Voters = mask()
	switch f.IntN(8) {
	case 0:
		cs.Learners = mask()
	case 1:
		cs.VotersOutgoing = mask()
	case 2:
		cs.VotersOutgoing, cs.LearnersNext, cs.AutoLeave = mask(), mask(), true
	case 3:
		cs.AutoLeave = true
	case 4:
		cs.Voters = append(cs.Voters, f.id(), f.id())
	}
	return s
}
