package mutation

// mutant is a bug.
type mutant struct {
	name  string
	file  string // within raft/
	old   string // occurs once
	new   string
	quick bool // always tried
}

var mutants = []mutant{
	{
		name: "send promises before they are on disk", file: "send.go", quick: true,
		old: "		c.msgsAfterAppend = append(c.msgsAfterAppend, m)\n",
		new: "		if m.To != c.id {\n			c.msgs = append(c.msgs, m)\n			return\n		}\n" +
			"		c.msgsAfterAppend = append(c.msgsAfterAppend, m)\n",
	}, {
		name: "count learners in the quorum for commit", file: "tracker/tracker.go", quick: true,
		old: "return uint64(t.Voters.CommittedIndex(t))",
		new: "var all quorum.Set\n	for i := range t.Members {\n" +
			"		all = append(all, t.Members[i].ID)\n	}\n" +
			"	return uint64(all.CommittedIndex(t))",
	}, {
		name: "let learners campaign", file: "election.go",
		old: "self != nil && !self.IsLearner &&",
		new: "self != nil &&",
	}, {
		name: "begin a term without an entry", file: "core.go",
		old: "	c.appendEntries([]raftpb.Entry{{}})\n",
		new: "",
	}, {
		name: "commit entries of earlier terms by counting", file: "replication.go",
		old: "|| index < c.termStart ",
		new: "",
	}, {
		name: "heed storage replies of earlier terms (no ABA check)", file: "step.go",
		old: "return c.lateAppendDone(m)",
		new: "return c.appendDone(m)",
	}, {
		name: "take replaced entries for stable", file: "unstable.go",
		old: "	case term != id.Term:\n",
		new: "	case false && term != id.Term:\n",
	}, {
		name: "vote twice in a term", file: "election.go", quick: true,
		old: "c.vote == None && c.lead == None ||",
		new: "c.lead == None ||",
	}, {
		name: "forget the vote on restart", file: "core.go",
		old: "c.term, c.vote = hs.Term, hs.Vote",
		new: "c.term, c.vote = hs.Term, None",
	}, {
		name: "vote for any log", file: "election.go",
		old: "if !c.mayVote(m) || !upToDate(candidate, last) {",
		new: "if !c.mayVote(m) || false && !upToDate(candidate, last) {",
	}, {
		name: "vote for the longer log, whatever its last term", file: "logmatch.go",
		old: "last.Term > than.Term || last.Term == than.Term && last.Index >= than.Index",
		new: "last.Index >= than.Index",
	}, {
		name: "count votes of earlier terms", file: "step.go",
		old: "	case m.Term < c.term:\n",
		new: "	case m.Term < c.term && m.Type != raftpb.MsgVoteResp:\n",
	}, {
		name: "count acknowledgements of earlier terms", file: "step.go",
		old: "	case m.Term < c.term:\n",
		new: "	case m.Term < c.term && m.Type != raftpb.MsgAppResp:\n",
	}, {
		name: "commit with half of an even group", file: "quorum/majority.go",
		old: "len(sorted)-(len(sorted)/2+1)",
		new: "len(sorted)-(len(sorted)+1)/2",
	}, {
		name: "elect with half of an even group", file: "quorum/vote.go",
		old: "need := len(s)/2 + 1",
		new: "need := (len(s) + 1) / 2",
	}, {
		name: "commit with the incoming half of a joint quorum", file: "quorum/joint.go",
		old: "return min(incoming, j[1].CommittedIndex(acked))",
		new: "return incoming",
	}, {
		name: "elect with the incoming half of a joint quorum", file: "quorum/joint.go",
		old: "case in == VoteWon && out == VoteWon:",
		new: "case in == VoteWon:",
	}, {
		name: "keep entries that conflict with the leader's", file: "logmatch.go",
		old: "		if !found {\n			return entries[i].Index,",
		new: "		if false && !found {\n			return entries[i].Index,",
	}, {
		name: "acknowledge the whole log", file: "replication.go",
		old: "MsgAppResp, To: m.From, Index: last}",
		new: "MsgAppResp, To: m.From, Index: c.log.lastIndex()}",
	}, {
		name: "commit what the leader did not send", file: "replication.go",
		old: "c.log.commitTo(min(m.Commit, last))",
		new: "c.log.commitTo(min(m.Commit, c.log.lastIndex()))",
	}, {
		name: "tell the commit index by heartbeat to who does not match", file: "heartbeat.go",
		old: "commit := min(member.Match, c.log.committed)",
		new: "commit := c.log.committed",
	}, {
		name: "apply before commit", file: "apply.go",
		old: "		return l.committed\n",
		new: "		return l.lastIndex()\n",
	}, {
		name: "apply what is not on disk", file: "apply.go",
		old: "return min(l.committed, l.unstable.offset-1)",
		new: "return l.committed",
	}, {
		name: "keep entries over a restored snapshot", file: "unstable.go",
		old: "	u.offsetInProgress = u.offset\n	u.setEntries(nil)\n",
		new: "	u.offsetInProgress = u.offset\n",
	}, {
		name: "propose membership changes while one is pending", file: "proposal.go",
		old: "case c.pendingConfIndex > c.log.applied:",
		new: "case false:",
	}, {
		name: "forget a predecessor's pending membership change", file: "core.go",
		old: "	c.pendingConfIndex = c.log.lastIndex()\n",
		new: "",
	}, {
		name: "campaign with a committed membership change not applied", file: "election.go",
		old: "	if pending {\n",
		new: "	if false && pending {\n",
	}, {
		name: "read without asking a quorum", file: "readindex.go", quick: true,
		old: "if alone || c.reads.option == ReadOnlyLeaseBased {",
		new: "if alone || true {",
	}, {
		name: "take any heartbeat's answer for all reads", file: "readindex.go",
		old: "	c.reads.ack(m.From, number)\n",
		new: "	c.reads.ack(m.From, c.reads.last())\n",
	}, {
		name: "read before a commit in the term", file: "readindex.go",
		old: "if c.log.committed < c.termStart {\n		//",
		new: "if false {\n		//",
	}, {
		name: "read at a leader that is not the single voter", file: "readindex.go",
		old: "alone := c.trk.Singleton() && c.trk.Voters.Contains(c.id)",
		new: "alone := c.trk.Singleton()",
	}, {
		name: "keep the lease without a quorum", file: "election.go",
		old: "if !c.trk.QuorumActive() {",
		new: "if false && !c.trk.QuorumActive() {",
	}, {
		name: "lead on after removal", file: "membership.go",
		old: "if c.cfg.StepDownOnRemoval {",
		new: "if false {",
	},
}
