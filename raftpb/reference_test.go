package raftpb

import (
	"math/rand/v2"
	"slices"
	"testing"

	ref "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// The reference's types tell absent from zero. These functions set in them what the flavour writes.

func opt[T comparable](v T, always bool) *T {
	var zero T
	if v == zero && !always {
		return nil
	}
	return &v
}

func refEntry(e *Entry, f Flavor) *ref.Entry {
	all := f == FlavorGogo
	return &ref.Entry{
		Type: opt(ref.EntryType(e.Type), all), Term: opt(e.Term, all), Index: opt(e.Index, all),
		Data: e.Data,
	}
}

func refHardState(s *HardState, f Flavor) *ref.HardState {
	if f == FlavorPbgo && s.IsEmpty() {
		return &ref.HardState{}
	}
	return &ref.HardState{Term: &s.Term, Vote: &s.Vote, Commit: &s.Commit}
}

func refConfState(s *ConfState) *ref.ConfState {
	return &ref.ConfState{
		Voters: s.Voters, Learners: s.Learners, VotersOutgoing: s.VotersOutgoing,
		LearnersNext: s.LearnersNext, AutoLeave: &s.AutoLeave,
	}
}

func refMetadata(m *SnapshotMetadata) *ref.SnapshotMetadata {
	return &ref.SnapshotMetadata{
		ConfState: refConfState(&m.ConfState), Index: &m.Index, Term: &m.Term,
	}
}

func refSnapshot(s *Snapshot) *ref.Snapshot {
	if s == nil {
		return nil
	}
	return &ref.Snapshot{Data: s.Data, Metadata: refMetadata(&s.Metadata)}
}

func refMessage(m *Message, f Flavor) *ref.Message {
	all := f == FlavorGogo
	r := &ref.Message{
		Type: ref.MessageType(m.Type).Enum(), To: opt(m.To, all), From: opt(m.From, all),
		Term: opt(m.Term, all), LogTerm: opt(m.LogTerm, all), Index: opt(m.Index, all),
		Commit: opt(m.Commit, all), Vote: opt(m.Vote, all), Snapshot: refSnapshot(m.Snapshot),
		Reject: opt(m.Reject, all), RejectHint: opt(m.RejectHint, all), Context: m.Context,
	}
	for i := range m.Entries {
		r.Entries = append(r.Entries, refEntry(&m.Entries[i], f))
	}
	for i := range m.Responses {
		r.Responses = append(r.Responses, refMessage(&m.Responses[i], f))
	}
	return r
}

func refConfChange(c *ConfChange, f Flavor) *ref.ConfChange {
	return &ref.ConfChange{
		Id: opt(c.ID, f == FlavorGogo), Type: ref.ConfChangeType(c.Type).Enum(), NodeId: &c.NodeID,
		Context: c.Context,
	}
}

func refSingle(c *ConfChangeSingle) *ref.ConfChangeSingle {
	return &ref.ConfChangeSingle{Type: ref.ConfChangeType(c.Type).Enum(), NodeId: &c.NodeID}
}

func refConfChangeV2(c *ConfChangeV2, f Flavor) *ref.ConfChangeV2 {
	r := &ref.ConfChangeV2{
		Transition: opt(ref.ConfChangeTransition(c.Transition), f == FlavorGogo), Context: c.Context,
	}
	for i := range c.Changes {
		r.Changes = append(r.Changes, refSingle(&c.Changes[i]))
	}
	return r
}

// toRef returns x as the reference's type.
func toRef(x codec, f Flavor) proto.Message {
	switch x := x.(type) {
	case *Entry:
		return refEntry(x, f)
	case *HardState:
		return refHardState(x, f)
	case *ConfState:
		return refConfState(x)
	case *SnapshotMetadata:
		return refMetadata(x)
	case *Snapshot:
		return refSnapshot(x)
	case *Message:
		return refMessage(x, f)
	case *ConfChange:
		return refConfChange(x, f)
	case *ConfChangeSingle:
		return refSingle(x)
	case *ConfChangeV2:
		return refConfChangeV2(x, f)
	}
	return nil
}

// These functions turn the reference's types into ours.

func ourEntry(r *ref.Entry) Entry {
	return Entry{
		Type: EntryType(r.GetType()), Term: r.GetTerm(), Index: r.GetIndex(), Data: r.GetData(),
	}
}

func ourConfState(r *ref.ConfState) ConfState {
	return ConfState{
		Voters: r.GetVoters(), Learners: r.GetLearners(), VotersOutgoing: r.GetVotersOutgoing(),
		LearnersNext: r.GetLearnersNext(), AutoLeave: r.GetAutoLeave(),
	}
}

func ourMetadata(r *ref.SnapshotMetadata) SnapshotMetadata {
	return SnapshotMetadata{
		ConfState: ourConfState(r.GetConfState()), Index: r.GetIndex(), Term: r.GetTerm(),
	}
}

func ourSnapshot(r *ref.Snapshot) *Snapshot {
	if r == nil {
		return nil
	}
	return &Snapshot{Data: r.GetData(), Metadata: ourMetadata(r.GetMetadata())}
}

func ourMessage(r *ref.Message) Message {
	m := Message{
		Type: MessageType(r.GetType()), To: r.GetTo(), From: r.GetFrom(), Term: r.GetTerm(),
		LogTerm: r.GetLogTerm(), Index: r.GetIndex(), Commit: r.GetCommit(), Vote: r.GetVote(),
		Snapshot: ourSnapshot(r.GetSnapshot()), Reject: r.GetReject(),
		RejectHint: r.GetRejectHint(), Context: r.GetContext(),
	}
	for _, e := range r.GetEntries() {
		m.Entries = append(m.Entries, ourEntry(e))
	}
	for _, resp := range r.GetResponses() {
		m.Responses = append(m.Responses, ourMessage(resp))
	}
	return m
}

func ourSingle(r *ref.ConfChangeSingle) ConfChangeSingle {
	return ConfChangeSingle{Type: ConfChangeType(r.GetType()), NodeID: r.GetNodeId()}
}

func ourConfChangeV2(r *ref.ConfChangeV2) ConfChangeV2 {
	c := ConfChangeV2{
		Transition: ConfChangeTransition(r.GetTransition()), Context: r.GetContext(),
	}
	for _, single := range r.GetChanges() {
		c.Changes = append(c.Changes, ourSingle(single))
	}
	return c
}

// fromRef returns a message of the reference as a pointer to our type.
func fromRef(r proto.Message) codec {
	switch r := r.(type) {
	case *ref.Entry:
		return ptr(ourEntry(r))
	case *ref.HardState:
		return &HardState{Term: r.GetTerm(), Vote: r.GetVote(), Commit: r.GetCommit()}
	case *ref.ConfState:
		return ptr(ourConfState(r))
	case *ref.SnapshotMetadata:
		return ptr(ourMetadata(r))
	case *ref.Snapshot:
		return ourSnapshot(r)
	case *ref.Message:
		return ptr(ourMessage(r))
	case *ref.ConfChange:
		return &ConfChange{ID: r.GetId(), Type: ConfChangeType(r.GetType()), NodeID: r.GetNodeId(),
			Context: r.GetContext()}
	case *ref.ConfChangeSingle:
		return ptr(ourSingle(r))
	case *ref.ConfChangeV2:
		return ptr(ourConfChangeV2(r))
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

// kind is one of the types: ours, the reference's, and random values of ours.
type kind struct {
	name   string
	ours   func() codec
	ref    func() proto.Message
	random func(*rand.Rand) codec
}

var kinds = []kind{
	{"Entry", func() codec { return new(Entry) }, func() proto.Message { return new(ref.Entry) },
		func(g *rand.Rand) codec { return ptr(randomEntry(g)) }},
	{"HardState", func() codec { return new(HardState) },
		func() proto.Message { return new(ref.HardState) },
		func(g *rand.Rand) codec {
			return &HardState{Term: randomUint(g), Vote: randomUint(g), Commit: randomUint(g)}
		}},
	{"ConfState", func() codec { return new(ConfState) },
		func() proto.Message { return new(ref.ConfState) },
		func(g *rand.Rand) codec { return ptr(randomConfState(g)) }},
	{"SnapshotMetadata", func() codec { return new(SnapshotMetadata) },
		func() proto.Message { return new(ref.SnapshotMetadata) },
		func(g *rand.Rand) codec { return &randomSnapshot(g).Metadata }},
	{"Snapshot", func() codec { return new(Snapshot) },
		func() proto.Message { return new(ref.Snapshot) },
		func(g *rand.Rand) codec { return randomSnapshot(g) }},
	{"Message", func() codec { return new(Message) },
		func() proto.Message { return new(ref.Message) },
		func(g *rand.Rand) codec { return ptr(randomMessage(g, 2)) }},
	{"ConfChange", func() codec { return new(ConfChange) },
		func() proto.Message { return new(ref.ConfChange) },
		func(g *rand.Rand) codec {
			return &ConfChange{ID: randomUint(g), Type: ConfChangeType(randomEnum(g)),
				NodeID: randomUint(g), Context: randomBytes(g)}
		}},
	{"ConfChangeSingle", func() codec { return new(ConfChangeSingle) },
		func() proto.Message { return new(ref.ConfChangeSingle) },
		func(g *rand.Rand) codec { return ptr(randomSingle(g)) }},
	{"ConfChangeV2", func() codec { return new(ConfChangeV2) },
		func() proto.Message { return new(ref.ConfChangeV2) },
		func(g *rand.Rand) codec {
			return &ConfChangeV2{Transition: ConfChangeTransition(randomEnum(g)),
				Changes: randomList(g, randomSingle), Context: randomBytes(g)}
		}},
}

// kindOf returns the kind with that name, which must exist.
func kindOf(name string) kind {
	return kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })]
}

