package check_test

import (
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
)

// elected is how member 1 becomes leader of term 2 and commits its first entry.
const elected = `
	1>2 Vote 2 at 1/3
	1>3 Vote 2 at 1/3
	2>1 VoteResp 2
	1>2 App 2 at 1/3 has 2/4 commit 3
	1>3 App 2 at 1/3 has 2/4 commit 3
	2>1 AppResp 2 index 4
	3>1 AppResp 2 index 4
	1>2 App 2 at 2/4 commit 4
	1>3 App 2 at 2/4 commit 4
`

// planted are messages that can't be. The last one shows it, together with an earlier one.
var planted = []struct {
	name   string
	rule   check.Name
	voters []uint64 // 1, 2 and 3 where they are nil
	text   string   // after elected
	first  string   // the earlier message, empty for none
}{
	{name: "two leaders", rule: check.LeaderPerTerm, text: `3>2 Heartbeat 2`,
		first: "1>2 App 2 at 1/3 has 2/4 commit 3"},
	{name: "an answer to another leader", rule: check.LeaderPerTerm, text: `2>3 HeartbeatResp 2`,
		first: "1>2 App 2 at 1/3 has 2/4 commit 3"},
	{name: "an acknowledgement to another leader", rule: check.LeaderPerTerm, text: `2>3 AppResp 2 index 4`,
		first: "1>2 App 2 at 1/3 has 2/4 commit 3"},
	{name: "a snapshot of another leader", rule: check.LeaderPerTerm, text: `3>2 Snap 2 snap 1/3`,
		first: "1>2 App 2 at 1/3 has 2/4 commit 3"},
	{name: "two votes", rule: check.VotePerTerm, text: `2>3 VoteResp 2`, first: "2>1 VoteResp 2"},
	{name: "a candidate votes for another", rule: check.VotePerTerm, text: `1>3 VoteResp 2`, first: "1>2 Vote 2 at 1/3"},
	{name: "a voter campaigns", rule: check.VotePerTerm, text: `2>3 Vote 2 at 1/3`, first: "2>1 VoteResp 2"},
	{name: "a promise of an earlier term", rule: check.TermBack, text: `
		2>1 AppResp 3
		2>1 AppResp 2 index 4`, first: "2>1 AppResp 3"},
	{name: "a heartbeat of an earlier term", rule: check.TermBack, text: `
		1>2 Vote 4 at 2/4
		1>2 Heartbeat 2 commit 4`, first: "1>2 Vote 4 at 2/4"},
	{name: "commit goes back", rule: check.CommitBack, text: `1>2 App 2 at 2/4 has 2/5 commit 3`,
		first: "1>2 App 2 at 2/4 commit 4"},
	{name: "commit goes back in heartbeats", rule: check.CommitBack, text: `
		1>2 Heartbeat 2 commit 4
		1>2 Heartbeat 2 commit 3`, first: "1>2 Heartbeat 2 commit 4"},
	{name: "other bytes", rule: check.LogMatching, text: `
		1>2 App 2 at 2/4 has 2/5=a commit 4
		1>3 App 2 at 2/4 has 2/5=b commit 4`, first: "1>2 App 2 at 2/4 has 2/5=a commit 4"},
	{name: "another entry before", rule: check.LogMatching, text: `
		1>2 App 2 at 2/4 has 2/5=a commit 4
		1>3 App 2 at 1/4 has 2/5=a commit 4`, first: "1>2 App 2 at 2/4 has 2/5=a commit 4"},
	{name: "an index is left out", rule: check.LogMatching, text: `1>2 App 2 at 2/4 has 2/6 commit 4`},
	{name: "terms go back in a log", rule: check.LogMatching, text: `1>2 App 2 at 2/4 has 1/5 commit 4`},
	{name: "a committed entry is replaced", rule: check.CommittedStays, text: `
		3>2 Vote 3 at 1/3
		2>3 VoteResp 3
		3>2 App 3 at 1/3 has 3/4 commit 3`, first: "1>2 App 2 at 2/4 commit 4"},
	{name: "a committed entry is another before the first one sent", rule: check.CommittedStays, text: `
		3>2 Vote 3 at 1/4
		2>3 VoteResp 3
		3>2 App 3 at 1/4 has 3/5 commit 3`, first: "1>2 App 2 at 2/4 commit 4"},
	{name: "acknowledged, never sent", rule: check.AckBeyond, text: `2>1 AppResp 2 index 9`,
		first: "1>2 App 2 at 1/3 has 2/4 commit 3"},
	{name: "acknowledged what another was sent", rule: check.AckBeyond, text: `
		1>3 App 2 at 2/4 has 2/5 commit 4
		2>1 AppResp 2 index 5`, first: "1>2 App 2 at 1/3 has 2/4 commit 3"},
	{name: "committed before anyone acknowledged", rule: check.CommitQuorum, text: `
		1>2 App 2 at 2/4 has 2/5 commit 4
		1>3 App 2 at 2/4 has 2/5 commit 5`, first: "2>1 AppResp 2 index 4"},
	{name: "committed with half of four", rule: check.CommitQuorum, voters: []uint64{1, 2, 3, 4}, text: `
		1>4 App 2 at 1/3 has 2/4 commit 4
		4>1 AppResp 2 index 4
		1>2 App 2 at 2/4 has 2/5 commit 4
		2>1 AppResp 2 index 5
		1>3 App 2 at 2/4 has 2/5 commit 5`, first: "3>1 AppResp 2 index 4"},
	{name: "committed with a learner's acknowledgement", rule: check.CommitQuorum, text: `
		1>2 App 2 at 2/4 changes 2/5=l4 commit 4
		1>3 App 2 at 2/4 changes 2/5=l4 commit 4
		2>1 AppResp 2 index 5
		1>2 App 2 at 2/5 commit 5
		1>4 App 2 at 2/5 has 2/6 commit 5
		4>1 AppResp 2 index 6
		1>4 App 2 at 2/6 commit 6`, first: "2>1 AppResp 2 index 5"},
	{name: "committed with half of a joint quorum", rule: check.CommitQuorum, text: `
		1>2 App 2 at 2/4 changes 2/5=v4,v5,r2,r3 commit 4
		1>3 App 2 at 2/4 changes 2/5=v4,v5,r2,r3 commit 4
		2>1 AppResp 2 index 5
		1>2 App 2 at 2/5 commit 5
		1>4 App 2 at 2/5 changes 2/6= commit 5
		1>5 App 2 at 2/5 changes 2/6= commit 5
		1>4 App 2 at 2/6 has 2/7 commit 5
		1>5 App 2 at 2/6 has 2/7 commit 5
		4>1 AppResp 2 index 7
		5>1 AppResp 2 index 7
		1>4 App 2 at 2/7 commit 7`, first: "2>1 AppResp 2 index 5"},
	{name: "committed by counting in an earlier term", rule: check.CommitQuorum, text: `
		1>2 App 2 at 2/4 has 2/5 commit 4
		1>2 Vote 3 at 2/5
		1>3 Vote 3 at 2/5
		2>1 VoteResp 3
		1>3 App 3 at 2/5 has 3/6 commit 4
		1>3 App 3 at 2/4 has 2/5 commit 4
		3>1 AppResp 3 index 5
		1>2 App 3 at 2/5 has 3/6 commit 5`, first: "1>3 App 3 at 2/5 has 3/6 commit 4"},
	{name: "committed by acknowledgements of an earlier term", rule: check.CommitQuorum, text: `
		1>2 App 2 at 2/4 has 2/5 commit 4
		1>2 Vote 3 at 2/5
		1>3 Vote 3 at 2/5
		2>1 VoteResp 3
		2>1 AppResp 2 index 5
		1>2 App 3 at 2/5 has 3/6 commit 4
		1>3 App 3 at 2/5 has 3/6 commit 6`, first: "1>2 App 3 at 2/5 has 3/6 commit 4"},
	{name: "a snapshot of what is not committed", rule: check.CommitQuorum, text: `
		1>2 App 2 at 2/4 has 2/5 commit 4
		1>3 Snap 2 snap 2/5`, first: "2>1 AppResp 2 index 4"},
	{name: "a heartbeat tells of what its receiver lacks", rule: check.BeatCommit, voters: []uint64{1, 2, 3, 4}, text: `
		1>4 App 2 at 1/3 has 2/4 commit 3
		4>1 AppResp 2 index 3 reject
		1>4 Heartbeat 2 commit 4`},
	{name: "a heartbeat tells of more than was acknowledged", rule: check.BeatCommit, text: `
		1>2 App 2 at 2/4 has 2/5 commit 4
		1>3 App 2 at 2/4 has 2/5 commit 4
		2>1 AppResp 2 index 5
		1>3 Heartbeat 2 commit 5`, first: "3>1 AppResp 2 index 4"},
	{name: "a read answered at once", rule: check.ReadQuorum, text: `
		2>1 ReadIndex read a
		1>2 ReadIndexResp 2 index 4 read a`, first: "2>1 ReadIndex read a"},
	{name: "a read answered by an older confirmation", rule: check.ReadQuorum, text: `
		1>2 Heartbeat 2 commit 4 context 1
		1>3 Heartbeat 2 commit 4 context 1
		2>1 ReadIndex read a
		3>1 HeartbeatResp 2 context 1
		1>2 ReadIndexResp 2 index 4 read a`, first: "2>1 ReadIndex read a"},
	{name: "a read misses what was committed", rule: check.ReadQuorum, text: `
		2>1 ReadIndex read a
		1>3 Heartbeat 2 commit 4 context a
		3>1 HeartbeatResp 2 context a
		1>2 ReadIndexResp 2 index 3 read a`, first: "1>2 App 2 at 2/4 commit 4"},
	{name: "a context is altered", rule: check.ContextEcho, text: `
		1>2 Heartbeat 2 commit 4 context a
		2>1 HeartbeatResp 2 context b`, first: "1>2 Heartbeat 2 commit 4 context a"},
	{name: "a context is dropped", rule: check.ContextEcho, text: `
		1>2 Heartbeat 2 commit 4 context a
		2>1 HeartbeatResp 2`, first: "1>2 Heartbeat 2 commit 4 context a"},
	{name: "a context of another member", rule: check.ContextEcho, text: `
		1>3 Heartbeat 2 commit 4 context a
		2>1 HeartbeatResp 2 context a`},
}

