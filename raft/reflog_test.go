package raft

import (
	"fmt"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
)

// refLines returns the lines that the reference logs for an event, each with its level.
func refLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case Started, StateChanged, ConfigSwitched, ConfChangeIgnored, AutoLeaving, LeaderForgotten,
		ForgetLeaderIgnored, QuorumLost:
		return lifeLines(id, e)
	case HigherTermSeen, LowerTermIgnored, LowerTermAppendIgnored, NoProgress, ProposalDropped,
		ReadIndexDropped, ReadIndexRespInvalid:
		return ignoredLines(id, e)
	case CampaignRefused, ElectionStarted, VoteRequested, VoteReceived, VotesCounted, VoteAnswered:
		return electionLines(id, e)
	case RejectionReceived, ProgressDecreased, PeerUnreachable, SnapshotSent, ReplicationPaused,
		ReplicationResumed, SnapshotNotSent, SnapshotReported:
		return replicationLines(id, e)
	case TransferStarted, TransferAborted, TransferIgnored, TimeoutNowSent, TimeoutNowReceived:
		return transferLines(id, e)
	}
	return logLines(id, e)
}

func line(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }

var roleNames = map[StateType]string{
	StateFollower: "follower", StateCandidate: "candidate", StatePreCandidate: "pre-candidate",
	StateLeader: "leader",
}

func lifeLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case Started:
		var peers []string
		for _, voter := range e.Voters {
			peers = append(peers, fmt.Sprintf("%x", voter))
		}
		return line("INFO newRaft %x [peers: [%s], term: %d, commit: %d, applied: %d, lastindex: %d, "+
			"lastterm: %d]", id, strings.Join(peers, ","), e.HardState.Term, e.HardState.Commit,
			e.Applied, e.Last.Index, e.Last.Term)
	case StateChanged:
		return line("INFO %x became %s at term %d", id, roleNames[e.State], e.Term)
	case ConfigSwitched:
		return line("INFO %x switched to configuration %s", id, e.Config)
	case ConfChangeIgnored:
		reason := [...]string{
			fmt.Sprintf("possible unapplied conf change at index %d (applied to %d)", e.Pending, e.Applied),
			"must transition out of joint config first",
			"not in joint state; refusing empty conf change",
		}[e.Reason]
		return line("INFO %x ignoring conf change %s at config %s: %s", id,
			raftpb.DescribeConfChange(e.Change), e.Config, reason)
	case AutoLeaving:
		if e.Err != nil {
			return line("DEBUG not initiating automatic transition out of joint configuration %s", e.Config)
		}
		return line("INFO initiating automatic transition out of joint configuration %s", e.Config)
	case LeaderForgotten:
		return line("INFO %x forgetting leader %x at term %d", id, e.Lead, e.Term)
	case ForgetLeaderIgnored:
		return line("ERROR ignoring MsgForgetLeader due to ReadOnlyLeaseBased")
	case QuorumLost:
		return line("WARN %x stepped down to follower since quorum is not active", id)
	}
	return nil
}

func ignoredLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case HigherTermSeen:
		return line("INFO %x [term: %d] received a %s message with higher term from %x [term: %d]",
			id, e.Term, e.Type, e.From, e.TheirTerm)
	case LowerTermIgnored:
		return line("INFO %x [term: %d] ignored a %s message with lower term from %x [term: %d]",
			id, e.Term, e.Type, e.From, e.TheirTerm)
	case LowerTermAppendIgnored:
		return line("INFO %x [term: %d] ignored entry appends from a MsgStorageAppendResp message with "+
			"lower term [term: %d]", id, e.Term, e.TheirTerm)
	case NoProgress:
		return line("DEBUG %x no progress available for %x", id, e.From)
	case ReadIndexDropped:
		if e.State != StateFollower {
			return nil // the reference says nothing
		}
		return line("INFO %x no leader at term %d; dropping index reading msg", id, e.Term)
	case ReadIndexRespInvalid:
		return line("ERROR %x invalid format of MsgReadIndexResp from %x, entries count: %d",
			id, e.From, e.Entries)
	case ProposalDropped:
		switch e.Reason {
		case DropNoLeader:
			return line("INFO %x no leader at term %d; dropping proposal", id, e.Term)
		case DropNotForwarding:
			return line("INFO %x not forwarding to leader %x at term %d; dropping proposal", id, e.Lead, e.Term)
		case DropTransferring:
			return line("DEBUG %x [term %d] transfer leadership to %x is in progress; dropping proposal",
				id, e.Term, e.To)
		case DropTooLarge:
			return line("WARN %x appending new entries to log would exceed uncommitted entry size limit; "+
				"dropping proposal", id)
		}
	}
	return nil
}

func electionLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case CampaignRefused:
		return line([...]string{
			"DEBUG %x ignoring MsgHup because already leader",
			"WARN %x is unpromotable and can not campaign",
			fmt.Sprintf("WARN %%x cannot campaign at term %d since there are still pending configuration "+
				"changes to apply", e.Term),
		}[e.Reason], id)
	case ElectionStarted:
		return line("INFO %x is starting a new election at term %d", id, e.Term)
	case VoteRequested:
		return line("INFO %x [logterm: %d, index: %d] sent %s request to %x at term %d",
			id, e.Last.Term, e.Last.Index, e.Type, e.To, e.Term)
	case VoteReceived:
		rejection := "rejection "
		if e.Granted {
			rejection = ""
		}
		return line("INFO %x received %s %sfrom %x at term %d", id, e.Type, rejection, e.From, e.Term)
	case VotesCounted:
		return line("INFO %x has received %d %s votes and %d vote rejections",
			id, e.Granted, e.Type, e.Rejected)
	case VoteAnswered:
		verb := [...]string{"cast %s for", "rejected %s from", "ignored %s from"}[e.Answer]
		s := fmt.Sprintf("INFO %x [logterm: %d, index: %d, vote: %x] "+verb+" %x [logterm: %d, index: %d] "+
			"at term %d", id, e.Last.Term, e.Last.Index, e.Vote, e.Type, e.From, e.Candidate.Term,
			e.Candidate.Index, e.Term)
		if e.Answer == VoteIgnored {
			s += fmt.Sprintf(": lease is not expired (remaining ticks: %d)", e.Lease)
		}
		return []string{s}
	}
	return nil
}

func replicationLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case RejectionReceived:
		return line("DEBUG %x received MsgAppResp(rejected, hint: (index %d, term %d)) from %x for index %d",
			id, e.Hint.Index, e.Hint.Term, e.From, e.Index)
	case ProgressDecreased:
		return line("DEBUG %x decreased progress of %x to [%s]", id, e.Peer, &e.Progress)
	case PeerUnreachable:
		return line("DEBUG %x failed to send message to %x because it is unreachable [%s]",
			id, e.Peer, &e.Progress)
	case SnapshotSent:
		return line("DEBUG %x [firstindex: %d, commit: %d] sent snapshot[index: %d, term: %d] to %x [%s]",
			id, e.First, e.Commit, e.Snapshot.Index, e.Snapshot.Term, e.Peer, &e.Progress)
	case ReplicationPaused:
		return line("DEBUG %x paused sending replication messages to %x [%s]", id, e.Peer, &e.Progress)
	case ReplicationResumed:
		return line("DEBUG %x recovered from needing snapshot, resumed sending replication messages to "+
			"%x [%s]", id, e.Peer, &e.Progress)
	case SnapshotNotSent:
		return line([...]string{
			"DEBUG ignore sending snapshot to %[2]x since it is not recently active",
			"DEBUG %[1]x failed to send snapshot to %[2]x because snapshot is temporarily unavailable",
			"%[1]x %[2]x",
		}[e.Reason], id, e.Peer)
	case SnapshotReported:
		verb := "succeeded"
		if e.Failed {
			verb = "failed"
		}
		return line("DEBUG %x snapshot %s, resumed sending replication messages to %x [%s]",
			id, verb, e.Peer, &e.Progress)
	}
	return nil
}

func transferLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case TransferStarted:
		return line("INFO %x [term %d] starts to transfer leadership to %x", id, e.Term, e.To)
	case TransferAborted:
		return line("INFO %x [term %d] abort previous transferring leadership to %x", id, e.Term, e.To)
	case TransferIgnored:
		switch e.Reason {
		case TransferToLearner:
			return line("DEBUG %x is learner. Ignored transferring leadership", id)
		case TransferInProgress:
			return line("INFO %x [term %d] transfer leadership to %x is in progress, ignores request to "+
				"same node %x", id, e.Term, e.To, e.To)
		case TransferToSelf:
			return line("DEBUG %x is already leader. Ignored transferring leadership to self", id)
		case TransferNoLeader:
			return line("INFO %x no leader at term %d; dropping leader transfer msg", id, e.Term)
		}
	case TimeoutNowSent:
		if e.Immediate {
			return line("INFO %x sends MsgTimeoutNow to %x immediately as %x already has up-to-date log",
				id, e.To, e.To)
		}
		return line("INFO %x sent MsgTimeoutNow to %x after received MsgAppResp", id, e.To)
	case TimeoutNowReceived:
		switch e.State {
		case StateFollower:
			return line("INFO %x [term %d] received MsgTimeoutNow from %x and starts an election to get "+
				"leadership.", id, e.Term, e.From)
		default:
			return line("DEBUG %x [term %d state %v] ignored MsgTimeoutNow from %x", id, e.Term, e.State, e.From)
		}
	}
	return nil
}

