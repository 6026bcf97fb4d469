// Package node runs a member of an etcd cluster on etcd's files: on those that an etcd of 3.4 to 3.7 left, on
// restored, repaired and recovered ones, or on new ones. It stands in one cluster with real etcd members, and
// the etcd whose release it stands for starts on what it leaves. Clients are served by package etcdapi.
//
//	n, err := node.Start(ctx, node.Config{DataDir: "member.etcd"})
//
// # Who does what
//
// Each arrow is a queue or a call that doesn't wait. Nobody but the loop touches the core.
//
//	other members            clients
//	     |                      |
//	transport.Process    Propose, Read, AddMember …
//	     | bounded by bytes     | bounded by bytes
//	     +---------+------------+
//	               v
//	             loop  ------------- messages ------------> transport.Send
//	        (owns the core)
//	         |            |
//	  MsgStorageAppend  MsgStorageApply, MsgSnap
//	         v            v
//	     appender      applier
//	     log on disk   state machine: entries, snapshots, everything that wants it still
//	     then memory        |
//	         |              +--> results to those who wait, the index applied
//	         +--------------+--> answers to the loop, and to other members
//
// The appender takes all that waits at once: one write and one sync serve every proposal and every message
// that came while the last one ran. While entries on their way to the disk exceed 64 MiB, the loop takes no
// messages and no proposals; the core bounds what is being applied, and what is uncommitted. What can't be
// queued is dropped by the transport, which reports it to the core.
//
// Two goroutines wait for another one: the appender for the applier, to put a received database in its
// place before entries that follow it; and the applier for the loop, to have a change of the membership take
// effect. The loop waits for nobody, so neither wait can become a circle: before the second one the applier
// waits for a hard state that the appender had before any snapshot.
//
// # What is durable before what
//
//   - Entries, term and vote before any answer that speaks of them: an acknowledgement that a crash takes
//     back would let the cluster lose what it has committed.
//   - A MsgVote after the term and the vote that it announces: a member that forgets its campaign could
//     campaign again in the same term, and win by votes that its log isn't worth.
//   - A hard state that commits a change of the membership before the core hears of it: else a member might
//     campaign, after a crash, in a membership that is no more.
//   - The database up to an index before the log's record of a snapshot at that index, and the .snap file
//     before it too: the next start reads the log from there on, and finds nothing older.
//   - A hard state that commits an index before the record of a snapshot there: etcd takes no notice of a
//     record beyond what is committed.
//   - A database that a leader sent before the message that brings it; its .snap file and the log's record
//     before it takes the place of the present one. A crash between the two is mended at the next start.
//   - The record of a snapshot before the segments behind it are given up.
//   - Entries, on this member's own disk, before they are applied: else the database might be ahead of the
//     log after a crash. The hard state that says that they are committed needn't be there yet: what the
//     database has is taken for committed.
//
// # Where a member starts
//
// The log is read twice: once for its last hard state and the newest snapshot that is committed, then from
// there on, and what the database lacks is applied as it is read. Only the last entries are kept in memory,
// for members that are behind, so that a log of any length starts in bounded memory. A torn end is cut off
// by the rule of package wal, and any other damage refused, with the command that helps.
//
// # What a member does by itself
//
// Beside the four goroutines of the drawing each of these has one of its own. What it wants of the cluster
// it proposes, as a client does; what it wants of the state machine it has the applier do.
//
//	any member        publish          its name and client URLs, once
//	                  purge            segments and snapshots that nothing needs
//	                  keepStorage…     the form of the database, by the cluster's version
//	                  servePeers       what others ask for: see PeerHandler
//	                  noSpace          the alarm, when the quota is reached
//	the leader        revokeExpired    leases, sixteen at a time; and checkpoints of them
//	                  keepCluster…     the cluster's version, by those of its members
//	                  endDowngrade     when all members run the release that was aimed at
//	                  checkPeriodic…   compares the keys of all members
//	                  checkCompact…    compares what they had at a compaction
//	                  compactWhile…    old revisions
//
// A leader that hung for a while believes what was true before. So what harms if two do it, the end of a lease,
// begins with a read, which a leader that isn't one any more can't have.
//
// # How a member ends
//
// By Stop; or because it can't go on: an error of the disk, an entry that no etcd could apply, its removal,
// or a leader that speaks of entries which this log acknowledged and hasn't got. Then Done is closed, Err
// says why and what helps, and the files are such that a start finds everything that was promised.
package node
