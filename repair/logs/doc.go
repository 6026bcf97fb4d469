// Package logs sets the logs of a cluster's members side by side and reads them as one: the sequence of
// entries that the cluster committed, each once, from whichever log has it intact. The logs may be those
// of any members, be several of one member, overlap, begin anywhere, and be damaged where another is not.
//
// [Open] reads each log once. [Join] tells what is committed, and refuses logs that are not of one
// history. [Joined.Range] picks who gives which entries, before any is read; [Range.Entries] reads them.
//
// # What is committed
//
// An entry is taken only if it is known to be committed. No log tells that of all its entries: a hard
// state that only commits is not synced, the end of a log may have been overwritten elsewhere, and damage
// may hide that. What is known follows from Raft's own promises (sections 5.3 and 5.4 of the Raft paper):
//
//   - Entries of one index and term are the same in all logs, and so is all that comes before them. So
//     where one log knows an entry as committed, every log that has it knows that of what it has before.
//   - A leader has all entries that were committed before. So a hard state of term T that commits index C
//     commits, in every log with an entry of term T or a later one, what precedes that up to C.
//   - A snapshot, and the state of a database, hold committed entries only.
//   - What the only voter of a cluster has in its log is committed: nobody can overwrite it.
//   - So is what a majority of the voters has, where all of these took it in the term that it is of.
//
// They hold within a range of a log that has no gap and no doubt, as wal.View's Ranges give it. In a log
// in which nothing is wrong, the last hard state says it of all entries. In another one a commit counts
// only where no damage lies between the entry and the hard state, since damage may hide an overwrite.
//
// Nothing of this needs the entries themselves. That entries of one index and term are the same is
// checked all the same, by hashes of all entries, or of a part of them that is spread evenly over a
// log of very many: two clusters that were restored from one backup have the same IDs, and forced
// recoveries break Raft's promises.
package logs
