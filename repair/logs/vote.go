package logs

import (
	"cmp"
	"context"
	"slices"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/wal"
)

// electorate is who votes on the entries behind the last one that a log knows as committed.
type electorate struct {
	voters []uint64
	last   raftpb.EntryID // the last entry of the log on which they vote; zero if that is not known
}

// readVoters finds out who votes. What is behind an entry that changes the voters, others vote on.
func (s *Source) readVoters(ctx context.Context) error {
	commit := s.View.State.Commit
	if commit == 0 || s.View.Last.Index <= commit || !s.endsCleanly() {
		return nil
	}
	cs, err := crosscheck.Replay(ctx, s.Log, s.View, commit)
	if err != nil {
		return err
	}
	if cs == nil || len(cs.VotersOutgoing) > 0 {
		return nil
	}
	s.voted.voters = cs.Voters
	for e, err := range s.View.Replay(commit+1, s.View.Last.Index) {
		if err != nil {
			break // what is behind isn't in a row with it
		}
		s.voted.last = e.ID()
		if changesVoters(e.Entry) {
			break
		}
	}
	return ctx.Err()
}

// addOnlyVote takes in what follows for a member that was the only voter: an entry is committed as soon as
// it is in its log, since nobody else can overwrite it. That goes up to the entry which adds another voter;
// those behind it needed that one as well.
func (s *Source) addOnlyVote() {
	if v := &s.voted; v.last.Index > 0 && slices.Equal(v.voters, []uint64{s.View.Metadata.NodeID}) {
		s.known = append(s.known, Mark{v.last, s, ByOnlyVote})
	}
}

// byMajority returns the entries that are known to be committed because a majority of the voters has them. That counts
// for members who took the entry in its own term, as those did that never came to a later one: whoever leads
// after that term has it (section 5.4.2 of the Raft paper).
func byMajority(sources []*Source) (marks []Mark) {
	for _, s := range sources {
		v, end := &s.voted, s.View.Last
		if v.last.Term != end.Term || v.last.Index == 0 || len(v.voters) < 2 {
			continue
		}
		held := map[uint64]uint64{} // by voter: the last entry of the term
		for _, x := range sources {
			id := x.View.Metadata.NodeID
			if slices.Contains(v.voters, id) && x.tookIn(end.Term) {
				held[id] = max(held[id], x.View.Last.Index)
			}
		}
		var ends []uint64
		for _, index := range held {
			ends = append(ends, index)
		}
		slices.SortFunc(ends, func(a, b uint64) int { return cmp.Compare(b, a) })
		if most := len(v.voters) / 2; len(ends) > most {
			at := raftpb.EntryID{Term: end.Term, Index: min(ends[most], v.last.Index)}
			marks = append(marks, Mark{at, s, ByMajority})
		}
	}
	return marks
}

// tookIn reports whether the log ends with entries of a term that were taken in that term.
func (s *Source) tookIn(term uint64) bool {
	return s.endsCleanly() && s.View.Last.Term == term && s.View.State.Term == term
}

// endsCleanly reports whether nothing is wrong with the log but an incomplete last write, which nobody was
// told of.
func (s *Source) endsCleanly() bool {
	return !slices.ContainsFunc(s.Report.Findings, func(f wal.Finding) bool {
		return f.Severity == wal.SeverityError && f.Class != wal.ClassTorn
	})
}

// changesVoters reports whether an entry may change who votes.
func changesVoters(e *raftpb.Entry) bool {
	var r decode.Request
	if e.Type == raftpb.EntryNormal {
		return false
	}
	if decode.Payload(&r, e) != nil || r.ConfChange() == nil {
		return true
	}
	for _, c := range r.ConfChange().AsV2().Changes {
		if c.Type != raftpb.ConfChangeAddLearnerNode && c.Type != raftpb.ConfChangeUpdateNode {
			return true
		}
	}
	return false
}
