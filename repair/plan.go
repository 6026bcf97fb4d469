package repair

import (
	"fmt"

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

	// Refused are remedies that would help, and why they are not taken.
	Refused []Refusal `json:"refused,omitempty"`
	// Left are findings that stay: the log is no worse for them.
	Left []string `json:"left,omitempty"`

	Changes Changes `json:"changes"`
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
		{StatusLoss, "the steps lose entries that are known to be committed, and nobody has accepted that"},
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

// Refusal is a remedy that isn't taken.
type Refusal struct {
	Remedy string `json:"remedy"`
	Why    string `json:"why"`
}

// Cost is what a plan costs, in the user's terms.
type Cost struct {
	// Lost are entries that are not in the result, though the member had them or may have had them, and
	// neither the database nor a snapshot has applied them.
	Lost      []Range `json:"lost,omitempty"`
	Committed uint64  `json:"committed"` // how many of these are known to be committed
	Intact    uint64  `json:"intact"`    // how many of these are intact here
	// Folded are entries that are not in the result because the database has applied them: harmless.
	Folded []Range `json:"folded,omitempty"`
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
	Path   string   `json:"path"`              // in a plan that is for being stored it is absolute
	WalDir string   `json:"wal_dir,omitempty"` // absolute
	Files  []File   `json:"files"`             // segments
	Snaps  []File   `json:"snaps,omitempty"`   // .snap files; only in a plan that is for being stored
	Donors []Source `json:"donors,omitempty"`  // members that entries are taken from
	// Applied is how far the database had come when entries are left out because it has applied them.
	Applied *EntryID `json:"applied,omitempty"`

	stamps []stamp // nil in a plan that was stored
}

// Range is entries by their indexes, both included.
type Range struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Len returns how many entries there are.
func (r Range) Len() uint64 { return r.Last + 1 - r.First }

// String names the range as "entry 7" or "entries 7..9".
func (r Range) String() string { return wal.IndexRange(r).String() }

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

// Changes are what a plan does to the files, in the form in which it is executed.
type Changes struct {
	// Patches are bytes of segments that are corrected.
	Patches []Patch `json:"patches,omitempty"`
	// Drop are segments that are left out, Rename such as get the name that their place and contents
	// demand.
	Drop   []string `json:"drop,omitempty"`
	Rename []Rename `json:"rename,omitempty"`
	// Rewrite says from where on records are written anew; nil if all segments are copied as they are.
	Rewrite *Rewrite `json:"rewrite,omitempty"`
	// Quarantine are .snap files that are put aside under the name that etcd gives to damaged ones.
	Quarantine []string `json:"quarantine,omitempty"`
	// Snapshots are .snap files that are added.
	Snapshots []SnapFile `json:"snapshots,omitempty"`
}

// Patch is bytes of a segment that are corrected in their place.
type Patch struct {
	Segment string `json:"segment"`
	Off     int64  `json:"offset"`
	Old     Hex    `json:"old"`
	New     Hex    `json:"new"`
}

// Rename gives a segment another name.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// SnapFile is a .snap file that is made.
type SnapFile struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// Rewrite is how a log is written anew from a place on.
type Rewrite struct {
	// From is where the part ends that is copied as it is. It is zero where nothing is.
	From Place `json:"from"`
	// Begin, if not nil, is the snapshot that the new log begins with, in place of all entries up to it.
	Begin *Begin `json:"begin,omitempty"`
	// Skip are bytes that are left out. Damage that lies outside of them is not expected.
	Skip []Span `json:"skip,omitempty"`
	// Insert are records that come in, each before the record at its place.
	Insert []Insert `json:"insert,omitempty"`
	// End is where the log ends; zero for where it ends by itself.
	End Place `json:"end"`
	// Commit bounds what hard states commit; 0 for no bound.
	Commit uint64 `json:"commit,omitempty"`
	// Metadata, if not empty, is that of every segment.
	Metadata Hex `json:"metadata,omitempty"`
}

// Place is a byte offset within a segment of the source.
type Place struct {
	Segment string `json:"segment,omitempty"`
	Off     int64  `json:"offset,omitempty"`
}

func placeOf(p wal.Position) Place { return Place{p.Segment, p.Off} }

func (p Place) position() wal.Position { return wal.Position{Segment: p.Segment, Off: p.Off} }

// Span is a stretch of bytes within a segment of the source.
type Span struct {
	Place
	Len int64 `json:"length"`
}

// Begin is what a log begins with that is begun anew.
type Begin struct {
	Index    uint64 `json:"index"`
	Term     uint64 `json:"term"`
	Snapshot Hex    `json:"snapshot"` // the data of the snapshot record
	State    Hex    `json:"state"`    // the data of the hard state behind it
}

// Insert is records that come in before the record at a place. It is entries of a donor, or one record.
type Insert struct {
	At Place `json:"at"`

	Donor int    `json:"donor,omitempty"` // from 1 on: which of Source.Donors; 0 for a record
	First uint64 `json:"first,omitempty"` // entries of the donor
	Last  uint64 `json:"last,omitempty"`
	Kind  uint8  `json:"kind,omitempty"` // of the record
	Data  Hex    `json:"data,omitempty"`
}

// String says what a status comes to.
func (s Status) String() string { return string(s) }

// need is the error of a plan that can't be executed.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// Refused reports that going on could lose committed data, for the exit status.
func (e *refusedError) Refused() bool { return true }

func refused(format string, args ...any) error { return &refusedError{fmt.Sprintf(format, args...)} }