func logLines(id uint64, e Event) []string {
	switch e := e.(type) {
	case AppendRejected:
		return line("DEBUG %x [logterm: %d, index: %d] rejected MsgApp [logterm: %d, index: %d] from %x",
			id, e.Term, e.Prev.Index, e.Prev.Term, e.Prev.Index, e.From)
	case ConflictFound:
		return line("INFO found conflict at index %d [existing term: %d, conflicting term: %d]",
			e.Index, e.Term, e.Replace)
	case UnstableReplaced:
		return line("INFO replace the unstable entries from index %d", e.Index)
	case UnstableTruncated:
		return line("INFO truncate the unstable entries before index %d", e.Index)
	case StableIgnored:
		switch e.Reason {
		case StableMissing:
			return line("INFO entry at index %d missing from unstable log; ignoring", e.Entry.Index)
		case StableSnapshot:
			return line("INFO entry at index %d matched unstable snapshot; ignoring", e.Entry.Index)
		}
		return line("INFO entry at (index,term)=(%d,%d) mismatched with entry at (%d,%d) in unstable log; "+
			"ignoring", e.Entry.Index, e.Entry.Term, e.Entry.Index, e.Term)
	case SnapshotRestoring:
		return line("INFO log [%s] starts to restore snapshot [index: %d, term: %d]",
			e.Log, e.Snapshot.Index, e.Snapshot.Term)
	case SnapshotRestored:
		return []string{
			fmt.Sprintf("INFO %x [commit: %d, lastindex: %d, lastterm: %d] restored snapshot [index: %d, "+
				"term: %d]", id, e.Commit, e.Last.Index, e.Last.Term, e.Snapshot.Index, e.Snapshot.Term),
			fmt.Sprintf("INFO %x [commit: %d] restored snapshot [index: %d, term: %d]",
				id, e.Commit, e.Snapshot.Index, e.Snapshot.Term),
		}
	case SnapshotFastForwarded:
		return line("INFO %x [commit: %d, lastindex: %d, lastterm: %d] fast-forwarded commit to snapshot "+
			"[index: %d, term: %d]", id, e.Commit, e.Last.Index, e.Last.Term, e.Snapshot.Index, e.Snapshot.Term)
	case SnapshotIgnored:
		s := line("INFO %x [commit: %d] ignored snapshot [index: %d, term: %d]",
			id, e.Commit, e.Snapshot.Index, e.Snapshot.Term)
		if e.Reason == IgnoreNotMember {
			return append(line("WARN %x attempted to restore snapshot but it is not in the ConfState", id), s...)
		}
		return s
	}
	return line("no line for %T", e)
}

// lineLog is the reference's logger, which keeps its lines.
type lineLog struct{ lines []string }

func (l *lineLog) add(level, s string) {
	// Parts that hold Go's printing of reference types, or its errors, are left out.
	for _, cut := range []string{" %!v", ": raft proposal dropped"} {
		s, _, _ = strings.Cut(s, cut)
	}
	if i := strings.Index(s, "in the ConfState"); i >= 0 {
		s = s[:i+len("in the ConfState")]
	}
	l.lines = append(l.lines, level+" "+s)
}

func (l *lineLog) Debug(v ...any)              { l.add("DEBUG", fmt.Sprint(v...)) }
func (l *lineLog) Debugf(f string, v ...any)   { l.add("DEBUG", fmt.Sprintf(f, v...)) }
func (l *lineLog) Error(v ...any)              { l.add("ERROR", fmt.Sprint(v...)) }
func (l *lineLog) Errorf(f string, v ...any)   { l.add("ERROR", fmt.Sprintf(f, v...)) }
func (l *lineLog) Info(v ...any)               { l.add("INFO", fmt.Sprint(v...)) }
func (l *lineLog) Infof(f string, v ...any)    { l.add("INFO", fmt.Sprintf(f, v...)) }
func (l *lineLog) Warning(v ...any)            { l.add("WARN", fmt.Sprint(v...)) }
func (l *lineLog) Warningf(f string, v ...any) { l.add("WARN", fmt.Sprintf(f, v...)) }
func (l *lineLog) Fatal(v ...any)              { panic(fmt.Sprint(v...)) }
func (l *lineLog) Fatalf(f string, v ...any)   { panic(fmt.Sprintf(f, v...)) }
func (l *lineLog) Panic(v ...any)              { panic(fmt.Sprint(v...)) }
func (l *lineLog) Panicf(f string, v ...any)   { panic(fmt.Sprintf(f, v...)) }
