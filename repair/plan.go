package repair

import (
	"fmt"

	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// PlanFormat is the version of the form in which plans are stored.
const PlanFormat = 1

// Plan says what is done to a member's files, step by step, and what that costs. It is data: whoever has it
// and the source can execute it, and gets the same result.
type Plan struct {
	Format int    `json:"format"`
	Source Source `json:"source"`
	Status Status `json:"status"`
	Steps  []Step `json:"steps"`
	Cost   Cost   `json:"cost"`

	// Others are what would help as well, and costs more.
	Others []Choice `json:"others,omitempty"`
	// Refused are remedies that would help, and why they are not taken.
	Refused []Refusal `json:"refused,omitempty"`
	// Left are findings that stay: the log is no worse for them.
	Left []string `json:"left,omitempty"`

	Changes edit.Changes `json:"changes"`
}

// Status is what a plan comes to.
type Status string

// The statuses.
const (
	StatusHealthy Status = "healthy"
	StatusRepair  Status = "repair"
	StatusLoss    Status = "loss"
	StatusLossy   Status = "lossy"
	StatusNone    Status = "impossible"
	StatusBeside  Status = "elsewhere"
)

// StatusInfo describes a status.
type StatusInfo struct {
	Status Status
	Doc    string
}

// Statuses returns all statuses.
func Statuses() []StatusInfo {
	return []StatusInfo{
		{StatusHealthy, "there is nothing to do"},
		{StatusRepair, "the steps make a log that boots, and lose nothing that is known to be committed"},
		{StatusLoss, "the steps lose entries that are known to be committed or are intact, and nobody has accepted that"},
		{StatusLossy, "the same, and it was accepted"},
		{StatusNone, "no remedy helps, or what was asked for can't be done"},
		{StatusBeside, "there is nothing to do about the log; what is wrong lies beside it"},
	}
}

// Step is one remedy, applied to one finding or to several of a kind.
type Step struct {
	Remedy   string   `json:"remedy"`
	Findings []string `json:"findings"` // what it mends, as Finding.String has it
	Does     string   `json:"does"`     // one line
	Why      string   `json:"why"`      // one line: what proves that it is right, or why nothing is lost by it
}

// Choice is another way to mend what a plan mends, from where its bytes are corrected on.
type Choice struct {
	Steps []Step `json:"steps"`
	Cost  Cost   `json:"cost"`
}

// Refusal is a remedy that isn't taken.
type Refusal struct {
	Remedy string `json:"remedy"`
	Why    string `json:"why"`
}

// Cost is what a plan costs, in the user's terms.
type Cost struct {
	// Lost are entries that are not in the result, though the member had them or may have had them, and
	// neither the database nor a snapshot has applied them.
	Lost      []edit.Range `json:"lost,omitempty"`
	Committed uint64       `json:"committed"` // how many of these are known to be committed
	Intact    uint64       `json:"intact"`    // how many of these are intact here
	// Folded are entries that are not in the result because the database has applied them: harmless.
	Folded []edit.Range `json:"folded,omitempty"`
	// Beside is what is lost that is no entry; empty if nothing is.
	Beside string `json:"beside,omitempty"`
	// Entries are the first of those lost, with what they say.
	Entries []LostEntry `json:"entries,omitempty"`
	// Maybe says that more may have been written behind the end than anything tells.
	Maybe string `json:"maybe,omitempty"`

	Changed int64  `json:"changed_bytes"`   // corrected in their place
	Written int64  `json:"written_bytes"`   // of records that are written anew, about
	Spliced uint64 `json:"spliced_entries"` // taken from other members
}

// Loses reports whether entries are lost that may not be unless somebody accepts it: those that are known to be
// committed, and those that are intact, since nothing tells that they weren't.
func (c *Cost) Loses() bool { return c.Committed > 0 || c.Intact > 0 || c.Beside != "" }

// Source is what a plan was made for: if any of it has changed, the plan isn't executed.
type Source struct {
	Path   string   `json:"path"` // in a plan that is for being stored it is absolute
	WalDir string   `json:"wal_dir,omitempty"`
	Files  []File   `json:"files"`            // segments
	Snaps  []File   `json:"snaps,omitempty"`  // .snap files; only in a plan that is for being stored
	Donors []Source `json:"donors,omitempty"` // members that entries are taken from
	// Applied is how far the database had come when entries are left out because it has applied them.
	Applied *EntryID `json:"applied,omitempty"`

	stamps []stamp   // nil in a plan that was stored
	view   *wal.View // of the log with the corrections of the plan; it holds as long as the stamps do
}

// Range is entries by their indexes, both included.
type Range = edit.Range

// EntryID names an entry.
type EntryID struct {
	Term  uint64 `json:"term"`
	Index uint64 `json:"index"`
}

// File is a file by its contents.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"` // in hex; empty in a plan that isn't for being stored
}

// String says what a status comes to.
func (s Status) String() string { return string(s) }

// need is the error of a plan that can't be executed.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// Refused reports that going on could lose committed data, for the exit status.
func (e *refusedError) Refused() bool { return true }

func refused(format string, args ...any) error { return &refusedError{fmt.Sprintf(format, args...)} }
