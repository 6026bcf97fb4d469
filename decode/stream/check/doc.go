// Package check judges what the members of a cluster said to each other: it holds their messages against the rules of
// Raft, and of etcd's use of it (Rules). It knows nothing of where the events come from.
//
//	rep, err := check.Run(events, check.Options{Members: &confState})
//
// # Verdicts
//
// What a rule is held against is an instance of it: an acknowledgement, a commit index that grew, an entry that was
// seen before. Each is one of
//
//   - checked: the evidence decides it. A Violation names the two messages that can't both come from members that keep
//     to the rule;
//   - given: it holds if all was right before the evidence began. Such are the first commit index, and answers to what
//     was sent before;
//   - unchecked: a message that would decide it is missing, lies further back than is remembered, or the membership isn't
//     known. Reason says which.
//
// A rule is a problem if any instance violates it, else unchecked if any is, or if none was checked, else ok. The
// whole is ok where no instance is unchecked and some are checked.
//
// # What counts as evidence
//
// A message counts from when it is seen, whether or not it arrives. In the order of one source, what a member was told
// comes before what it says: so where events are those of one capture, recording or simulator. Several sources have no
// common order. Rules that compare who knew what by when look at each source by itself; those that don't, which are
// the leaders, votes and entries of a term, look at all of them.
//
// Lost, late and repeated messages are no violations. Messages of a stream leave in the order in which they were made,
// but for promises (MsgAppResp, MsgVoteResp, MsgPreVoteResp), which wait for the disk; those of POSTs in any order. A
// pre-vote is of a term that nobody is in. After a gap, what may have been said in it is not held against anyone.
//
// Members are taken to be seen in pairs: if anything that one says to another is in the evidence, then all of it is,
// but for gaps.
//
// # Membership
//
// It is given (Options.Members), or told by a snapshot that is sent, and then followed through the entries that are
// committed. A change counts from when the leader applied it, which isn't seen: both memberships count until the leader
// proposes another change. Without either, it is whom a leader asked for votes in its election, where there are three
// members at least and the traffic between any two is seen, as long as nobody else is; not with Options.Joint. The leader's
// own disk is taken to be fast enough.
//
// # Limits
//
// Memory is bounded. Remembered are the last 65,536 entries, by hash (Options.Window); leaders and votes of 4096 terms; 32
// leaderships with 64 followers each; 8 memberships; 256 stretches of committed entries; 4096 connections, reads and
// contexts of heartbeats that confirm them, and 256 heartbeats to each member. A message that is kept loses the bytes
// in its entries and its snapshot. Of each rule 100 violations are kept.
package check