// randomUint returns zero, a number of one byte, or any number, so that all encoded lengths occur.
func randomUint(g *rand.Rand) uint64 {
	switch g.IntN(4) {
	case 0:
		return 0
	case 1:
		return g.Uint64N(128)
	}
	return g.Uint64() >> g.IntN(64)
}

// randomEnum mostly returns a number that some enum names, sometimes one that none does.
func randomEnum(g *rand.Rand) int32 {
	if g.IntN(8) == 0 {
		return int32(g.Uint32())
	}
	return g.Int32N(24)
}

func randomBytes(g *rand.Rand) []byte {
	if g.IntN(4) == 0 {
		return nil
	}
	b := make([]byte, g.IntN(1<<g.IntN(10)))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func randomList[T any](g *rand.Rand, element func(*rand.Rand) T) []T {
	var list []T
	for range max(0, g.IntN(7)-2) {
		list = append(list, element(g))
	}
	return list
}

func randomEntry(g *rand.Rand) Entry {
	return Entry{Type: EntryType(randomEnum(g)), Term: randomUint(g), Index: randomUint(g),
		Data: randomBytes(g)}
}

func randomConfState(g *rand.Rand) ConfState {
	return ConfState{
		Voters: randomList(g, randomUint), Learners: randomList(g, randomUint),
		VotersOutgoing: randomList(g, randomUint), LearnersNext: randomList(g, randomUint),
		AutoLeave: g.IntN(2) == 0,
	}
}

func randomSnapshot(g *rand.Rand) *Snapshot {
	return &Snapshot{Data: randomBytes(g), Metadata: SnapshotMetadata{
		ConfState: randomConfState(g), Index: randomUint(g), Term: randomUint(g),
	}}
}

func randomSingle(g *rand.Rand) ConfChangeSingle {
	return ConfChangeSingle{Type: ConfChangeType(randomEnum(g)), NodeID: randomUint(g)}
}

func randomMessage(g *rand.Rand, depth int) Message {
	m := Message{
		Type: MessageType(randomEnum(g)), To: randomUint(g), From: randomUint(g),
		Term: randomUint(g), LogTerm: randomUint(g), Index: randomUint(g),
		Entries: randomList(g, randomEntry), Commit: randomUint(g), Vote: randomUint(g),
		Reject: g.IntN(2) == 0, RejectHint: randomUint(g), Context: randomBytes(g),
	}
	if g.IntN(3) == 0 {
		m.Snapshot = randomSnapshot(g)
	}
	if depth > 0 {
		m.Responses = randomList(g, func(g *rand.Rand) Message { return randomMessage(g, depth-1) })
	}
	return m
}

// eachKind runs test once for each type.
func eachKind(t *testing.T, test func(t *testing.T, k kind)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { test(t, k) })
	}
}
