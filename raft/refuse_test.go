package raft

import (
	"errors"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

const (
	leads   = true
	follows = false
)

var (
	entry = []raftpb.Entry{{}}
	short = make([]byte, contextSize-1)
	never = []byte{200, 0, 0, 0, 0, 0, 0, 0}
)

// refusals are messages that no correct member sends.
var refusals = []struct {
	name   string
	leader bool // whether the member is leader of term 2, else it follows 2
	m      raftpb.Message
	want   Refusal
}{
	{"type below", follows, raftpb.Message{Type: -1, From: 2, Term: 2}, RefusedType},
	{"type above", follows, raftpb.Message{Type: 24, From: 2, Term: 2}, RefusedType},
	{"term without end", follows,
		raftpb.Message{Type: raftpb.MsgVote, From: 2, Term: 1<<64 - 1}, RefusedTerm},
	{"from nobody", follows, raftpb.Message{Type: raftpb.MsgHeartbeat, Term: 2}, RefusedSender},
	{"from itself", follows,
		raftpb.Message{Type: raftpb.MsgHeartbeat, From: 1, Term: 2}, RefusedSender},
	{"from a storage thread", follows,
		raftpb.Message{Type: raftpb.MsgApp, From: LocalAppendThread, Term: 2}, RefusedSender},
	{"vote without term", follows, raftpb.Message{Type: raftpb.MsgVote, From: 2}, RefusedNoTerm},
	{"append without term", follows, raftpb.Message{Type: raftpb.MsgApp, From: 2}, RefusedNoTerm},
	{"index without end", follows,
		raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 2, Index: 1<<64 - 1}, RefusedIndex},
	{"proposal with a term", leads,
		raftpb.Message{Type: raftpb.MsgProp, From: 2, Term: 2, Entries: entry}, RefusedTerm},
	{"empty proposal", leads, raftpb.Message{Type: raftpb.MsgProp, From: 2}, RefusedEmpty},
	{"empty read", leads, raftpb.Message{Type: raftpb.MsgReadIndex, From: 2}, RefusedEmpty},
	{"conf change of noise", leads, raftpb.Message{Type: raftpb.MsgProp, From: 2, Entries: []raftpb.Entry{
		{Type: raftpb.EntryConfChange, Data: []byte{0xff}},
	}}, RefusedConfChange},
	{"unknown entry type", leads, raftpb.Message{Type: raftpb.MsgProp, From: 2, Entries: []raftpb.Entry{
		{Type: 7},
	}}, RefusedConfChange},
	{"hole between entries", follows, raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 2,
		Index: 3, LogTerm: 2, Entries: []raftpb.Entry{{Term: 2, Index: 5}}}, RefusedEntries},
	{"terms that fall", follows, raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 2,
		Index: 3, LogTerm: 2, Entries: run(4, 2, 1)}, RefusedEntries},
	{"entry of a later term", follows, raftpb.Message{Type: raftpb.MsgApp, From: 2, Term: 2,
		Index: 3, LogTerm: 2, Entries: run(4, 3)}, RefusedEntries},
	{"other entry at the commit index", follows, raftpb.Message{Type: raftpb.MsgApp, From: 2,
		Term: 9, Index: 3, LogTerm: 9, Entries: run(4, 9)}, RefusedConflict},
	{"other entry below the commit index", follows, raftpb.Message{Type: raftpb.MsgApp, From: 2,
		Term: 9, Index: 2, LogTerm: 7, Entries: run(3, 9)}, RefusedConflict},
	{"commit beyond the log", follows,
		raftpb.Message{Type: raftpb.MsgHeartbeat, From: 2, Term: 2, Commit: 50}, RefusedCommit},
	{"transfer passed on twice", follows,
		raftpb.Message{Type: raftpb.MsgTransferLeader, From: 3, Term: 2}, RefusedForwarded},
	{"acknowledged what was not sent", leads,
		raftpb.Message{Type: raftpb.MsgAppResp, From: 2, Term: 2, Index: 50}, RefusedAcked},
	{"short read context", leads,
		raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: 2, Term: 2, Context: short}, RefusedContext},
	{"read never asked for", leads,
		raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: 2, Term: 2, Context: never}, RefusedContext},
	{"snapshot with nonsense", follows, raftpb.Message{Type: raftpb.MsgSnap, From: 2, Term: 2,
		Snapshot: &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 50, Term: 2,
			ConfState: raftpb.ConfState{Voters: []uint64{1}, Learners: []uint64{1}}}}}, RefusedSnapshot},
	{"snapshot without end", follows, raftpb.Message{Type: raftpb.MsgSnap, From: 2, Term: 2,
		Snapshot: &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 1<<64 - 1}}}, RefusedIndex},
	{"applied what was not handed out", follows, raftpb.Message{Type: raftpb.MsgStorageApplyResp,
		From: LocalApplyThread, Entries: run(50, 2)}, RefusedStorageReply},
	{"installed a snapshot that was not", follows, raftpb.Message{Type: raftpb.MsgStorageAppendResp,
		From: LocalAppendThread, Term: 2, Snapshot: &raftpb.Snapshot{
			Metadata: raftpb.SnapshotMetadata{Index: 50}}}, RefusedStorageReply},
}

