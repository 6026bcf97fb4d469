package snapcmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/repair/replay"
)

// replayed is what was replayed, or would be.
type replayed struct {
	Target   string          `json:"target,omitempty"`
	TargetB  []byte          `json:"target_base64,omitempty"` // of one that isn't UTF-8
	Logs     []replayedLog   `json:"logs"`
	First    uint64          `json:"first"`
	Last     uint64          `json:"last"`
	Entries  uint64          `json:"entries"`
	LastTerm uint64          `json:"last_term,omitempty"`
	Ops      []replayedOp    `json:"operations,omitempty"`
	Ignored  uint64          `json:"about_cluster,omitempty"`
	Commit   replayedCommit  `json:"commit"`
	Behind   *replayedBehind `json:"left_behind,omitempty"`

	Uncommitted uint64 `json:"uncommitted"`

	NotBefore string `json:"time_not_before,omitempty"`
	NotAfter  string `json:"time_not_after,omitempty"`

	MayDelete []replayedCandidate `json:"may_delete,omitempty"`
	Deletions []replayedDeletion  `json:"deletions,omitempty"`
	Others    int                 `json:"deletions_before,omitempty"`
	Foreign   string              `json:"foreign,omitempty"`
	Damage    []string            `json:"damage,omitempty"`

	target replay.Target
	bounds decode.Bounds
	logEnd uint64
	show   string // the command that shows the deletion
}

