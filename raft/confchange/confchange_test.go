package confchange

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/raft/quorum"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// group is a membership that changes are made to.
type group struct{ tracker.Tracker }

func (g *group) take(r Result, err error) error {
	if err == nil {
		g.Config, g.Members = r.Config, r.Members
	}
	return err
}

func (g *group) describe() string { return fmt.Sprint(g.ConfState(), g.AutoLeave, g.Members) }

func (g *group) changer() Changer { return Changer{Tracker: &g.Tracker, LastIndex: 10} }

func parse(t *testing.T, s string) []raftpb.ConfChangeSingle {
	t.Helper()
	changes, err := raftpb.ConfChangesFromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func newGroup(t *testing.T, members string) *group {
	t.Helper()
	g := &group{tracker.Tracker{MaxInflight: 4}}
	for _, change := range parse(t, members) {
		if err := g.take(g.changer().Simple(change)); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestChanges(t *testing.T) {
	const tooMany = "more than one voter changed without entering joint config"
	tests := []struct{ name, start, changes, want string }{
		{"add a voter", "v1", "simple v2", "voters=(1 2)"},
		{"add two voters at once", "v1", "simple v2 v3", tooMany},
		{"swap voters at once", "v1 v2", "simple v3 r2", tooMany},
		{"add a voter and learners", "v1", "simple v2 l3 l4", "voters=(1 2) learners=(3 4)"},
		{"remove the last voter", "v1", "simple r1", "removed all voters"},
		{"remove a stranger", "v1", "simple r9", "voters=(1)"},
		{"promote", "v1 l2", "simple v2", "voters=(1 2)"},
		{"demote", "v1 v2", "simple l2", "voters=(1) learners=(2)"},
		{"update", "v1", "simple u1 u7", "voters=(1)"},
		{"refused by etcd", "v1", "simple v0", "voters=(1)"},
		{"joint", "v1 v2 v3", "joint r1 r2 v4", "voters=(3 4)&&(1 2 3)"},
		{"joint, demotion is staged", "v1 v2", "joint l2", "voters=(1)&&(1 2) learners_next=(2)"},
		{"joint, new learner at once", "v1", "joint l2", "voters=(1)&&(1) learners=(2)"},
		{"joint twice", "v1", "joint v2; joint v3", "config is already joint"},
		{"simple in joint", "v1", "joint v2; simple v3",
			"can't apply simple config change in joint config"},
		{"joint of nobody", "", "joint v1", "can't make a zero-voter config joint"},
		{"leave what isn't joint", "v1", "leave", "can't leave a non-joint config"},
		{"leave", "v1 v2 v3", "joint r1 r2 v4; leave", "voters=(3 4)"},
		{"leave with a demotion", "v1 v2", "joint l2; leave", "voters=(1) learners=(2)"},
		{"autoleave", "v1", "auto v2", "voters=(1 2)&&(1) autoleave"},
		{"demote and promote in one", "v1 v2", "joint l2 v2", "voters=(1 2)&&(1 2)"},
		{"remove what was demoted", "v1 v2", "joint l2 r2", "voters=(1)&&(1 2)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGroup(t, test.start)
			var err error
			for op := range strings.SplitSeq(test.changes, "; ") {
				verb, rest, _ := strings.Cut(op, " ")
				changes := parse(t, rest)
				switch verb {
				case "simple":
					err = g.take(g.changer().Simple(changes...))
				case "joint", "auto":
					err = g.take(g.changer().EnterJoint(verb == "auto", changes...))
				case "leave":
					err = g.take(g.changer().LeaveJoint())
				}
			}
			cfg := g.Config
			got := cfg.String()
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestUnknownChange(t *testing.T) {
	g := newGroup(t, "v1")
	_, err := g.changer().Simple(raftpb.ConfChangeSingle{Type: 9, NodeID: 2})
	if err == nil || err.Error() != "unexpected conf type 9" {
		t.Errorf("got error %v", err)
	}
}

// randomChange returns a change of one of a few members.
func randomChange(r *rand.Rand) raftpb.ConfChangeSingle {
	types := []raftpb.ConfChangeType{
		raftpb.ConfChangeAddNode, raftpb.ConfChangeAddNode, raftpb.ConfChangeAddLearnerNode,
		raftpb.ConfChangeRemoveNode, raftpb.ConfChangeUpdateNode,
	}
	return raftpb.ConfChangeSingle{Type: types[r.IntN(len(types))], NodeID: 1 + r.Uint64N(6)}
}

// TestJointEqualsSimple makes changes one by one, and all at once through a joint configuration:
// the result must be the same, and progress must survive. Where a step in between is impossible, as
// when it would remove the last voter, there is nothing to compare.
func TestJointEqualsSimple(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	compared := 0
	for range 5000 {
		changes := make([]raftpb.ConfChangeSingle, r.IntN(8))
		for i := range changes {
			changes[i] = randomChange(r)
		}
		simple, joint := newGroup(t, "v1 v2 v3"), newGroup(t, "v1 v2 v3")
		var err error
		for _, change := range changes {
			if err = simple.take(simple.changer().Simple(change)); err != nil {
				break
			}
		}
		if err != nil {
			continue
		}
		if err := joint.take(joint.changer().EnterJoint(false, changes...)); err != nil {
			t.Fatalf("%s: %v", Describe(changes...), err)
		}
		checkOverlap(t, joint.Voters)
		if err := joint.take(joint.changer().LeaveJoint()); err != nil {
			t.Fatalf("%s: %v", Describe(changes...), err)
		}
		diff := cmp.Diff(simple.ConfState(), joint.ConfState(), cmpopts.EquateEmpty())
		if diff != "" {
			t.Fatalf("%s: membership (-simple +joint):\n%s", Describe(changes...), diff)
		}
		if got, want := joint.Members.String(), simple.Members.String(); got != want {
			t.Fatalf("%s: joint has\n%swant\n%s", Describe(changes...), got, want)
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d of the changes could be compared", compared)
	}
}

// checkOverlap checks that a quorum of the joint configuration is one of both halves.
func checkOverlap(t *testing.T, j quorum.Joint) {
	t.Helper()
	for mask := range 1 << 7 {
		vote := func(id uint64) (bool, bool) { return mask>>id&1 == 1, true }
		both := j[0].VoteResult(vote) == quorum.VoteWon && j[1].VoteResult(vote) == quorum.VoteWon
		if won := j.VoteResult(vote) == quorum.VoteWon; won != both {
			t.Fatalf("%v: votes %b win %t, both halves %t", j, mask, won, both)
		}
	}
}

// TestRandomWalk makes random changes for long, and after each restores the membership from its
// stored form and checks that the original was left alone.
func TestRandomWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	g := newGroup(t, "v1")
	done := map[string]int{}
	for range 20_000 {
		before := g.describe()
		changes := []raftpb.ConfChangeSingle{randomChange(r), randomChange(r), randomChange(r)}
		var result Result
		var err error
		op := []string{"simple", "enter", "leave"}[r.IntN(3)]
		switch op {
		case "simple":
			result, err = g.changer().Simple(changes[:1+r.IntN(3)]...)
		case "enter":
			result, err = g.changer().EnterJoint(r.IntN(2) == 0, changes...)
		case "leave":
			result, err = g.changer().LeaveJoint()
		}
		if after := g.describe(); after != before {
			t.Fatalf("%s changed its input from\n%s\nto\n%s", op, before, after)
		}
		if err != nil {
			continue
		}
		done[op]++
		_ = g.take(result, nil)
		restored := &group{tracker.Tracker{MaxInflight: 4}}
		cs := g.ConfState()
		if err := restored.take(Restore(restored.changer(), cs)); err != nil {
			t.Fatalf("restore %v: %v", cs, err)
		}
		if diff := cmp.Diff(cs, restored.ConfState(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("restored membership (-want +got):\n%s", diff)
		}
	}
	for _, op := range []string{"simple", "enter", "leave"} {
		if done[op] < 500 {
			t.Errorf("%s was possible only %d times", op, done[op])
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	tests := []raftpb.ConfState{
		{Learners: []uint64{1}},
		{VotersOutgoing: []uint64{1}},
		{VotersOutgoing: []uint64{1}, Learners: []uint64{2}},
	}
	for _, cs := range tests {
		g := &group{tracker.Tracker{MaxInflight: 4}}
		if r, err := Restore(g.changer(), cs); err == nil {
			t.Errorf("%+v: restored as %v, want an error", cs, r.Config)
		}
	}
}

func TestInvariants(t *testing.T) {
	good := newGroup(t, "v1 v2 l3")
	tests := []struct {
		name   string
		damage func(r *Result)
		want   string
	}{
		{"voter without progress", func(r *Result) { r.Members = r.Members.Without(2) },
			"no progress for 2"},
		{"staged, but not outgoing", func(r *Result) { r.Config.LearnersNext = quorum.NewSet(1) },
			"1 is in LearnersNext, but not Voters[1]"},
		{"staged and learner", func(r *Result) {
			r.Config.Voters[1] = quorum.NewSet(3)
			r.Config.LearnersNext = quorum.NewSet(3)
		}, "3 is in LearnersNext, but is already marked as learner"},
		{"learner and voter", func(r *Result) { r.Config.Learners = quorum.NewSet(1) },
			"1 is in Learners and Voters[0]"},
		{"learner and outgoing voter", func(r *Result) { r.Config.Voters[1] = quorum.NewSet(3) },
			"3 is in Learners and Voters[1]"},
		{"learner not marked", func(r *Result) { r.Members.Get(3).IsLearner = false },
			"3 is in Learners, but is not marked as learner"},
		{"autoleave", func(r *Result) { r.Config.AutoLeave = true },
			"AutoLeave must be false when not joint"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Result{Config: good.Config, Members: good.Members.Clone()}
			test.damage(&r)
			if err := checkInvariants(r); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func Example() {
	g := tracker.Tracker{MaxInflight: 256}
	set := func(r Result, err error) {
		if err != nil {
			fmt.Println(err)
			return
		}
		g.Config, g.Members = r.Config, r.Members
		fmt.Println(g.Config)
	}
	c := Changer{Tracker: &g}
	set(Restore(c, raftpb.ConfState{Voters: []uint64{1, 2, 3}}))
	replace := []raftpb.ConfChangeSingle{
		{Type: raftpb.ConfChangeRemoveNode, NodeID: 3},
		{Type: raftpb.ConfChangeAddNode, NodeID: 4},
	}
	set(c.Simple(replace...))
	set(c.EnterJoint(false, replace...))
	set(c.LeaveJoint())
	// Output:
	// voters=(1 2 3)
	// more than one voter changed without entering joint config
	// voters=(1 2 4)&&(1 2 3)
	// voters=(1 2 4)
}
