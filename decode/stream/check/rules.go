package check

// Name names a rule, spelled as in the JSON contract.
type Name string

// The rules.
const (
	LeaderPerTerm  Name = "leader_per_term"
	VotePerTerm    Name = "vote_per_term"
	TermBack       Name = "term_back"
	CommitBack     Name = "commit_back"
	LogMatching    Name = "log_matching"
	CommittedStays Name = "committed_stays"
	AckBeyond      Name = "ack_beyond"
	CommitQuorum   Name = "commit_quorum"
	BeatCommit     Name = "heartbeat_commit"
	ReadQuorum     Name = "read_quorum"
	ContextEcho    Name = "context_echo"
	AckOnDisk      Name = "ack_on_disk"
)

// Info is what a rule is.
type Info struct {
	Name Name
	// Doc is the rule, in a sentence.
	Doc string
	// Needs says what is missing where there was nothing to check.
	Needs string
}

// judge is what holds messages against a rule.
type judge interface {
	// see is told of every message. The scene knows by then what it carries, but not what it acknowledges or tells to
	// be committed.
	see(m *moment)
}

// rule is a rule with what came of it so far.
type rule struct {
	Info
	judge judge
	tally tally
}

// row is a rule in the table.
type row struct {
	Info
	judge func(*Checker, *tally) judge
}

var table = []row{
	{Info{LeaderPerTerm, "one leader a term", "no leader was seen"}, newLeaderRule},
	{Info{VotePerTerm, "one vote a member a term", "no vote was seen"}, newVoteRule},
	{Info{TermBack, "terms never go back on a connection", "no two messages of a connection in order"}, newTermRule},
	{Info{CommitBack, "a leader's commit index never goes back", "no commit index was seen twice"}, newCommitRule},
	{Info{LogMatching, "entries of the same index and term are the same", "no entry was seen twice"}, newMatchRule},
	{Info{CommittedStays, "no later leader has another entry where one was committed",
		"no leader followed one that committed"}, newStaysRule},
	{Info{AckBeyond, "no acknowledgement goes beyond what was sent", "no acknowledgement was seen"}, newAckRule},
	{Info{CommitQuorum, "entries are committed after a quorum acknowledged them", "no commit index grew"}, newQuorumRule},
	{Info{BeatCommit, "heartbeats tell no commit index beyond what their receiver acknowledged",
		"no heartbeat was seen"}, newBeatRule},
	{Info{ReadQuorum, "reads are answered after a quorum confirmed the leader, with what was committed before",
		"no read was forwarded to the leader"}, newReadRule},
	{Info{ContextEcho, "answers to heartbeats carry their context", "no heartbeat was answered"}, newEchoRule},
}

// logsInfo is the rule that needs the members' logs.
var logsInfo = Info{AckOnDisk, "what a member acknowledged is in its log", "no log was given"}

// Rules returns all rules, in the order of a report.
func Rules() []Info {
	var list []Info
	for i := range table {
		list = append(list, table[i].Info)
	}
	return append(list, logsInfo)
}
