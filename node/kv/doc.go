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
// # Where a database differs from one that a server left
//
// The same entries give the same keys, revisions, leases, alarms, users, roles, members and removed
// members, whichever release wrote them, but for the following. None of it is visible to a client.
//
//   - storageVersion is not in the log: etcd 3.6 and 3.7 write it beside. See [Store.SetStorageVersion].
//   - confState is written with each change of the membership, as 3.5 to 3.7 do. 3.4 never wrote it.
//   - term is written too, which 3.4 doesn't do; and the consistent index moves with entries that change
//     nothing in the database, with which 3.4 leaves it behind.
//   - A password that the log holds in plain text, as 3.4 wrote it, is hashed when it is applied, with
//     another salt on each member. Both hashes are of the same password.
//   - A lease is granted for MinLeaseTTL at least, which follows from the election timeout of the server
//     that applied it.
//   - Remaining times of leases are those of the checkpoints in the log. 3.5 keeps them only where it was
//     told to, by --experimental-enable-lease-checkpoint-persist.
//   - Members that 3.5 forgot to remove from its database, and removes when it finds them, are removed by
//     the entry that says so.
//   - A tombstone at the compacted revision stays, as 3.4.34, 3.5.16 and later keep it; earlier ones
//     remove it.
//   - A database that was killed lacks its last transaction, up to 100 ms of it: the log has more.
package kv
