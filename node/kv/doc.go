// Package kv is the replicated state machine of a member: it applies the entries of a Raft log to a
// database in etcd's schema, and answers as etcd does.
//
// It is etcd's own: the applier with its checks of permissions, alarms and quota, the MVCC store, leases,
// users and roles, and the membership come from etcd 3.7 as libraries. What is here is what lies around
// them in a server: the order in which they are opened, which entry means what, which entries are not to
// be applied again, and how a snapshot is taken and put in place. No server, raft or log of etcd is in it.
//
//	                entries
//	                   |
//	                 Apply          skips what the database has; stops at what no etcd could apply
//	                   |
//	     +-------------+--------------+
//	     | request                    | change of the membership
//	     v                            v
//	etcd's applier               membership     what etcd 3.4 and 3.5 wrote as requests of the v2 store
//	alarms, auth, quota               |         is turned into what later ones write
//	     |                            |
//	     v                            v
//	MVCC store, leases, users -> backend -> member/snap/db
//	                                ^
//	                                |  in the same transaction: index and term of the entry, ConfState
//
// # Which entries are applied
//
// Invariant: the consistent index in the database is that of the last entry whose effect is in it. Both
// go into one transaction, so that a crash leaves neither without the other. An entry at or below it is
// passed over entirely, and one beyond the next is refused, for the log has a gap. An entry without an
// effect moves the index too, though only the next transaction makes that durable.
//
// # What can't be applied
//
// An entry that ends a server of 3.7 in a panic is an [EntryError] here, and changes nothing: one that
// can't be decoded or has no ID, a request or a type of entry that 3.7 doesn't know, attributes of a member
// that there isn't, a version of the cluster that is none or later than 3.7, a downgrade to a version that
// is none (etcd takes that, and doesn't start any more), a change of the membership whose context describes
// no member or another one, and the removal of the last voter. What every etcd refuses, such as a put with
// a lease that there isn't, is applied: its effect is the refusal.
//
// # When the store fails
//
// etcd's libraries end the process when they can't go on: the database can't be written, or a transaction
// fails midway, which no client can bring about. Here the store fails instead, for good. Options.Fatal is
// called once, and each call returns [ErrFailed], also one that waits for a lock that the library will never
// let go of: it is given up within a second or so. Nothing is committed after that, so that what the next
// process opens is what was committed before, up to some entry. The database stays open, and locked, until the
// process ends. Calls into the parts, such as [Store.KV], are not guarded: they may wait for ever.
// A panic on a goroutine of a library's own that isn't a line in its log, as of bbolt on damaged pages,
// ends the process: [Open] refuses what is truncated or isn't etcd's, but doesn't read all pages.
//
// # Where a database differs from one that a server left
//
// The same entries give the same keys, revisions, leases, alarms, users, roles, members and removed
// members, whichever release wrote them, but for the following.
//
//   - storageVersion is not in the log: etcd 3.6 and 3.7 write it beside. See [Store.SetStorageVersion].
//   - confState is written with each change of the membership, as 3.5 to 3.7 do. 3.4 never wrote it.
//   - term is written too, which 3.4 doesn't do; and the consistent index moves with every entry, where
//     that of 3.4 stays behind those that change no key.
//   - A password that the log holds in plain text, as 3.4 wrote it, is hashed when it is applied, with
//     another salt on each member. Both hashes are of the same password.
//   - A learner whose URLs are changed stays one. In the database of 3.4 it is one no more, though it is in
//     Raft.
//   - A lease is granted for MinLeaseTTL at least, which follows from the election timeout of the server
//     that applied it.
//   - The time that a lease has left, which a checkpoint in the log says, is kept when the cluster's version
//     is 3.6 or later, as 3.6 and 3.7 do. 3.5 keeps it only if --experimental-enable-lease-checkpoint-persist
//     is set, which the log doesn't tell.
//   - As many learners are taken as MaxLearners says; that of the server is a flag.
//   - Members that 3.5 forgot to remove from its database, and removes when it finds them, are removed by
//     the entry that says so.
//   - A tombstone at the compacted revision stays, as 3.4.34, 3.5.16 and later keep it; earlier ones
//     remove it.
//   - A database that was killed lacks its last transaction, up to 100 ms of it: the log has more.
//   - With KeepMembers the database has no cluster's version of the log's, and keeps checkpoints of leases
//     only if its own is 3.6 or later.
package kv
