// Package change gives a result its place: it becomes a new directory, or it takes the place of the log that it
// was made of. What was changed in place is kept, put on record, and can be put back.
//
// [Begin] makes the folders in which a result is written, [Staged.Place] gives it its names. [History] lists
// what was done; [PlanUndo] and [Undo.Run] put back what was there before the last change.
//
// # In place
//
// The names below are those of a data directory. A log elsewhere has its folders beside itself.
//
//	DATA/raftctl-changes.jsonl           the audit file; LOG.raftctl-changes.jsonl beside a log alone
//	DATA/member/wal.changing-0123abcd    the folder in which the new log is made, until it is in place
//	DATA/member/snap.changing-0123abcd   likewise that of new .snap files
//	DATA/member/wal.before-<time>        the log that was replaced
//	DATA/member/wal.undone-<time>        the log that undo took out
//	DATA/member/snap/*.snap.broken       a .snap file that was put aside, called as etcd does
//
// etcd ignores all of them. Of the audit file it says once, when it starts, that it isn't its own. The
// database is never touched.
//
// A change is made in these steps, each durable before the next:
//
//  1. The new files are written beside the old ones. They get the owner and the permissions of what they replace.
//  2. It is put on record, with the size and the sha256 of every file before and after: it has begun.
//  3. New .snap files get their names. etcd reads none that no record in its log names.
//  4. The folders of the old and the new log exchange their names, in one step. Where the system has none, two
//     renames do it.
//  5. The old log gets the name under which it is kept.
//  6. .snap files that are bad get theirs.
//  7. It is put on record that it is done.
//
// Invariant: the folder of the log is the old one or the new one, as a whole, wherever that is interrupted, by an
// error, a kill or a power cut. Only between two renames there may be none, and an etcd that was started just then
// would begin a new log. The record tells that state, as it does every other one: [HalfDone].
//
// After an error the steps that were done are taken back. What was interrupted otherwise is taken back by undo,
// and until then no other change is begun. Undo itself goes on when it is run again: it goes by what it finds, and
// tells the old log from the new one by the sums on record.
//
// The segments of both logs are locked meanwhile, as etcd locks them, so that no etcd starts on them, and no second
// change begins. What reads the log meanwhile takes that for an etcd that runs.
//
// # Undo
//
// The original is compared with the sums on record before anything moves. If the log in place isn't what the
// change has put there, an etcd has run on it: that is a [Loss], which has to be accepted. What is taken out is
// kept. An undo can't be undone; before the next one comes the change before.
//
// # The audit file
//
// A JSON object a line, each synced before what it tells of begins. A last line that was never finished is none. The
// events of a change have its ID.
//
//	begun        id, time, command, version, what, plan, log, log_elsewhere, staged, kept, before, after, added,
//	             quarantined
//	done         id, time
//	taken_back   id, time
//	undo_begun   id, time, command, version, kept
//	undone       id, time
//	made         id, time, command, version, what, plan, source, log, after: of a result in a new directory
//
// staged and kept are names of folders beside the log. before, after and added are lists of files, with name, size and
// sha256, or the error of reading one. quarantined has the names that those got, too.
package change
