package mutation

import "github.com/raftctl/raftctl/internal/mutant"

var mutants = []mutant.Mutant{
	{
		Name: "send promises before they are on disk", File: "send.go", Quick: true,
		Old: "		c.msgsAfterAppend = append(c.msgsAfterAppend, m)\n",
		New: "		if m.To != c.id {\n			c.msgs = append(c.msgs, m)\n			return\n		}\n" +
			"		c.msgsAfterAppend = append(c.msgsAfterAppend, m)\n",
	}, {
		Name: "count learners in the quorum for commit", File: "tracker/tracker.go", Quick: true,
		Old: "return uint64(t.Voters.CommittedIndex(t))",
		New: "var all quorum.Set\n	for i := range t.Members {\n" +
			"		all = append(all, t.Members[i].ID)\n	}\n" +
			"	return uint64(all.CommittedIndex(t))",
	}, {
		Name: "let learners campaign", File: "election.go",
		Old: "self != nil && !self.IsLearner &&",
		New: "self != nil &&",
	}, {
		Name: "begin a term without an entry", File: "core.go",
		Old: "	c.appendEntries([]raftpb.Entry{{}})\n",
		New: "",
	}, {
		Name: "commit entries of earlier terms by counting", File: "replication.go",
		Old: "|| index < c.termStart ",
		New: "",
	}, {
		Name: "heed storage replies of earlier terms (no ABA check)", File: "step.go",
		Old: "return c.lateAppendDone(m)",
		New: "return c.appendDone(m)",
	}, {
		Name: "take replaced entries for stable", File: "unstable.go",
		Old: "	case term != id.Term:\n",
		New: "	case false && term != id.Term:\n",
	}, {
		Name: "vote twice in a term", File: "election.go", Quick: true,
		Old: "c.vote == None && c.lead == None ||",
		New: "c.lead == None ||",
	}, {
		Name: "forget the vote on restart", File: "core.go",
		Old: "c.term, c.vote = hs.Term, hs.Vote",
		New: "c.term, c.vote = hs.Term, None",
	}, {
		Name: "vote for any log", File: "election.go",
		Old: "if !c.mayVote(m) || !upToDate(candidate, last) {",
		New: "if !c.mayVote(m) || false && !upToDate(candidate, last) {",
	}, {
		Name: "vote for the longer log, whatever its last term", File: "logmatch.go",
		Old: "last.Term > than.Term || last.Term == than.Term && last.Index >= than.Index",
		New: "last.Index >= than.Index",
	}, {
		Name: "count votes of earlier terms", File: "step.go",
		Old: "	case m.Term < c.term:\n",
		New: "	case m.Term < c.term && m.Type != raftpb.MsgVoteResp:\n",
	}, {
		Name: "count acknowledgements of earlier terms", File: "step.go",
		Old: "	case m.Term < c.term:\n",
		New: "	case m.Term < c.term && m.Type != raftpb.MsgAppResp:\n",
	}, {
		Name: "commit with half of an even group", File: "quorum/majority.go",
		Old: "len(sorted)-(len(sorted)/2+1)",
		New: "len(sorted)-(len(sorted)+1)/2",
	}, {
		Name: "elect with half of an even group", File: "quorum/vote.go",
		Old: "need := len(s)/2 + 1",
		New: "need := (len(s) + 1) / 2",
	}, {
		Name: "commit with the incoming half of a joint quorum", File: "quorum/joint.go",
		Old: "return min(incoming, j[1].CommittedIndex(acked))",
		New: "return incoming",
	}, {
		Name: "elect with the incoming half of a joint quorum", File: "quorum/joint.go",
		Old: "case in == VoteWon && out == VoteWon:",
		New: "case in == VoteWon:",
	}, {
		Name: "keep entries that conflict with the leader's", File: "logmatch.go",
		Old: "		if !found {\n			return entries[i].Index,",
		New: "		if false && !found {\n			return entries[i].Index,",
	}, {
		Name: "acknowledge the whole log", File: "replication.go",
		Old: "MsgAppResp, To: m.From, Index: last}",
		New: "MsgAppResp, To: m.From, Index: c.log.lastIndex()}",
	}, {
		Name: "commit what the leader did not send", File: "replication.go",
		Old: "c.log.commitTo(min(m.Commit, last))",
		New: "c.log.commitTo(min(m.Commit, c.log.lastIndex()))",
	}, {
		Name: "tell the commit index by heartbeat to who does not match", File: "heartbeat.go",
		Old: "commit := min(member.Match, c.log.committed)",
		New: "commit := c.log.committed",
	}, {
		Name: "apply before commit", File: "apply.go",
		Old: "		return l.committed\n",
		New: "		return l.lastIndex()\n",
	}, {
		Name: "apply what is not on disk", File: "apply.go",
		Old: "return min(l.committed, l.unstable.offset-1)",
		New: "return l.committed",
	}, {
		Name: "keep entries over a restored snapshot", File: "unstable.go",
		Old: "	u.offsetInProgress = u.offset\n	u.setEntries(nil)\n",
		New: "	u.offsetInProgress = u.offset\n",
	}, {
		Name: "propose membership changes while one is pending", File: "proposal.go",
		Old: "case c.pendingConfIndex > c.log.applied:",
		New: "case false:",
	}, {
		Name: "forget a predecessor's pending membership change", File: "core.go",
		Old: "	c.pendingConfIndex = c.log.lastIndex()\n",
		New: "",
	}, {
		Name: "campaign with a committed membership change not applied", File: "election.go",
		Old: "	if pending {\n",
		New: "	if false && pending {\n",
	}, {
		Name: "read without asking a quorum", File: "readindex.go", Quick: true,
		Old: "if alone || c.reads.option == ReadOnlyLeaseBased {",
		New: "if alone || true {",
	}, {
		Name: "take any heartbeat's answer for all reads", File: "readindex.go",
		Old: "	c.reads.ack(m.From, number)\n",
		New: "	c.reads.ack(m.From, c.reads.last())\n",
	}, {
		Name: "read before a commit in the term", File: "readindex.go",
		Old: "if c.log.committed < c.termStart {\n		//",
		New: "if false {\n		//",
	}, {
		Name: "read at a leader that is not the single voter", File: "readindex.go",
		Old: "alone := c.trk.Singleton() && c.trk.Voters.Contains(c.id)",
		New: "alone := c.trk.Singleton()",
	}, {
		Name: "keep the lease without a quorum", File: "election.go",
		Old: "if !c.trk.QuorumActive() {",
		New: "if false && !c.trk.QuorumActive() {",
	}, {
		Name: "lead on after removal", File: "membership.go",
		Old: "if c.cfg.StepDownOnRemoval {",
		New: "if false {",
	},
}
