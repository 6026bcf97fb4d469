package paste

import (
	"bytes"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// Kind says what bytes may be.
type Kind string

// The kinds.
const (
	KindMessage       Kind = "message"
	KindEntry         Kind = "entry"
	KindHardState     Kind = "hard_state"
	KindConfChange    Kind = "conf_change"
	KindConfChangeV2  Kind = "conf_change_v2"
	KindConfState     Kind = "conf_state"
	KindSnapshot      Kind = "snapshot"
	KindMessageStream Kind = "message_stream"
	KindAppendStream  Kind = "append_stream"
	KindClassicStream Kind = "classic_stream"
	KindSnapshotHead  Kind = "snapshot_head"
	KindHTTP          Kind = "http"
	KindRecord        Kind = "wal_record"
)

// Candidate is one of the things that bytes may be. Of the pointers, the one of its kind is set.
type Candidate struct {
	Kind Kind
	// Exact says that an encoder writes what was read as these very bytes.
	Exact bool
	// Rest is how many bytes follow that are no part of it: a piece of the next one, or a database.
	Rest int

	Messages     []raftpb.Message // of a message, a stream, a snapshot head or HTTP
	Entry        *raftpb.Entry
	HardState    *raftpb.HardState
	ConfChange   *raftpb.ConfChange
	ConfChangeV2 *raftpb.ConfChangeV2
	ConfState    *raftpb.ConfState
	Snapshot     *raftpb.Snapshot
	Record       *Record
}

// Record is a record of a log.
type Record struct {
	Kind string
	// Within is what the record's data is. Nil: nothing that is known.
	Within *Candidate
}

// coder is what all types of raftpb have.
type coder interface {
	Unmarshal(b []byte) error
	Marshal(f raftpb.Flavor) []byte
}

// Candidates returns what b may be, the likeliest first. There is none for bytes that are nothing known.
func Candidates(b []byte) []Candidate {
	if len(b) == 0 {
		return nil
	}
	if c := framed(b); c != nil {
		return []Candidate{*c}
	}
	all := bare(b)
	if exact := slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return !c.Exact }); len(exact) > 0 {
		return exact
	}
	return all
}

// bare returns which messages of protobuf b may be, in the order of how much has to come together.
func bare(b []byte) (all []Candidate) {
	add := func(k Kind, v coder, plausible func() bool, c Candidate) {
		if v.Unmarshal(b) != nil || !plausible() {
			return
		}
		c.Kind = k
		c.Exact = bytes.Equal(v.Marshal(raftpb.FlavorGogo), b) || bytes.Equal(v.Marshal(raftpb.FlavorPbgo), b)
		if m, ok := v.(*raftpb.Message); ok {
			c.Messages = []raftpb.Message{*m}
		}
		all = append(all, c)
	}
	m, e, st := new(raftpb.Message), new(raftpb.Entry), new(raftpb.HardState)
	cc, v2 := new(raftpb.ConfChange), new(raftpb.ConfChangeV2)
	cs, sn := new(raftpb.ConfState), new(raftpb.Snapshot)
	add(KindMessage, m, func() bool { return isMessage(m) }, Candidate{})
	add(KindEntry, e, func() bool { return isEntry(e) }, Candidate{Entry: e})
	add(KindSnapshot, sn, func() bool { return sn.Metadata.Index > 0 && sn.Metadata.Term > 0 }, Candidate{Snapshot: sn})
	add(KindHardState, st, func() bool { return st.Term > 0 && st.Term < unlikely && st.Commit < unlikely }, Candidate{HardState: st})
	add(KindConfChange, cc, func() bool { return isChange(cc) }, Candidate{ConfChange: cc})
	add(KindConfChangeV2, v2, func() bool {
		return len(v2.Changes) > 0 && v2.Transition <= raftpb.ConfChangeTransitionJointExplicit && v2.Transition >= 0
	},
		Candidate{ConfChangeV2: v2})
	add(KindConfState, cs, func() bool { return len(cs.Voters)+len(cs.Learners) > 0 }, Candidate{ConfState: cs})
	return all
}

// unlikely is above each term and index that there is, and below most IDs of members.
const unlikely = 1 << 48

// isMessage reports whether a message is one that members send. All but two types of them have a term.
func isMessage(m *raftpb.Message) bool {
	told := m.Term != 0
	if m.Type == raftpb.MsgProp || m.Type == raftpb.MsgReadIndex {
		told = len(m.Entries) > 0
	}
	return (told || wire.IsLinkHeartbeat(m)) && m.Type >= 0 && m.Type <= raftpb.MsgForgetLeader && m.Term < unlikely && m.Index < unlikely &&
		m.LogTerm < unlikely && m.Commit < unlikely
}

func isEntry(e *raftpb.Entry) bool {
	return e.Type >= 0 && e.Type <= raftpb.EntryConfChangeV2 && e.Term < unlikely && e.Index > 0 && e.Index < unlikely
}

func isChange(c *raftpb.ConfChange) bool {
	return c.Type >= 0 && c.Type <= raftpb.ConfChangeAddLearnerNode && c.NodeID != 0
}
