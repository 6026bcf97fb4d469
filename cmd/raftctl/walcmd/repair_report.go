package walcmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/outlook"
)

// repairReport tells people of a plan, or of what was made by it.
type repairReport struct {
	*repairing
	kv *ui.Facts
}

func (r *repairing) tell(w io.Writer) *repairReport {
	return &repairReport{r, ui.NewFacts(w).Wrap(r.a.Width)}
}

func (r *repairing) print() error {
	t := r.tell(r.a.Text())
	if r.result != nil {
		return t.made()
	}
	return t.planned()
}

// planned prints what can be done.
func (t *repairReport) planned() error {
	word, color, text := t.verdict()
	t.kv.Add("verdict", "%s: %s", t.a.Paint(color, word), text)
	t.addLog(t.member.Report)
	for i := range t.plan.Steps {
		t.addStep(i)
	}
	t.addCost()
	t.addOthers()
	for _, x := range t.plan.Refused {
		t.kv.Add("not taken", "%s: %s", x.Remedy, x.Why)
	}
	t.addLeft()
	t.addNext()
	return t.kv.Flush()
}

// made prints what was done.
func (t *repairReport) made() error {
	where := t.o.out
	if t.o.inPlace {
		where = t.path
	}
	t.kv.Add("verdict", "%s: %s holds a log that is whole", t.a.Paint(ui.Green, "repaired"), ui.Quote(where))
	t.addLog(t.result.Report)
	for i := range t.plan.Steps {
		s := &t.plan.Steps[i]
		t.kv.Add(fmt.Sprintf("step %d", i+1), "%s: %s", s.Remedy, s.Does)
	}
	t.addCost()
	t.addLeft()
	t.addDone()
	return t.kv.Flush()
}

// verdict says what a plan comes to: in a word, and in more.
func (t *repairReport) verdict() (word string, color ui.Color, text string) {
	word, color = "problem", ui.Red
	c := &t.plan.Cost
	switch t.plan.Status {
	case repair.StatusHealthy:
		return "ok", ui.Green, "nothing to do, the log is whole"
	case repair.StatusRepair:
		text = "it can be repaired, and no entry is lost"
		if len(c.Lost) > 0 {
			text = fmt.Sprintf("it can be repaired; lost: %s", lossOf(&t.plan.Cost))
		}
	case repair.StatusLoss:
		text = fmt.Sprintf("it can be repaired only at a loss of %s", lossOf(&t.plan.Cost))
	case repair.StatusLossy:
		text = fmt.Sprintf("it can be repaired; the loss is accepted of %s", lossOf(&t.plan.Cost))
	case repair.StatusNone:
		text = "nothing helps with it"
		if t.o.cutAfter > 0 || len(t.o.neutralise) > 0 {
			text = "what is asked for can't be done"
		}
	case repair.StatusBeside:
		text = "there is nothing to do about the log: what is wrong lies beside it"
	}
	return word, color, text
}

// lossOf says what is lost: entries, and what is none.
func lossOf(c *repair.Cost) string {
	var list []string
	if len(c.Lost) > 0 {
		n := uint64(0)
		for _, r := range c.Lost {
			n += r.Len()
		}
		text := fmt.Sprintf("%s, %s known to be committed", joinRanges(c.Lost), share(c.Committed, n))
		if c.Intact > 0 {
			text += fmt.Sprintf(", %s intact", share(c.Intact, n))
		}
		list = append(list, text)
	}
	if c.Beside != "" {
		list = append(list, c.Beside)
	}
	return strings.Join(list, "; ")
}

// share says how many of n there are.
func share(some, n uint64) string {
	switch some {
	case 0:
		return "none"
	case n:
		return "all"
	}
	return ui.Count(some) + " of them"
}

// addLog says what a log is like, and the database beside it.
func (t *repairReport) addLog(v *outlook.Report) {
	if v == nil || v.View == nil {
		return
	}
	if v.Last.Index > 0 {
		t.kv.Add("log", "entries %d..%d, committed up to %d", v.First.Index, v.Last.Index, v.State.Commit)
	} else {
		t.kv.Add("log", "no entries")
	}
	if at := t.member.Database.Applied(); at.Index > 0 {
		t.kv.Add("database", "has applied entries up to %d", at.Index)
	}
}

// maxStepFindings is how many findings are listed of those that a step mends.
const maxStepFindings = 3

