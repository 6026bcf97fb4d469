package confchange_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/raftctl/raftctl/raft/confchange"
	"github.com/raftctl/raftctl/raft/internal/reference"
	"github.com/raftctl/raftctl/raft/tracker"
	"github.com/raftctl/raftctl/raftpb"
)

// The scripts on membership changes that ship in the reference's module give the same output here.
func TestReferenceScripts(t *testing.T) {
	reference.RunScripts(t, "confchange/testdata", 9,
		func() func(*testing.T, *datadriven.TestData) string {
			c := confchange.Changer{Tracker: &tracker.Tracker{MaxInflight: 10}}
			return func(t *testing.T, d *datadriven.TestData) string {
				defer func() { c.LastIndex++ }() // so that it shows in which step a member came
				return runChange(t, d, &c)
			}
		})
}

func runChange(t *testing.T, d *datadriven.TestData, c *confchange.Changer) string {
	changes, err := raftpb.ConfChangesFromString(d.Input)
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	var r confchange.Result
	switch d.Cmd {
	case "simple":
		r, err = c.Simple(changes...)
	case "enter-joint":
		autoLeave := false
		if d.HasArg("autoleave") {
			d.ScanArgs(t, "autoleave", &autoLeave)
		}
		r, err = c.EnterJoint(autoLeave, changes...)
	case "leave-joint":
		r, err = c.LeaveJoint()
	default:
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
	if err != nil {
		return err.Error() + "\n"
	}
	c.Tracker.Config, c.Tracker.Members = r.Config, r.Members
	return fmt.Sprintf("%s\n%s", r.Config, r.Members)
}
