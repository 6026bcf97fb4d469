// Package repair makes a member that won't start into one that does, and never makes things worse.
//
// It goes in steps, each of which can be looked at before the next:
//
//   - Open reads a member's files: log, snapshot files, database. Nothing is ever written to them.
//   - Diagnose says what is wrong with one or more members, as a list of findings.
//   - NewPlan chooses remedies for what keeps the log from being read and started from. A plan is data:
//     what changes, at which place, and what it costs. It can be printed, stored, and executed later, if the
//     source is still what it was.
//   - Plan.Apply makes a new log out of the source, beside it, verifies it, compares it entry by entry with what
//     was intact, and only then gives it its place.
//
// # What a remedy may do
//
// Bytes are corrected only if exactly one correction proves. Entries that are gone are taken from other
// members, if these have them intact; or are left out where the database, or a snapshot, has applied them.
// An entry that is known to be committed is never dropped unless that is accepted, and what is dropped
// is named.
package repair
