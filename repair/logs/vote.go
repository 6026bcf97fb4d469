package logs

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/wal"
)

// addOnlyVote takes in what follows for a member that was the only voter: an entry is committed as soon as
// it is in its log, since nobody else can overwrite it. That goes up to the entry which adds another voter;
// those behind it needed that one as well.
func (s *Source) addOnlyVote(ctx context.Context) error {
	commit := s.View.State.Commit
	if commit == 0 || s.View.Last.Index <= commit || !s.endsCleanly() {
		return nil
	}
	cs, err := crosscheck.Replay(ctx, s.Log, s.View, commit)
	if err != nil {
		return err
	}
	self := s.View.Metadata.NodeID
	if cs == nil || len(cs.VotersOutgoing) > 0 || !slices.Equal(cs.Voters, []uint64{self}) {
		return nil
	}
	var last raftpb.EntryID
	for e, err := range s.View.Replay(commit+1, s.View.Last.Index) {
		if err != nil {
			break // what is behind isn't in a row with it
		}
		last = e.ID()
		if changesVoters(e.Entry) {
			break
		}
	}
	if last.Index > 0 {
		s.known = append(s.known, Mark{last, s, ByOnlyVote})
	}
	return ctx.Err()
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
