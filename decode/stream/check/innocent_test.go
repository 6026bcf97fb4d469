package check_test

import (
	"testing"

	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
)

// innocent are messages that look wrong and are not.
var innocent = []struct {
	name, text string
}{
	{"a pre-vote is of a term that nobody is in", `
		2>3 PreVote 9 at 2/4
		3>2 PreVoteResp 9
		2>1 AppResp 2 index 4`},
	{"an old leader is told of a later term", `
		2>3 VoteResp 3
		2>1 AppResp 3`},
	{"a promise is overtaken while it waits for the disk", `
		1>2 App 2 at 2/4 has 2/5 commit 4
		1>2 Heartbeat 3
		2>1 HeartbeatResp 3
		2>1 AppResp 2 index 5`},
	{"a leader's log is rejected", `2>1 AppResp 2 index 9 reject`},
	{"a vote is refused", `2>3 VoteResp 2 reject`},
	{"the same vote twice", `2>1 VoteResp 2`},
	{"a probe is answered with what is committed", `
		1>3 App 2 at 1/2 has 1/3 commit 4
		3>1 AppResp 2 index 4`},
	{"the leader changes hands", `
		3>1 TransferLeader 2
		1>3 TimeoutNow 2
		3>1 Vote 3 at 2/4 context CampaignTransfer
		3>2 Vote 3 at 2/4 context CampaignTransfer
		1>3 VoteResp 3
		3>1 App 3 at 2/4 has 3/5 commit 4
		1>3 AppResp 3 index 5
		3>2 App 3 at 2/4 has 3/5 commit 5`},
	{"a new leader commits what it knew of", `
		1>2 App 2 at 2/4 has 2/5 commit 4
		2>1 AppResp 2 index 5
		1>2 Vote 3 at 2/5
		1>3 Vote 3 at 2/5
		3>1 VoteResp 3
		1>3 App 3 at 2/4 has 2/5 has 3/6 commit 5`},
	{"entries that were not committed are replaced", `
		1>2 App 2 at 2/4 has 2/5 commit 4
		3>2 Vote 3 at 2/4
		2>3 VoteResp 3
		3>2 App 3 at 2/4 has 3/5 commit 4`},
	{"a read that a quorum confirms", `
		2>1 ReadIndex read a
		1>2 Heartbeat 2 commit 4 context a
		1>3 Heartbeat 2 commit 4 context a
		3>1 HeartbeatResp 2 context a
		1>2 ReadIndexResp 2 index 4 read a`},
	{"a later read's confirmation counts for one before", `
		2>1 ReadIndex read a
		3>1 ReadIndex read b
		1>2 Heartbeat 2 commit 4 context 2
		2>1 HeartbeatResp 2 context 2
		1>2 ReadIndexResp 2 index 4 read a`},
	{"a change of the membership counts before and after", `
		1>2 App 2 at 2/4 changes 2/5=v4 commit 4
		1>3 App 2 at 2/4 changes 2/5=v4 commit 4
		2>1 AppResp 2 index 5
		1>2 App 2 at 2/5 has 2/6 commit 5
		2>1 AppResp 2 index 6
		1>3 App 2 at 2/4 changes 2/5=v4 has 2/6 commit 6`},
	{"what is said to clients", `9>9 Prop has 0/0=x`},
}

func TestRightMessagesViolateNothing(t *testing.T) {
	for _, x := range innocent {
		t.Run(x.name, func(t *testing.T) {
			rep := judged(t, elected+x.text, nil)
			for _, r := range rep.Rules {
				if r.Verdict == verdict.Problem || r.Unchecked > 0 {
					t.Errorf("%s: %s: %+v", r.Name, r.Verdict, r)
				}
			}
			if rep.Verdict != verdict.OK {
				t.Errorf("verdict %s, want ok", rep.Verdict)
			}
		})
	}
}

// uncheckable are planted violations of which evidence is missing that could explain them.
var uncheckable = []struct {
	name string
	rule check.Name
	text string
	why  string
}{
	{"committed, after a gap in the answers", check.CommitQuorum, elected + `
		1>2 App 2 at 2/4 has 2/5 commit 4
		gap 2>1
		1>3 App 2 at 2/4 has 2/5 commit 5`, "acknowledgements are missing"},
	{"committed, after a gap somewhere", check.CommitQuorum, elected + `
		1>2 App 2 at 2/4 has 2/5 commit 4
		gap
		1>3 App 2 at 2/4 has 2/5 commit 5`, "acknowledgements are missing"},
	{"committed, where the answers are not seen", check.CommitQuorum, `
		1>2 Vote 2 at 1/3
		1>2 App 2 at 1/3 has 2/4 commit 3
		1>2 App 2 at 2/4 commit 4`, "acknowledgements are missing"},
	{"acknowledged, after a gap", check.AckBeyond, elected + `
		gap 1>2
		2>1 AppResp 2 index 9`, "what was sent before is missing"},
	{"a context, after a gap", check.ContextEcho, elected + `
		gap 1>2
		2>1 HeartbeatResp 2 context b`, "heartbeats are missing"},
	{"a context, where heartbeats are not seen", check.ContextEcho, `
		2>1 HeartbeatResp 2 context b`, "heartbeats are missing"},
	{"a read, after a gap", check.ReadQuorum, elected + `
		2>1 ReadIndex read a
		gap 2>1
		1>2 ReadIndexResp 2 index 4 read a`, "answers to heartbeats are missing"},
	{"a read that was not asked for", check.ReadQuorum, elected + `
		2>1 ReadIndex read b
		1>2 ReadIndexResp 2 index 4 read a`, "the request is missing"},
}

