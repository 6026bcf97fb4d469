package logs

import (
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
)

// Evidence is what an entry is known by to be committed.
type Evidence uint8

// The evidence.
const (
	NoEvidence Evidence = iota
	ByState             // a hard state in the log
	BySnapshot          // a snapshot record in the log
	ByApplied           // the member's database has applied it
	ByOnlyVote          // the member was the only voter: what it had written was committed
	ByMajority          // a majority of the voters had it, as their logs show
)

var evidence = [...]string{
	NoEvidence: "nothing",
	ByState:    "hard state",
	BySnapshot: "snapshot record",
	ByApplied:  "database",
	ByOnlyVote: "only vote",
	ByMajority: "majority",
}

// String names the evidence.
func (e Evidence) String() string { return evidence[e] }

// Mark is a place in the common sequence, and which log tells it.
type Mark struct {
	raftpb.EntryID // the term is 0 if no log tells it

	Source *Source // nil if no log tells anything
	By     Evidence
}

// String says the mark as in "815 (term 4) by the hard state of m1", or "of m1" without evidence.
func (m Mark) String() string {
	where := m.EntryID.String()
	if m.Term == 0 {
		where = fmt.Sprint(m.Index)
	}
	switch {
	case m.Source == nil:
		return where
	case m.By == NoEvidence:
		return fmt.Sprintf("%s of %s", where, m.Source.Name)
	case m.By == ByMajority:
		return fmt.Sprintf("%s by a majority with %s", where, m.Source.Name)
	}
	return fmt.Sprintf("%s by the %v of %s", where, m.By, m.Source.Name)
}

// stateMark says that index was committed by a time at which the member was at term, so that the leader of
// that term, and of every later one, has what was committed up to there.
type stateMark struct {
	term, index uint64
}
