// Package restore makes data directories of a new cluster from a database: a file of snapshot save, or
// a member's own. What it makes is what `etcdutl snapshot restore` of the release makes: the same IDs,
// the same log, and the same items in every bucket. See [Plan] for what differs.
//
// A restore runs in steps. [NewPlan] checks all that can be checked without writing. [Plan.Run] copies
// the base into a folder beside the result, replays a log onto it if there is one, edits it, writes the
// log and the .snap file of each member, checks what it wrote, and then gives the result its name with
// one rename. A folder that is no result yet has ".restoring-" in its name; it is removed however the run
// ends, short of kill -9 or a power cut.
//
// # The log
//
// One segment: metadata of the member and the new cluster, an entry for each member that adds it, in
// ascending order of their IDs, all of term 1, a hard state that commits them, with the vote of the
// smallest ID, and a snapshot record at the last entry. The .snap file of that entry lies beside the
// database, whose consistent index is that entry. Releases encode it in one of two flavours.
//
// # Speed
//
// The base is read once, and summed up while it is written. bbolt edits the copy in one transaction
// without reading the rest of it: it is given an empty list of free pages, see [bolt.Meta.EmptyFreelist].
package restore
