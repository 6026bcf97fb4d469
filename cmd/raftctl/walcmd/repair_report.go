package walcmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
)

// repaired is a plan, and what was made by it.
type repaired struct {
	*repair.Plan
	Applied bool           `json:"applied"`
	Change  *change.Change `json:"change,omitempty"`
}

func (r *repairing) json() any {
	x := repaired{Plan: r.plan}
	if r.result != nil {
		x.Applied, x.Change = true, r.result.Change
	}
	return x
}

// verdicts say what a plan comes to.
var repairVerdicts = map[repair.Status]string{
	repair.StatusHealthy: "nothing to do: the log is whole",
	repair.StatusRepair:  "can be repaired; nothing that is known to be committed is lost",
	repair.StatusLoss:    "can be repaired only with loss",
	repair.StatusLossy:   "can be repaired with loss, which is accepted",
	repair.StatusNone:    "nothing helps: see below",
	repair.StatusBeside:  "nothing to do about the log; what is wrong lies beside it",
}

// print prints the plan for people.
func (r *repairing) print() error {
	kv := ui.NewFacts(r.a.Text()).Wrap(r.a.Width)
	text := repairVerdicts[r.plan.Status]
	if r.result != nil {
		text = "repaired"
	}
	kv.Add("verdict", "%s", text)
	r.addLog(kv)
	r.addSteps(kv)
	r.addCost(kv)
	for _, x := range r.plan.Refused {
		kv.Add("not taken", "%s: %s", x.Remedy, x.Why)
	}
	for _, x := range r.plan.Left {
		kv.Add("left", "%s", x)
	}
	r.addNext(kv)
	return kv.Flush()
}

// addLog says what the log is like.
func (r *repairing) addLog(kv *ui.Facts) {
	v := r.member.Report
	if v == nil || v.View == nil {
		return
	}
	kv.Add("log", "%s: entries %d..%d, committed up to %d", ui.Quote(r.path), v.First.Index, v.Last.Index, v.State.Commit)
	if at := r.member.Database.Applied(); at.Index > 0 {
		kv.Add("database", "has applied entries up to %d", at.Index)
	}
}

func (r *repairing) addSteps(kv *ui.Facts) {
	for i := range r.plan.Steps {
		s := &r.plan.Steps[i]
		kv.Add(fmt.Sprintf("step %d", i+1), "%s: %s", s.Remedy, s.Does)
		kv.AddBelow(s.Why)
		for k, f := range s.Findings {
			if k == maxStepFindings {
				kv.AddBelow(fmt.Sprintf("and %d findings more", len(s.Findings)-k))
				break
			}
			kv.AddBelow(f)
		}
	}
}

// maxStepFindings is how many findings are listed of those that a step mends.
const maxStepFindings = 3

// addCost says what the plan costs.
func (r *repairing) addCost(kv *ui.Facts) {
	c := &r.plan.Cost
	if len(r.plan.Steps) == 0 {
		return
	}
	switch {
	case len(c.Lost) == 0:
		kv.Add("cost", "no entry is lost")
	default:
		kv.Add("cost", "%s are lost, %s of them known to be committed", joinRanges(c.Lost), ui.Count(c.Committed))
	}
	if c.Beside != "" {
		kv.Add("", "lost as well: %s", c.Beside)
	}
	for _, e := range c.Entries {
		kv.AddBelow(lostText(&e))
	}
	if len(c.Folded) > 0 {
		kv.Add("", "%s are left out of the log: the database has applied them", joinRanges(c.Folded))
	}
	if c.Spliced > 0 {
		kv.Add("", "%s entries are taken from other members", ui.Count(c.Spliced))
	}
	if c.Changed > 0 {
		kv.Add("", "%s are corrected in their place", display.FormatSize(c.Changed))
	}
	if c.Written > 0 {
		kv.Add("", "%s of records are written anew", display.FormatSize(c.Written))
	}
	if c.Maybe != "" {
		kv.Add("", "%s", c.Maybe)
	}
}

const notProven = "not proven"

// lostText says what an entry is that is lost.
func lostText(e *repair.LostEntry) string {
	var notes []string
	if e.Committed {
		notes = append(notes, "committed")
	}
	if e.Applied {
		notes = append(notes, "applied: the database has it")
	}
	if !e.Proven {
		notes = append(notes, notProven)
	}
	text := fmt.Sprintf("entry %d", e.ID.Index)
	if e.ID.Term > 0 {
		text = fmt.Sprintf("entry %v", e.ID)
	}
	switch {
	case e.Summary != "":
		text += ": " + e.Summary
	default:
		text += ": nothing is left of what it said"
		notes = slices.DeleteFunc(notes, func(s string) bool { return s == notProven })
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, "; ") + ")"
	}
	return text
}

func joinRanges(list []repair.Range) string {
	const most = 4
	var names []string
	for _, x := range list[:min(len(list), most)] {
		names = append(names, x.String())
	}
	if more := len(list) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d ranges more", more))
	}
	return strings.Join(names, ", ")
}

// addNext says what to type next.
func (r *repairing) addNext(kv *ui.Facts) {
	switch {
	case r.result != nil && r.o.inPlace:
		kv.Add("original", "%s", r.result.Change.Kept)
		kv.Add("undo", "%s", r.o.source.Command("undo", r.path))
	case r.result != nil:
		kv.Add("result", "%s", r.o.out)
		kv.Add("next", "%s", ui.CommandLine("raftctl", "doctor", r.o.out))
	case r.plan.Status == repair.StatusRepair || r.plan.Status == repair.StatusLossy:
		line := r.commandLine()
		kv.Add("next", "make the result beside it, or replace the log and keep the original:")
		kv.AddCommand(line + " --output NEW")
		if !r.member.Place.Archived {
			kv.AddCommand(line + " --in-place")
		}
	case r.plan.Status == repair.StatusLoss:
		kv.Add("next", "look for a member that has these entries, before anything else:")
		kv.AddCommand(r.commandLine() + " --from OTHER")
		kv.Add("", "or accept the loss:")
		kv.AddCommand(r.commandLine() + " --accept-loss")
	}
}
