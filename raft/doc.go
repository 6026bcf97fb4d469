// Package raft is the Raft consensus algorithm as a pure state machine: it has no clock, disk,
// network, goroutine, random source or logger of its own. The application feeds it ticks, messages
// and proposals, and does what it says in [Ready]: store, send, apply.
//
// Names and meanings are those of go.etcd.io/raft/v3, and so is what is sent, message for message;
// the types are the plain ones of package raftpb. "Differences" below lists where it departs.
//
// # A member
//
// [NewRawNode] starts a member from a [Config], whose [Storage] is the application's log. A new
// group starts with the same membership on every member's Storage, as a snapshot at an index above
// 0 (any will do), whose index is also the Applied and the commit index:
//
//	store := raft.NewMemoryStorage()
//	store.ApplySnapshot(raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
//		Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: []uint64{1, 2, 3}},
//	}})
//	store.SetHardState(raftpb.HardState{Term: 1, Commit: 1})
//
// A member that is to join starts with an empty Storage and is added by a membership change.
//
// # The loop, synchronous
//
// One goroutine owns the RawNode. For each tick it calls Tick; for each message, Step; for each
// proposal, Propose. After any of these, and as long as HasReady:
//
//  1. rd := Ready().
//  2. Store rd.Snapshot, rd.Entries and rd.HardState, in this order or at once. If rd.MustSync is
//     set, or there is a snapshot, wait until they are on disk. Entries replace those at their
//     indexes and all after.
//  3. Send rd.Messages. Those of a leader may go before or during 2, as its followers write in
//     parallel to it (dissertation, section 10.2.1); those of others promise what 2 writes, so they
//     may not.
//  4. Apply rd.Snapshot, if there is one, and rd.CommittedEntries, in order. For an entry of type
//     EntryConfChange or EntryConfChangeV2 call ApplyConfChange. This may happen elsewhere, as long
//     as the entries of one Ready are applied before those of the next, and conf changes before
//     Advance. See "Membership".
//  5. Advance(rd).
//
// Lost messages are no harm. Those of type MsgSnap are to be reported on with ReportSnapshot, and
// it helps to say with ReportUnreachable that others got lost.
//
// # The loop, asynchronous
//
// With Config.AsyncStorageWrites there is no Advance, and Ready may be called again at once. The
// messages in Ready say all there is to do, in the order in which it was decided:
//
//   - MsgStorageAppend, to LocalAppendThread: store m.Snapshot; m.Entries; the hard state {m.Term,
//     m.Vote, m.Commit} unless all three are 0. If m.Responses is not empty, wait until they are on
//     disk. Then deliver m.Responses: to other members by the network, to this one by Step.
//   - MsgStorageApply, to LocalApplyThread: apply m.Entries, then deliver m.Responses.
//   - MsgVote: send it when the MsgStorageAppend of the same Ready is on disk, as if it were one of
//     its Responses. Else a crash could make the member forget the campaign and entries that it
//     boasted of, campaign again in the same term, and win by votes that its log is not worth.
//   - others: send them at once.
//
// Messages to one thread are to be worked off in order, none left out. The two threads need not
// wait for each other, except that a snapshot is applied by whoever stores it, and entries after it
// come later.
//
// # Membership
//
// A membership change counts for a member from ApplyConfChange on. Two things are up to the
// application:
//
//   - What was applied must be known to be committed after a crash, or the member might campaign in
//     a membership that is no more. So the result of a change is to be on disk, with the applied
//     index, before it is acted upon (Config.Applied raises the commit index on a restart), or a
//     hard state that commits the change is.
//   - A snapshot from the leader brings its membership at once, when Step takes it. Changes in
//     entries that were handed out before must not be applied on top of it: leave out those whose
//     index is not above both Applied and Snapshot of LogStatus.
//
// # Reads
//
// ReadIndex asks for an index. Once the application has applied up to it, a read of its state is
// linearizable. The answer comes in Ready.ReadStates, or never, if messages or a leader get lost;
// so ask again after some time, with a context that was not used before.
//
// # Errors
//
// What Storage returns is returned, by whichever method needed it, wrapped. What needed it is left
// undone, as if a message had got lost, and the RawNode stays usable: the application decides. A
// message that no correct member would send is refused with a [*RefusedError] and changes nothing
// but, perhaps, the term. One that would commit entries that this log doesn't have, or replace
// committed ones, is refused too: it shows that a log is damaged (RefusedCommit, RefusedConflict).
// A program that gets these should stop the member and call for help. There is a panic only where a
// bug of this package is about to break what is committed.
//
// # What is safe to keep
//
// Entries, and messages copied by value, may be kept for as long as one likes and must not be
// changed. The slice Ready.Messages is used again after the next call of Ready. The contents of
// messages and proposals handed in belong to the RawNode: don't change them.
//
// # Differences from go.etcd.io/raft/v3
//
//   - Storage errors and misuse are returned; there they panic. Ready, Tick, Advance and
//     ApplyConfChange therefore return an error.
//   - Messages that crash that package, or that break its invariants, are refused. So are messages
//     between members that have no term, that come from the receiver itself, or whose entries are
//     out of order.
//   - An append whose preceding entry isn't the one committed at its index is refused; there it is
//     acknowledged, or rejected like any other.
//   - Config.Rand is required, and there is an [Observer] in place of a logger.
//   - MaxSizePerMsg of 0 without a MaxCommittedSizePerReady means one committed entry at a time.
//   - An Applied beyond the stored commit index raises it, if the log has the entries; so does a
//     snapshot.
//   - Status shows AutoLeave, which is lost there.
//   - A leader answers reads without asking anyone if it is the only voter and has committed in its
//     term; there, whenever there is only one voter, though that may be another member, who leads
//     by now, and though the commit index may be old after a restart.
//   - A candidate that the membership no longer contains does not become leader.
//   - Proposals are not copied.
package raft
