package stat_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/stat"
	"github.com/raftctl/raftctl/raftpb"
)

var start = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

// message is a message, and when it is seen.
type message struct {
	at   time.Duration
	size int64
	m    raftpb.Message
}

// app returns a MsgApp of term 2 with entries.
func app(from, to, prev, commit uint64, n int) raftpb.Message {
	m := raftpb.Message{Type: raftpb.MsgApp, From: from, To: to, Term: 2, LogTerm: 2, Index: prev, Commit: commit}
	for i := range n {
		m.Entries = append(m.Entries, raftpb.Entry{Term: 2, Index: prev + uint64(i) + 1, Data: []byte{byte(prev), byte(i)}})
	}
	return m
}

func summary(t *testing.T, list ...message) *stat.Summary {
	t.Helper()
	s, err := stat.Run(func(yield func(*stream.Event, error) bool) {
		for i := range list {
			x := &list[i]
			e := stream.Event{Kind: stream.KindMessage, Channel: stream.ChannelMessage, Conn: 1, Time: start.Add(x.at),
				From: x.m.From, To: x.m.To, Size: x.size, Message: &x.m}
			if !yield(&e, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// latency returns the latencies of a kind as count, least and most.
func latency(s *stat.Summary, k stat.Kind) [3]time.Duration {
	for i := range s.Latencies {
		if l := &s.Latencies[i]; l.Kind == k {
			return [3]time.Duration{time.Duration(l.Count), l.Min, l.Max}
		}
	}
	return [3]time.Duration{}
}

func TestLatencies(t *testing.T) {
	resp := raftpb.Message{Type: raftpb.MsgAppResp, From: 2, To: 1, Term: 2, Index: 7}
	prop := raftpb.Message{Type: raftpb.MsgProp, From: 2, To: 1, Entries: []raftpb.Entry{{Data: []byte{6, 0}}}}
	beat := raftpb.Message{Type: raftpb.MsgHeartbeat, From: 1, To: 2, Term: 2, Context: []byte("a")}
	answer := raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: 2, To: 1, Term: 2, Context: []byte("a")}
	ask := raftpb.Message{Type: raftpb.MsgReadIndex, From: 2, To: 1, Entries: []raftpb.Entry{{Data: []byte("r")}}}
	tell := raftpb.Message{Type: raftpb.MsgReadIndexResp, From: 1, To: 2, Term: 2, Entries: ask.Entries}
	s := summary(t,
		message{0, 10, prop}, message{1 * ms, 10, app(1, 2, 5, 5, 1)}, message{2 * ms, 10, app(1, 2, 6, 5, 1)},
		message{3 * ms, 10, ask}, message{4 * ms, 10, beat}, message{9 * ms, 10, answer}, message{11 * ms, 10, tell},
		message{12 * ms, 10, resp}, message{22 * ms, 10, app(1, 2, 7, 7, 0)})
	for kind, want := range map[stat.Kind][3]time.Duration{
		stat.KindAppend:    {2, 10 * ms, 11 * ms},
		stat.KindHeartbeat: {1, 5 * ms, 5 * ms},
		stat.KindCommit:    {2, 20 * ms, 21 * ms},
		stat.KindProposal:  {1, 22 * ms, 22 * ms},
		stat.KindRead:      {1, 8 * ms, 8 * ms},
	} {
		if got := latency(s, kind); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
	if s.Messages != 9 || s.Bytes != 90 || len(s.Flows) != 7 {
		t.Errorf("%d messages, %d bytes, %d flows, want 9, 90 and 7", s.Messages, s.Bytes, len(s.Flows))
	}
}

func TestElections(t *testing.T) {
	vote := func(typ raftpb.MessageType, from, to, term uint64, context string) raftpb.Message {
		m := raftpb.Message{Type: typ, From: from, To: to, Term: term}
		if context != "" {
			m.Context = []byte(context)
		}
		return m
	}
	refused := vote(raftpb.MsgVoteResp, 3, 2, 3, "")
	refused.Reject = true
	lead := func(from, term uint64) raftpb.Message {
		return raftpb.Message{Type: raftpb.MsgHeartbeat, From: from, To: 2, Term: term}
	}
	s := summary(t,
		message{0, 1, lead(1, 2)},
		message{1000 * ms, 1, vote(raftpb.MsgPreVote, 2, 1, 3, "")}, message{1001 * ms, 1, vote(raftpb.MsgPreVote, 2, 3, 3, "")},
		message{1003 * ms, 1, vote(raftpb.MsgPreVoteResp, 3, 2, 3, "")},
		message{1004 * ms, 1, vote(raftpb.MsgVote, 2, 1, 3, "")}, message{1005 * ms, 1, vote(raftpb.MsgVote, 2, 3, 3, "")},
		message{1006 * ms, 1, vote(raftpb.MsgVoteResp, 1, 2, 3, "")}, message{1007 * ms, 1, refused},
		message{1010 * ms, 1, raftpb.Message{Type: raftpb.MsgApp, From: 2, To: 1, Term: 3}},
		message{2000 * ms, 1, vote(raftpb.MsgVote, 3, 1, 4, "CampaignTransfer")},
		message{2001 * ms, 1, vote(raftpb.MsgVote, 1, 3, 5, "")},
		message{2002 * ms, 1, lead(1, 5)},
		message{3000 * ms, 1, vote(raftpb.MsgPreVote, 3, 1, 6, "")})
	want := []stat.Election{
		{Term: 3, Candidate: 2, Cause: stat.CauseTimeout, PreVote: true, Outcome: stat.OutcomeWon, Start: start.Add(1000 * ms),
			Duration: 10 * ms, Silence: 1000 * ms, Granted: 1, Refused: 1},
		{Term: 4, Candidate: 3, Cause: stat.CauseTransfer, Outcome: stat.OutcomeLost, Start: start.Add(2000 * ms), Duration: ms},
		{Term: 5, Candidate: 1, Cause: stat.CauseTimeout, Outcome: stat.OutcomeWon, Start: start.Add(2001 * ms), Duration: ms,
			Silence: 991 * ms},
		{Term: 6, Candidate: 3, Cause: stat.CauseTimeout, PreVote: true, Outcome: stat.OutcomePreVote, Start: start.Add(3000 * ms)},
	}
	if diff := cmp.Diff(want, s.Elections); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFollowersAndSnapshots(t *testing.T) {
	resp := func(from, index uint64, reject bool) raftpb.Message {
		return raftpb.Message{Type: raftpb.MsgAppResp, From: from, To: 1, Term: 2, Index: index, Reject: reject}
	}
	snap := raftpb.Message{Type: raftpb.MsgSnap, From: 1, To: 3, Term: 2,
		Snapshot: &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 9, Term: 2}}}
	s := summary(t,
		message{0, 1, app(1, 2, 1, 1, 1)}, message{1 * ms, 1, resp(2, 2, false)},
		message{2 * ms, 1, app(1, 2, 2, 1, 4)}, message{4 * ms, 1, resp(2, 6, false)},
		message{5 * ms, 1, app(1, 3, 6, 1, 1)}, message{6 * ms, 1, resp(3, 6, true)},
		message{7 * ms, 1, app(1, 3, 2, 1, 1)}, message{8 * ms, 50, snap}, message{18 * ms, 1, resp(3, 9, false)})
	got := map[uint64][4]int64{}
	for _, f := range s.Followers {
		got[f.Member] = [4]int64{int64(f.MaxBehind), f.Rejections, f.Probes, f.Snapshots}
	}
	if diff := cmp.Diff(map[uint64][4]int64{2: {4, 0, 0, 0}, 3: {0, 1, 1, 1}}, got); diff != "" {
		t.Errorf("behind, rejections, probes, snapshots: -want +got:\n%s", diff)
	}
	if s.Followers[0].Member != 3 {
		t.Errorf("the slowest is %d, want 3", s.Followers[0].Member)
	}
	want := []stat.Snapshot{{Time: start.Add(8 * ms), From: 1, To: 3, ID: raftpb.EntryID{Term: 2, Index: 9}, Bytes: 50, Took: 10 * ms}}
	if diff := cmp.Diff(want, s.Snapshots); diff != "" {
		t.Errorf("snapshots: -want +got:\n%s", diff)
	}
}

func TestGaps(t *testing.T) {
	g := stat.New()
	for _, n := range []int64{5, -1, 7} {
		g.Add(&stream.Event{Kind: stream.KindGap, Gap: &stream.Gap{Bytes: n, Reason: "lost"}})
	}
	want := []stat.GapReason{{Reason: "lost", Count: 3, Bytes: 12, Unknown: 1}}
	if diff := cmp.Diff(want, g.Summary().Gaps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestJoinAddsUp(t *testing.T) {
	one, two := stat.New(), stat.New()
	a := app(1, 2, 1, 1, 1)
	e := stream.Event{Kind: stream.KindMessage, Time: start, From: 1, To: 2, Size: 3, Message: &a}
	one.Add(&e)
	two.Add(&e)
	one.Join(two)
	s := one.Summary()
	if s.Messages != 2 || s.Bytes != 6 || len(s.Flows) != 1 || s.Flows[0].Count != 2 || s.Rate.Sums[0] != 6 {
		t.Errorf("%+v", s)
	}
}

// Of what two captures hold, latencies are those that each shows, and a vote is one.
func TestSeveralSources(t *testing.T) {
	said := []message{
		{at: 0, m: raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2, Term: 2}},
		{at: 1 * ms, m: raftpb.Message{Type: raftpb.MsgVoteResp, From: 2, To: 1, Term: 2}},
		{at: 2 * ms, m: app(1, 2, 4, 3, 1)},
		{at: 9 * ms, m: raftpb.Message{Type: raftpb.MsgAppResp, From: 2, To: 1, Term: 2, Index: 5}},
	}
	g := stat.New()
	for i := range said {
		for conn, source := range []string{"leader", "follower"} {
			x := &said[i]
			g.Add(&stream.Event{Kind: stream.KindMessage, Channel: stream.ChannelMessage, Conn: uint64(conn + 1), Time: start.Add(x.at + time.Duration(conn)*ms),
				From: x.m.From, To: x.m.To, Message: &x.m, Pos: stream.Pos{Source: source}})
		}
	}
	s := g.Summary()
	if got := latency(s, stat.KindAppend); got != [3]time.Duration{2, 7 * ms, 7 * ms} {
		t.Errorf("appends: %v", got)
	}
	if len(s.Elections) != 1 || s.Elections[0].Granted != 1 {
		t.Errorf("elections: %+v", s.Elections)
	}
}