// addStep says what a step does, what it mends, and why that is right.
func (t *repairReport) addStep(i int) {
	s := &t.plan.Steps[i]
	t.kv.Add(fmt.Sprintf("step %d", i+1), "%s: %s", s.Remedy, s.Does)
	for k, f := range s.Findings {
		if k == maxStepFindings {
			t.kv.AddBelow(fmt.Sprintf("and %d findings more", len(s.Findings)-k))
			break
		}
		t.kv.AddBelow("mends: " + f)
	}
	t.kv.AddBelow("why: " + s.Why)
}

// addCost says what the plan costs.
func (t *repairReport) addCost() {
	c := &t.plan.Cost
	if len(t.plan.Steps) == 0 {
		return
	}
	if text := lossOf(&t.plan.Cost); text == "" {
		t.kv.Add("cost", "no entry is lost")
	} else {
		t.kv.Add("cost", "lost: %s", text)
	}
	t.addLost()
	if len(c.Folded) > 0 {
		t.kv.Add("", "no longer in the log, only in the database, which has applied them: %s", joinRanges(c.Folded))
	}
	if c.Spliced > 0 {
		t.kv.Add("", "taken from other members: %s", counted(c.Spliced, "entry", "entries"))
	}
	if c.Changed > 0 {
		t.kv.Add("", "corrected in place: %s", counted(uint64(c.Changed), "byte", "bytes"))
	}
	if c.Written > 0 {
		t.kv.Add("", "written anew: about %s of records", display.FormatSize(c.Written))
	}
	if c.Maybe != "" {
		t.kv.Add("", "%s", c.Maybe)
	}
}

// addOthers says what would help as well.
func (t *repairReport) addOthers() {
	for i := range t.plan.Others {
		c := &t.plan.Others[i]
		if len(c.Steps) == 0 {
			continue
		}
		s := &c.Steps[len(c.Steps)-1]
		price := "costs more to write"
		if text := lossOf(&c.Cost); text != "" {
			price = "loses " + text
		} else if len(c.Cost.Folded) > 0 {
			price = "leaves " + joinRanges(c.Cost.Folded) + " to the database"
		}
		t.kv.Add("dearer", "%s: %s; it %s", s.Remedy, s.Does, price)
	}
}

func counted(n uint64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return ui.Count(n) + " " + more
}

func (t *repairReport) addLeft() {
	for _, x := range t.plan.Left {
		t.kv.Add("left", "%s", x)
	}
}

// addLost says what the entries are that are lost. Several of which nothing is left are told in one line.
func (t *repairReport) addLost() {
	c := &t.plan.Cost
	told := uint64(0)
	for list := c.Entries; len(list) > 0; {
		n := 1
		for n < len(list) && list[n].Summary == "" && isNext(&list[n-1], &list[n]) {
			n++
		}
		t.kv.AddBelow(lostText(list[:n]))
		told += uint64(n)
		list = list[n:]
	}
	all := uint64(0)
	for _, r := range c.Lost {
		all += r.Len()
	}
	if all > told {
		t.kv.AddBelow(fmt.Sprintf("and %s", counted(all-told, "entry more", "entries more")))
	}
}

// isNext reports whether one entry comes right behind another, and there is no more to say of the two.
func isNext(a, b *repair.LostEntry) bool {
	return a.Summary == "" && b.ID.Index == a.ID.Index+1 && a.Committed == b.Committed && a.Applied == b.Applied
}

// lostText says what entries are that are lost: one, or several of which nothing is left.
func lostText(list []repair.LostEntry) string {
	e := &list[0]
	text := fmt.Sprintf("entry %d", e.ID.Index)
	switch {
	case len(list) > 1:
		text = edit.Range{First: e.ID.Index, Last: list[len(list)-1].ID.Index}.String()
	case e.ID.Term > 0:
		text = fmt.Sprintf("entry %v", e.ID)
	}
	var notes []string
	if e.Committed {
		notes = append(notes, "committed")
	}
	if e.Applied {
		notes = append(notes, "applied: the database has it")
	}
	switch {
	case e.Summary == "":
		text += ": nothing is left of it"
	case e.Proven:
		text += ": " + e.Summary
	default:
		text += ": " + e.Summary
		notes = append(notes, "not proven")
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, "; ") + ")"
	}
	return text
}

func joinRanges(list []repair.Range) string {
	const most = 4
	var names []string
	for _, x := range slices.Clip(list[:min(len(list), most)]) {
		names = append(names, x.String())
	}
	if more := len(list) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d ranges more", more))
	}
	return strings.Join(names, ", ")
}