func TestWhatIsMissingIsToldNotJudged(t *testing.T) {
	for _, x := range uncheckable {
		t.Run(string(x.rule)+"/"+x.name, func(t *testing.T) {
			rep := judged(t, x.text, nil)
			res := find(t, rep, x.rule)
			if res.Verdict != verdict.Unchecked || len(res.Reasons) != 1 || res.Reasons[0].Why != x.why {
				t.Errorf("verdict %s, reasons %+v, want unchecked because %s", res.Verdict, res.Reasons, x.why)
			}
			if rep.Verdict != verdict.Unchecked {
				t.Errorf("the whole is %s, want unchecked", rep.Verdict)
			}
		})
	}
}

// given are what may have been right, where the evidence begins.
var given = []struct {
	name string
	rule check.Name
	text string
}{
	{"acknowledged", check.AckBeyond, `
		1>2 Heartbeat 2
		2>1 AppResp 2 index 9`},
	{"a context", check.ContextEcho, `
		1>2 Heartbeat 2
		2>1 HeartbeatResp 2 context b`},
	{"a read", check.ReadQuorum, `
		1>2 ReadIndexResp 2 index 4 read a`},
	{"a commit", check.CommitQuorum, `
		1>2 App 2 at 2/7 has 2/8 commit 7
		3>1 HeartbeatResp 2
		1>2 App 2 at 2/8 commit 8`},
	{"a heartbeat", check.BeatCommit, `
		2>1 HeartbeatResp 2
		1>2 Heartbeat 2 commit 7`},
}

func TestWhatCameBeforeIsGiven(t *testing.T) {
	for _, x := range given {
		t.Run(string(x.rule)+"/"+x.name, func(t *testing.T) {
			res := find(t, judged(t, x.text, nil), x.rule)
			if res.Given == 0 || res.Unchecked > 0 || len(res.Violations) > 0 {
				t.Errorf("%+v, want what is given and no more", res)
			}
		})
	}
}

func TestNothingIsNotOK(t *testing.T) {
	if rep := judged(t, "", nil); rep.Verdict != verdict.Unchecked {
		t.Errorf("verdict %s of no events, want unchecked", rep.Verdict)
	}
}

// Without a membership that is given, it is that of the election; but for who was down then.
func TestMembershipFromAnElection(t *testing.T) {
	const all = `
		2>3 PreVote 9 at 1/3
		3>2 PreVoteResp 9 at 1/3`
	for _, x := range []struct {
		name, text string
		want       verdict.Verdict
	}{
		{"all were asked", all + elected, verdict.OK},
		{"committed by one of three", all + elected + `
			1>2 App 2 at 2/4 has 2/5 commit 4
			1>3 App 2 at 2/4 has 2/5 commit 5`, verdict.Problem},
		{"a change is followed", all + elected + `
			1>2 App 2 at 2/4 changes 2/5=r3 commit 4
			2>1 AppResp 2 index 5
			1>2 App 2 at 2/5 has 2/6 commit 5
			2>1 AppResp 2 index 6
			1>2 App 2 at 2/6 commit 6`, verdict.OK},
		{"how others talk is not seen", elected, verdict.Unchecked},
		{"who was down comes back", `
			1>2 Vote 2 at 1/3
			2>1 VoteResp 2
			1>2 App 2 at 1/3 has 2/4 commit 3
			2>1 AppResp 2 index 4
			1>2 App 2 at 2/4 commit 4
			1>3 App 2 at 1/3 has 2/4 has 2/5 commit 4
			3>1 AppResp 2 index 5
			3>2 PreVote 9 at 2/5
			1>2 App 2 at 2/4 has 2/5 commit 5`, verdict.Unchecked},
	} {
		t.Run(x.name, func(t *testing.T) {
			rep, err := check.Run(script(t, x.text), check.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if res := find(t, rep, check.CommitQuorum); res.Verdict != x.want {
				t.Errorf("verdict %s, want %s: %+v", res.Verdict, x.want, res)
			}
		})
	}
}
