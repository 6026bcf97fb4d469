package quorum_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/raftctl/raftctl/raft/internal/reference"
	"github.com/raftctl/raftctl/raft/quorum"
)

// The scripts on quorums that ship in the reference's module give the same output here. Each case
// is decided in several ways that must agree; a disagreement would show in the output.
func TestReferenceScripts(t *testing.T) {
	reference.RunScripts(t, "quorum/testdata", 4,
		func() func(*testing.T, *datadriven.TestData) string { return runQuorum })
}

// scripted is one case: up to two halves, and what is known of their voters.
type scripted struct {
	halves quorum.Joint
	joint  bool
	known  map[uint64]string // index or vote, as written
}

func (c *scripted) AckedIndex(id uint64) (quorum.Index, bool) {
	var index quorum.Index
	_, err := fmt.Sscan(c.known[id], &index)
	return index, err == nil
}

func (c *scripted) vote(id uint64) (granted, voted bool) {
	v := c.known[id]
	return v == "y", v == "y" || v == "n"
}

func parseCase(t *testing.T, d *datadriven.TestData) *scripted {
	c := &scripted{known: map[uint64]string{}}
	var order []uint64
	var values []string
	for _, arg := range d.CmdArgs {
		for i, v := range arg.Vals {
			half := 0
			switch arg.Key {
			case "idx", "votes":
				values = append(values, v)
				continue
			case "cfgj":
				half, c.joint = 1, true
			}
			if v == "zero" {
				continue
			}
			var id uint64
			arg.Scan(t, i, &id)
			c.halves[half] = c.halves[half].With(id)
			order = append(order, id)
		}
	}
	for _, id := range order { // a voter of both halves is listed once
		if _, seen := c.known[id]; !seen && len(values) > 0 {
			c.known[id], values = values[0], values[1:]
		}
	}
	if len(values) > 0 {
		t.Fatalf("%s: %d values too many", d.Pos, len(values))
	}
	return c
}

func runQuorum(t *testing.T, d *datadriven.TestData) string {
	c := parseCase(t, d)
	ways := map[string]quorum.Joint{"swapped": {c.halves[1], c.halves[0]}}
	if !c.joint {
		ways["with itself"] = quorum.Joint{c.halves[0], c.halves[0]}
	}
	if d.Cmd == "vote" {
		result := c.halves.VoteResult(c.vote)
		for name, way := range ways {
			if other := way.VoteResult(c.vote); other != result {
				t.Errorf("%s: %v, but %v %s", d.Pos, result, other, name)
			}
		}
		return fmt.Sprintln(result)
	}
	index := c.halves.CommittedIndex(c)
	for name, way := range ways {
		if other := way.CommittedIndex(c); other != index {
			t.Errorf("%s: %v, but %v %s", d.Pos, index, other, name)
		}
	}
	if c.joint {
		return c.halves.Describe(c) + fmt.Sprintln(index)
	}
	if alone := c.halves[0].CommittedIndex(c); alone != index {
		t.Errorf("%s: %v, but %v without the other half", d.Pos, index, alone)
	}
	return c.halves[0].Describe(c) + fmt.Sprintln(index)
}
