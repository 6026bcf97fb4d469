package script

import (
	"errors"
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// line is a log line that the reference prints where the core tells an event.
type line struct {
	level level
	text  string
}

func debugf(format string, args ...any) []line {
	return []line{{levelDebug, fmt.Sprintf(format, args...)}}
}

func infof(format string, args ...any) []line {
	return []line{{levelInfo, fmt.Sprintf(format, args...)}}
}

func warnf(format string, args ...any) []line {
	return []line{{levelWarn, fmt.Sprintf(format, args...)}}
}

func errorf(format string, args ...any) []line {
	return []line{{levelError, fmt.Sprintf(format, args...)}}
}

// describeEvent returns the log lines for an event at node id.
func describeEvent(id uint64, e raft.Event) []line {
	for _, describe := range []func(uint64, raft.Event) []line{
		describeLife, describeUnheeded, describeElection, describeReplication, describeLog, describeTransfer,
	} {
		if lines := describe(id, e); lines != nil {
			return lines
		}
	}
	panic(fmt.Sprintf("no log line for %T", e))
}

var roleNames = map[raft.StateType]string{
	raft.StateFollower: "follower", raft.StateCandidate: "candidate",
	raft.StateLeader: "leader", raft.StatePreCandidate: "pre-candidate",
}

var confChangeReasons = map[raft.ConfChangeReason]string{
	raft.ConfChangeJoint:    "must transition out of joint config first",
	raft.ConfChangeNotJoint: "not in joint state; refusing empty conf change",
}

func describeLife(id uint64, e raft.Event) []line {
	switch e := e.(type) {
	case raft.Started:
		var peers []string
		for _, v := range e.Voters {
			peers = append(peers, fmt.Sprintf("%x", v))
		}
		return infof("newRaft %x [peers: [%s], term: %d, commit: %d, applied: %d, "+
			"lastindex: %d, lastterm: %d]",
			id, strings.Join(peers, ","), e.HardState.Term, e.HardState.Commit, e.Applied, e.Last.Index, e.Last.Term)
	case raft.StateChanged:
		return infof("%x became %s at term %d", id, roleNames[e.State], e.Term)
	case raft.ConfigSwitched:
		return infof("%x switched to configuration %s", id, e.Config)
	case raft.ConfChangeIgnored:
		reason := confChangeReasons[e.Reason]
		if e.Reason == raft.ConfChangePending {
			reason = fmt.Sprintf("possible unapplied conf change at index %d (applied to %d)",
				e.Pending, e.Applied)
		}
		return infof("%x ignoring conf change %s at config %s: %s",
			id, raftpb.DescribeConfChange(e.Change), e.Config, reason)
	case raft.AutoLeaving:
		if e.Err != nil {
			return debugf("not initiating automatic transition out of joint configuration %s: %v",
				e.Config, e.Err)
		}
		return infof("initiating automatic transition out of joint configuration %s", e.Config)
	case raft.LeaderForgotten:
		return infof("%x forgetting leader %x at term %d", id, e.Lead, e.Term)
	case raft.ForgetLeaderIgnored:
		return errorf("ignoring MsgForgetLeader due to ReadOnlyLeaseBased")
	case raft.QuorumLost:
		return warnf("%x stepped down to follower since quorum is not active", id)
	}
	return nil
}

func describeUnheeded(id uint64, e raft.Event) []line {
	switch e := e.(type) {
	case raft.MessageRefused:
		return warnf("%x refused a message: %v", id, e.Err) // the reference panics
	case raft.HigherTermSeen:
		return infof("%x [term: %d] received a %s message with higher term from %x [term: %d]",
			id, e.Term, e.Type, e.From, e.TheirTerm)
	case raft.LowerTermIgnored:
		return infof("%x [term: %d] ignored a %s message with lower term from %x [term: %d]",
			id, e.Term, e.Type, e.From, e.TheirTerm)
	case raft.LowerTermAppendIgnored:
		return infof("%x [term: %d] ignored entry appends from a %s message with lower "+
			"term [term: %d]",
			id, e.Term, raftpb.MsgStorageAppendResp, e.TheirTerm)
	case raft.NoProgress:
		return debugf("%x no progress available for %x", id, e.From)
	case raft.ProposalDropped:
		return describeDropped(id, e)
	case raft.ReadIndexDropped:
		return infof("%x no leader at term %d; dropping index reading msg", id, e.Term)
	case raft.ReadIndexRespInvalid:
		return errorf("%x invalid format of MsgReadIndexResp from %x, entries count: %d",
			id, e.From, e.Entries)
	}
	return nil
}

func describeDropped(id uint64, e raft.ProposalDropped) []line {
	switch e.Reason {
	case raft.DropNotForwarding:
		return infof("%x not forwarding to leader %x at term %d; dropping proposal",
			id, e.Lead, e.Term)
	case raft.DropRemoved:
		return []line{} // the reference says nothing
	case raft.DropTransferring:
		return debugf("%x [term %d] transfer leadership to %x is in progress; dropping proposal",
			id, e.Term, e.To)
	case raft.DropTooLarge:
		return warnf("%x appending new entries to log would exceed uncommitted entry size "+
			"limit; dropping proposal",
			id)
	}
	return infof("%x no leader at term %d; dropping proposal", id, e.Term)
}

var campaignRefusals = map[raft.CampaignReason]line{
	raft.CampaignLeader:       {levelDebug, "%x ignoring MsgHup because already leader"},
	raft.CampaignUnpromotable: {levelWarn, "%x is unpromotable and can not campaign"},
	raft.CampaignConfChange: {levelWarn,
		"%x cannot campaign since there are still pending configuration changes to apply"},
}

func describeElection(id uint64, e raft.Event) []line {
	switch e := e.(type) {
	case raft.CampaignRefused:
		l := campaignRefusals[e.Reason]
		return []line{{l.level, fmt.Sprintf(l.text, id)}}
	case raft.ElectionStarted:
		return infof("%x is starting a new election at term %d", id, e.Term)
	case raft.VoteRequested:
		return infof("%x [logterm: %d, index: %d] sent %s request to %x at term %d",
			id, e.Last.Term, e.Last.Index, e.Type, e.To, e.Term)
	case raft.VoteReceived:
		verdict := ""
		if !e.Granted {
			verdict = "rejection "
		}
		return infof("%x received %s %sfrom %x at term %d", id, e.Type, verdict, e.From, e.Term)
	case raft.VotesCounted:
		return infof("%x has received %d %s votes and %d vote rejections",
			id, e.Granted, e.Type, e.Rejected)
	case raft.VoteAnswered:
		return describeVote(id, e)
	}
	return nil
}

var voteVerbs = map[raft.VoteAnswer]string{
	raft.VoteCast:     "cast %s for",
	raft.VoteRejected: "rejected %s from",
	raft.VoteIgnored:  "ignored %s from",
}

func describeVote(id uint64, e raft.VoteAnswered) []line {
	text := fmt.Sprintf("%x [logterm: %d, index: %d, vote: %x] ", id, e.Last.Term, e.Last.Index, e.Vote) +
		fmt.Sprintf(voteVerbs[e.Answer], e.Type) +
		fmt.Sprintf(" %x [logterm: %d, index: %d] at term %d",
			e.From, e.Candidate.Term, e.Candidate.Index, e.Term)
	if e.Answer == raft.VoteIgnored {
		text += fmt.Sprintf(": lease is not expired (remaining ticks: %d)", e.Lease)
	}
	return []line{{levelInfo, text}}
}

func describeReplication(id uint64, e raft.Event) []line {
	switch e := e.(type) {
	case raft.RejectionReceived:
		return debugf("%x received MsgAppResp(rejected, hint: (index %d, term %d)) from %x "+
			"for index %d",
			id, e.Hint.Index, e.Hint.Term, e.From, e.Index)
	case raft.ProgressDecreased:
		return debugf("%x decreased progress of %x to [%s]", id, e.Peer, &e.Progress)
	case raft.PeerUnreachable:
		return debugf("%x failed to send message to %x because it is unreachable [%s]",
			id, e.Peer, &e.Progress)
	case raft.SnapshotSent:
		return debugf("%x [firstindex: %d, commit: %d] sent snapshot[index: %d, term: %d] "+
			"to %x [%s]",
			id, e.First, e.Commit, e.Snapshot.Index, e.Snapshot.Term, e.Peer, &e.Progress)
	case raft.ReplicationPaused:
		return debugf("%x paused sending replication messages to %x [%s]", id, e.Peer, &e.Progress)
	case raft.ReplicationResumed:
		return debugf("%x recovered from needing snapshot, resumed sending replication "+
			"messages to %x [%s]",
			id, e.Peer, &e.Progress)
	case raft.SnapshotNotSent:
		if e.Reason == raft.SnapshotPeerInactive {
			return debugf("ignore sending snapshot to %x since it is not recently active", e.Peer)
		}
		return debugf("%x failed to send snapshot to %x because snapshot is temporarily "+
			"unavailable",
			id, e.Peer)
	case raft.SnapshotReported:
		outcome := "succeeded"
		if e.Failed {
			outcome = "failed"
		}
		return debugf("%x snapshot %s, resumed sending replication messages to %x [%s]",
			id, outcome, e.Peer, &e.Progress)
	}
	return nil
}

func describeLog(id uint64, e raft.Event) []line {
	switch e := e.(type) {
	case raft.AppendRejected:
		return debugf("%x [logterm: %d, index: %d] rejected MsgApp [logterm: %d, index: %d] "+
			"from %x",
			id, e.Term, e.Prev.Index, e.Prev.Term, e.Prev.Index, e.From)
	case raft.ConflictFound:
		return infof("found conflict at index %d [existing term: %d, conflicting term: %d]",
			e.Index, e.Term, e.Replace)
	case raft.UnstableReplaced:
		return infof("replace the unstable entries from index %d", e.Index)
	case raft.UnstableTruncated:
		return infof("truncate the unstable entries before index %d", e.Index)
	case raft.StableIgnored:
		return describeStable(e)
	case raft.SnapshotRestoring:
		return infof("log [%s] starts to restore snapshot [index: %d, term: %d]",
			e.Log, e.Snapshot.Index, e.Snapshot.Term)
	case raft.SnapshotRestored:
		return append(infof("%x [commit: %d, lastindex: %d, lastterm: %d] restored snapshot "+
			"[index: %d, term: %d]",
			id, e.Commit, e.Last.Index, e.Last.Term, e.Snapshot.Index, e.Snapshot.Term),
			infof("%x [commit: %d] restored snapshot [index: %d, term: %d]",
				id, e.Commit, e.Snapshot.Index, e.Snapshot.Term)...)
	case raft.SnapshotFastForwarded:
		return infof("%x [commit: %d, lastindex: %d, lastterm: %d] fast-forwarded commit "+
			"to snapshot [index: %d, term: %d]",
			id, e.Commit, e.Last.Index, e.Last.Term, e.Snapshot.Index, e.Snapshot.Term)
	case raft.SnapshotIgnored:
		return infof("%x [commit: %d] ignored snapshot [index: %d, term: %d]",
			id, e.Commit, e.Snapshot.Index, e.Snapshot.Term)
	}
	return nil
}

func describeStable(e raft.StableIgnored) []line {
	switch e.Reason {
	case raft.StableMissing:
		return infof("entry at index %d missing from unstable log; ignoring", e.Entry.Index)
	case raft.StableSnapshot:
		return infof("entry at index %d matched unstable snapshot; ignoring", e.Entry.Index)
	}
	return infof("entry at (index,term)=(%d,%d) mismatched with entry at (%d,%d) in "+
		"unstable log; ignoring",
		e.Entry.Index, e.Entry.Term, e.Entry.Index, e.Term)
}

func describeTransfer(id uint64, e raft.Event) []line {
	switch e := e.(type) {
	case raft.TransferStarted:
		return infof("%x [term %d] starts to transfer leadership to %x", id, e.Term, e.To)
	case raft.TransferAborted:
		return infof("%x [term %d] abort previous transferring leadership to %x", id, e.Term, e.To)
	case raft.TransferIgnored:
		return describeTransferIgnored(id, e)
	case raft.TimeoutNowSent:
		if e.Immediate {
			return infof("%x sends MsgTimeoutNow to %x immediately as %x already has "+
				"up-to-date log",
				id, e.To, e.To)
		}
		return infof("%x sent MsgTimeoutNow to %x after received MsgAppResp", id, e.To)
	case raft.TimeoutNowReceived:
		if e.State == raft.StateFollower {
			return infof("%x [term %d] received MsgTimeoutNow from %x and starts an election "+
				"to get leadership.",
				id, e.Term, e.From)
		}
		return debugf("%x [term %d state %v] ignored MsgTimeoutNow from %x",
			id, e.Term, e.State, e.From)
	}
	return nil
}

func describeTransferIgnored(id uint64, e raft.TransferIgnored) []line {
	switch e.Reason {
	case raft.TransferToLearner:
		return debugf("%x is learner. Ignored transferring leadership", id)
	case raft.TransferInProgress:
		return infof("%x [term %d] transfer leadership to %x is in progress, ignores "+
			"request to same node %x",
			id, e.Term, e.To, e.To)
	case raft.TransferToSelf:
		return debugf("%x is already leader. Ignored transferring leadership to self", id)
	}
	return infof("%x no leader at term %d; dropping leader transfer msg", id, e.Term)
}

// spell returns an error in the reference's words, which the scripts hold.
func spell(err error) string {
	switch {
	case errors.Is(err, raft.ErrProposalDropped):
		return "raft proposal dropped"
	case errors.Is(err, raft.ErrStepPeerNotFound):
		return "raft: cannot step as peer not found"
	case errors.Is(err, raft.ErrStepLocalMsg):
		return "raft: cannot step raft local message"
	}
	return err.Error()
}