// judged runs the check over a script.
func judged(t *testing.T, text string, ids []uint64, logs ...check.Log) *check.Report {
	t.Helper()
	if ids == nil {
		ids = []uint64{1, 2, 3}
	}
	members := voters(ids...)
	rep, err := check.Run(script(t, text), check.Options{Members: &members, Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// find returns the result of a rule.
func find(t *testing.T, rep *check.Report, name check.Name) *check.Result {
	t.Helper()
	for i := range rep.Rules {
		if rep.Rules[i].Name == name {
			return &rep.Rules[i]
		}
	}
	t.Fatalf("no rule %s", name)
	return nil
}

func TestPlantedViolationsAreFound(t *testing.T) {
	for _, p := range planted {
		t.Run(string(p.rule)+"/"+p.name, func(t *testing.T) {
			text := lines(elected + p.text)
			res := find(t, judged(t, elected+p.text, p.voters), p.rule)
			if res.Verdict != verdict.Problem || len(res.Violations) != 1 {
				t.Fatalf("verdict %s, %d violations, want a problem and 1: %+v", res.Verdict, len(res.Violations), res)
			}
			v := &res.Violations[0]
			if got, want := lineOf(text, v.Second), text[len(text)-1]; got != want {
				t.Errorf("second is %q, want %q", got, want)
			}
			if got := lineOf(text, v.First); got != p.first {
				t.Errorf("first is %q, want %q", got, p.first)
			}
			t.Log(v.Found)
		})
	}
}

// lineOf returns the line of a script that an event is of.
func lineOf(text []string, e *stream.Event) string {
	if e == nil {
		return ""
	}
	return text[e.Pos.Off-1]
}

func TestAcknowledgedMustBeOnDisk(t *testing.T) {
	log := func(entries ...raftpb.Entry) check.Log {
		return check.Log{Member: 2, Source: "m2", Last: entries[len(entries)-1].ID(),
			Entry: func(index uint64) (raftpb.Entry, bool) {
				for _, e := range entries {
					if e.Index == index {
						return e, true
					}
				}
				return raftpb.Entry{}, false
			}}
	}
	for name, x := range map[string]struct {
		log  check.Log
		want verdict.Verdict
	}{
		"there":                 {log(raftpb.Entry{Term: 2, Index: 4}), verdict.OK},
		"lost":                  {log(raftpb.Entry{Term: 1, Index: 3}), verdict.Problem},
		"of an earlier term":    {log(raftpb.Entry{Term: 1, Index: 4}), verdict.Problem},
		"other bytes":           {log(raftpb.Entry{Term: 2, Index: 4, Data: []byte("x")}), verdict.Problem},
		"replaced":              {log(raftpb.Entry{Term: 3, Index: 4}), verdict.OK},
		"cut by a later leader": {log(raftpb.Entry{Term: 3, Index: 3}), verdict.OK},
	} {
		t.Run(name, func(t *testing.T) {
			if res := find(t, judged(t, elected, nil, x.log), check.AckOnDisk); res.Verdict != x.want {
				t.Errorf("verdict %s, want %s: %+v", res.Verdict, x.want, res)
			}
		})
	}
}

// What one file of a recording tells is known in the next: a source has one order, in however many files it lies.
func TestFilesOfOneSource(t *testing.T) {
	said := []raftpb.Message{
		{Type: raftpb.MsgAppResp, From: 2, To: 1, Term: 3},
		{Type: raftpb.MsgAppResp, From: 2, To: 1, Term: 2, Index: 4},
	}
	for source, want := range map[string]verdict.Verdict{"talk": verdict.Problem, "other": verdict.Unchecked} {
		c := check.New(check.Options{})
		for i, m := range said {
			pos := stream.Pos{Source: "talk", File: string(rune('a' + i))}
			if i == 1 {
				pos.Source = source
			}
			c.Add(&stream.Event{Kind: stream.KindMessage, From: 2, To: 1, Conn: 1, Channel: stream.ChannelMessage, Message: &m, Pos: pos})
		}
		for _, r := range c.Report().Rules {
			if r.Name == check.TermBack && r.Verdict != want {
				t.Errorf("%s: %v, want %v", source, r.Verdict, want)
			}
		}
	}
}
