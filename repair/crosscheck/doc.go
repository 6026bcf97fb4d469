// Package crosscheck sets what a member's log, its .snap files and its database say of the member
// against each other. Each may be intact, and etcd may still not start on them together: a database that
// was put in its place from an older backup, or from another member, is such a case.
//
// The invariants, which etcd relies on:
//
//   - The snapshot that a release starts from includes no entry that the database has not applied,
//     unless the database that a leader sent with the snapshot lies beside it.
//   - The database has applied no entry that the log doesn't reach. It may have applied entries beyond
//     the commit index in the log: a hard state that only commits is not synced. It may also lag behind
//     that index: etcd commits its database every 100 ms, and applies the rest again when it starts.
//   - The term of the last applied entry is that which the log has for it.
//   - The members in the database are those that the log makes up to the last applied entry.
package crosscheck