// TestRefused sends a member what no correct member sends. Each must be refused with its reason, be
// reported, and leave what is to be stored as it was.
func TestRefused(t *testing.T) {
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			var events []Event
			c := newCluster(t, 3, func(cfg *Config) {
				if cfg.ID == 1 {
					cfg.Observer = ObserverFunc(func(_ uint64, e Event) { events = append(events, e) })
				}
			})
			if test.leader {
				c.elect(1)
			} else {
				c.elect(2)
			}
			n := c.nodes[1]
			before := n.BasicStatus()
			err := n.Step(test.m)
			var refused *RefusedError
			if !errors.As(err, &refused) || refused.Reason != test.want || !errors.Is(err, ErrMessageRefused) {
				t.Fatalf("got %v, want it refused: %v", err, test.want)
			}
			if refused.Type != test.m.Type || refused.From != test.m.From {
				t.Errorf("refused %v from %x, want %v from %x",
					refused.Type, refused.From, test.m.Type, test.m.From)
			}
			if got := events[len(events)-1]; got != (MessageRefused{refused}) {
				t.Errorf("last event %+v, want MessageRefused", got)
			}
			after := n.BasicStatus()
			if test.m.Term <= before.HardState.Term && after != before {
				t.Errorf("status is %+v, and was %+v", after, before)
			}
			if after.HardState.Commit != before.HardState.Commit {
				t.Errorf("commit is %d, and was %d", after.HardState.Commit, before.HardState.Commit)
			}
			c.propose(2, "still alive")
		})
	}
}

func TestStepErrors(t *testing.T) {
	c := newCluster(t, 3, nil)
	n := c.elect(1)
	tests := []struct {
		m    raftpb.Message
		want error
	}{
		{raftpb.Message{Type: raftpb.MsgHup, From: 2}, ErrStepLocalMsg},
		{raftpb.Message{Type: raftpb.MsgStorageAppendResp, From: 2, Term: 2}, ErrStepLocalMsg},
		{raftpb.Message{Type: raftpb.MsgUnreachable, From: 2}, ErrStepLocalMsg},
		{raftpb.Message{Type: raftpb.MsgAppResp, From: 9, Term: 2}, ErrStepPeerNotFound},
		{raftpb.Message{Type: raftpb.MsgVoteResp, From: 9, Term: 2}, ErrStepPeerNotFound},
		{raftpb.Message{Type: raftpb.MsgForgetLeader, From: 9}, nil},
	}
	for _, test := range tests {
		if err := n.Step(test.m); err != test.want {
			t.Errorf("%v from %d: %v, want %v", test.m.Type, test.m.From, err, test.want)
		}
	}
}

func TestRefusedErrorText(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&RefusedError{Type: raftpb.MsgHeartbeat, From: 10, Reason: RefusedCommit, Got: 9, Limit: 7},
			"raft: message refused: MsgHeartbeat from a: commit beyond the last entry of a log that must " +
				"have lost some: 9, limit 7"},
		{&RefusedError{Type: raftpb.MsgSnap, From: 2, Reason: RefusedSnapshot, Err: errDisk},
			"raft: message refused: MsgSnap from 2: impossible membership in snapshot: disk on fire"},
		{&ConfigError{"Rand", "must be set"}, "raft: config: Rand must be set"},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