type replayedLog struct {
	Path   string `json:"path"`
	Member string `json:"member_id"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

type replayedOp struct {
	Op    string `json:"op"`
	Count uint64 `json:"count"`
}

// replayedCommit is the last entry that is known to be committed.
type replayedCommit struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	By    string `json:"told_by"` // as logs.Evidence names it
	Path  string `json:"path"`    // of the log that tells it
}

func newReplayedCommit(m logs.Mark) replayedCommit {
	c := replayedCommit{m.Index, m.Term, m.By.String(), ""}
	if m.Source != nil {
		c.Path = m.Source.Name
	}
	return c
}

// text says it behind "up to".
func (c *replayedCommit) text() string {
	if c.By == logs.ByMajority.String() {
		return fmt.Sprintf("entry %d, which a majority has with %s", c.Index, ui.Quote(c.Path))
	}
	return fmt.Sprintf("entry %d, by the %s of %s", c.Index, c.By, ui.Quote(c.Path))
}

type replayedBehind struct {
	Committed   uint64 `json:"committed"`
	Uncommitted uint64 `json:"uncommitted"`
	Missing     uint64 `json:"missing"`
	Writes      uint64 `json:"writes"`
}

type replayedDeletion struct {
	Index     uint64 `json:"index"`
	Term      uint64 `json:"term"`
	Op        string `json:"op"`
	Revision  int64  `json:"revision"`
	Keys      int    `json:"keys"`
	Key       string `json:"key,omitempty"`
	KeyB      []byte `json:"key_base64,omitempty"` // of one that isn't UTF-8
	NotBefore string `json:"time_not_before,omitempty"`
	NotAfter  string `json:"time_not_after,omitempty"`

	key    string
	bounds decode.Bounds
}

// replayedCandidate is an entry that may have deleted a key.
type replayedCandidate struct {
	Index     uint64 `json:"index"`
	Term      uint64 `json:"term"`
	Op        string `json:"op"`
	Summary   string `json:"summary"`
	NotBefore string `json:"time_not_before,omitempty"`
	NotAfter  string `json:"time_not_after,omitempty"`

	bounds decode.Bounds
}

// newReplayed says what was planned, and what came of it once it has run.
func newReplayed(r *rerun) *replayed {
	out := &replayed{
		target: r.Target, First: r.Range.First(), Last: r.Range.Last(), Entries: r.Range.Len(),
		Commit: newReplayedCommit(r.Commit), logEnd: r.End.Index,
	}
	out.Target, out.TargetB = textOrBytes(r.Target.String())
	for _, run := range r.Range.Runs() {
		out.Logs = append(out.Logs, replayedLog{run.Source.Name, fmt.Sprintf("%x", run.Source.View.Metadata.NodeID),
			run.First, run.Last})
	}
	for _, d := range r.Range.Damage() {
		text := fmt.Sprintf("%s: entries %d to %d are not intact; another log has them", d.Source.Name, d.Entries.First,
			d.Entries.Last)
		if d.Finding != nil {
			text += ": " + d.Finding.String()
		}
		out.Damage = append(out.Damage, text)
	}
	if u := r.Range.Uncommitted(); u.First <= u.Last && u.Last > 0 {
		out.Uncommitted = u.Last - u.First + 1
	}
	if r.Foreign != nil {
		out.Foreign = r.Foreign.Error()
	}
	if r.report != nil {
		out.finish(r)
	} else {
		out.addCandidates(r)
	}
	if out.Entries > 0 && (r.report != nil || r.Target.Kind != replay.Revision && r.Target.Kind != replay.BeforeDelete) {
		out.bounds = r.Times.At(out.Last)
		out.NotBefore, out.NotAfter = timeText(out.bounds.NotBefore), timeText(out.bounds.NotAfter)
	}
	return out
}

// addCandidates adds what --until before-delete would choose from.
func (out *replayed) addCandidates(r *rerun) {
	out.Others = r.MayOthers
	for _, c := range r.MayDelete {
		at := r.Times.At(c.ID.Index)
		out.MayDelete = append(out.MayDelete, replayedCandidate{c.ID.Index, c.ID.Term, string(c.Op), c.Summary,
			timeText(at.NotBefore), timeText(at.NotAfter), at})
	}
}

// textOrBytes returns a text that is UTF-8, and one that isn't as bytes.
func textOrBytes(s string) (text string, b []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return "", []byte(s)
}

// bumpReason says how --bump-revision auto has found its number.
func (r *rerun) bumpReason(by int64) string {
	last := r.Base.Index
	if r.report != nil {
		last = r.report.After.Applied.Index
	}
	if by == 0 {
		return fmt.Sprintf("no entry behind %d may have made a revision, as far as the logs tell", last)
	}
	n := r.behind.writes
	return fmt.Sprintf("%d %s behind %d may have made a revision each, which clients may have seen", n, entries(n), last)
}

// finish takes in what only the replay tells.
func (out *replayed) finish(r *rerun) {
	rep := r.report
	out.Last, out.LastTerm = rep.After.Applied.Index, rep.After.Applied.Term
	out.Entries, out.Ignored = out.Last-rep.Before.Applied.Index, rep.Ignored
	out.Behind = &replayedBehind{r.behind.committed, r.behind.uncommitted, r.behind.missing, r.behind.writes}
	for _, op := range rep.Ops {
		out.Ops = append(out.Ops, replayedOp{string(op.Op), uint64(op.Entries)})
	}
	if out.Last <= r.Commit.Index {
		out.Uncommitted = 0
	}
	out.Others = rep.Others
	for _, d := range rep.Deletions {
		at := r.Times.At(d.ID.Index)
		x := replayedDeletion{Index: d.ID.Index, Term: d.ID.Term, Op: string(d.Op), Revision: d.Revision, Keys: d.Keys,
			NotBefore: timeText(at.NotBefore), NotAfter: timeText(at.NotAfter), key: string(d.Key), bounds: at}
		x.Key, x.KeyB = textOrBytes(x.key)
		out.Deletions = append(out.Deletions, x)
	}
	if n := len(rep.Deletions); n > 0 {
		out.show = r.showCommand(rep.Deletions[n-1].ID.Index)
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// print adds what was replayed to the facts.
func (out *replayed) print(a *ui.App, f *ui.Facts, dryRun bool) {
	f.Add("replay", "%s", out.text(dryRun))
	for _, l := range out.Logs {
		if l.First > out.Last {
			break // the target was reached before
		}
		f.AddBelow(fmt.Sprintf("%d..%d from %s, of member %s", l.First, min(l.Last, out.Last), ui.Quote(l.Path), l.Member))
	}
	if len(out.Ops) > 0 {
		f.AddBelow(out.opsText())
	}
	if out.Ignored > 0 {
		f.AddBelow(fmt.Sprintf("%d of them about members and versions of the old cluster, which change nothing here", out.Ignored))
	}
	if out.NotBefore != "" || out.NotAfter != "" {
		f.Add("as of", "%v, when entry %d was written", out.bounds, out.Last)
	}
	out.printCost(f)
	out.printDeletions(f)
	for _, d := range out.Damage {
		f.AddBelow(ui.Printable(d))
	}
	if out.Foreign != "" {
		f.Add("foreign", "%s; taken all the same, by --force-foreign", ui.Printable(out.Foreign))
	}
}

// text says which entries.
func (out *replayed) text(dryRun bool) string {
	target := ui.Printable(out.target.String())
	switch {
	case out.Entries == 0 && out.logEnd < out.First:
		return fmt.Sprintf("nothing up to %s: the database has applied entry %d already, and the log ends at %d", target,
			out.First-1, out.logEnd)
	case out.Entries == 0:
		return fmt.Sprintf("nothing up to %s: the database has applied entry %d already", target, out.First-1)
	case dryRun && (out.target.Kind == replay.Revision || out.target.Kind == replay.BeforeDelete):
		return fmt.Sprintf("entries %d..%d (%d) at most: the replay itself tells where %s is", out.First, out.Last,
			out.Entries, target)
	}
	return fmt.Sprintf("entries %d..%d (%d), up to %s", out.First, out.Last, out.Entries, target)
}

// opsText lists what most entries ask for.
func (out *replayed) opsText() string {
	const most = 5
	ops := slices.SortedStableFunc(slices.Values(out.Ops), func(a, b replayedOp) int { return cmp.Compare(b.Count, a.Count) })
	var parts []string
	for _, op := range ops[:min(len(ops), most)] {
		parts = append(parts, fmt.Sprintf("%s %d", op.Op, op.Count))
	}
	rest := uint64(0)
	for _, op := range ops[min(len(ops), most):] {
		rest += op.Count
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("others %d", rest))
	}
	return strings.Join(parts, ", ")
}

// printCost says what is taken that may never have been, and what is left out that was.
func (out *replayed) printCost(f *ui.Facts) {
	if out.Uncommitted > 0 {
		f.Add("uncommitted", "the last %d of them: what is known to be committed ends with %s. The old cluster may "+
			"have dropped what follows", out.Uncommitted, out.Commit.text())
	}
	b := out.Behind
	if b == nil {
		return
	}
	if b.Committed > 0 {
		f.Add("not taken", "%d committed %s behind entry %d", b.Committed, entries(b.Committed), out.Last)
	}
	if b.Missing > 0 {
		f.Add("not taken", "%d %s that no log has intact", b.Missing, entries(b.Missing))
	}
	if b.Uncommitted > 0 {
		f.Add("not taken", "%d %s at the end of the log: what is known to be committed ends with %s; "+
			"--include-uncommitted takes them", b.Uncommitted, entries(b.Uncommitted), out.Commit.text())
	}
}

func entries(n uint64) string {
	if n == 1 {
		return "entry"
	}
	return "entries"
}

// printDeletions lists what --until before-delete chose from.
func (out *replayed) printDeletions(f *ui.Facts) {
	out.printCandidates(f)
	n := len(out.Deletions)
	if n == 0 {
		return
	}
	f.Add("deletion", "%s", out.Deletions[n-1].text())
	if out.show != "" {
		f.AddCommand(out.show)
	}
	if n == 1 {
		return
	}
	earlier := n - 1 + out.Others
	f.AddBelow(fmt.Sprintf("%d earlier %s; --until index=N stops before another:", earlier, ui.Plural(earlier, "one")))
	for i := n - 2; i >= 0; i-- {
		d := &out.Deletions[i]
		f.AddBelow(fmt.Sprintf("  --until index=%d: %s", d.Index-1, d.text()))
	}
}

// printCandidates lists what it would choose from.
func (out *replayed) printCandidates(f *ui.Facts) {
	if len(out.MayDelete) == 0 {
		return
	}
	f.Add("may delete", "it stops before the last of these that did, or of leases that took such a key:")
	for i := range slices.Backward(out.MayDelete) {
		c := &out.MayDelete[i]
		line := fmt.Sprintf("entry %d: %s", c.Index, c.Summary)
		if c.NotBefore != "" || c.NotAfter != "" {
			line += fmt.Sprintf(", %v", c.bounds)
		}
		f.AddBelow(line)
	}
	if out.Others > 0 {
		f.AddBelow(fmt.Sprintf("and %d before", out.Others))
	}
}

func (d *replayedDeletion) text() string {
	text := fmt.Sprintf("entry %d, %s of %s", d.Index, d.Op, ui.Quote(d.key))
	if d.Keys > 1 {
		text += fmt.Sprintf(" and %d more", d.Keys-1)
	}
	text += fmt.Sprintf(", revision %d", d.Revision)
	if d.NotBefore != "" || d.NotAfter != "" {
		text += fmt.Sprintf(", %v", d.bounds)
	}
	return text
}

// rehearsed is how a member came up.
type rehearsed struct {
	Member   string  `json:"member_id"`
	Revision int64   `json:"revision"`
	Keys     int64   `json:"keys"`
	KeyBytes int64   `json:"key_bytes"`
	Leases   int     `json:"leases"`
	Hash     uint32  `json:"hash_kv"`
	Refused  *string `json:"writes_refused,omitempty"`
}

func (r *rehearsed) text() string {
	text := fmt.Sprintf("member %s boots: %d keys (%s), leases: %d, hash %d at revision %d as planned", r.Member, r.Keys,
		display.FormatSize(r.KeyBytes), r.Leases, r.Hash, r.Revision)
	if r.Refused != nil {
		return text + "; it takes no writes: " + *r.Refused
	}
	return text + "; a write goes on from there"
}
