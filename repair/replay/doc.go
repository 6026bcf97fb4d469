// Package replay applies the entries of a log to a database that was saved earlier, up to a [Target]: the
// end of the log, an entry, a revision, a moment, or just before a key was deleted.
//
// The database becomes that of another cluster afterwards. So entries change keys, leases, alarms, users,
// roles and what is compacted, as they did in the old cluster; what they say about its members and
// versions changes nothing. Requests that etcd refused then are refused again.
//
// Whether log and database belong together is not seen by applying: see [Check].
package replay
