package database

import (
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Class says what is wrong with a database, spelled as in the JSON contract.
type Class string

// Classes of what is wrong with the container: see package bolt.
const (
	ClassMetaPage    = Class(bolt.ClassMetaPage)
	ClassTruncated   = Class(bolt.ClassTruncated)
	ClassPage        = Class(bolt.ClassPage)
	ClassTwice       = Class(bolt.ClassTwice)
	ClassBothFree    = Class(bolt.ClassBothFree)
	ClassUnreachable = Class(bolt.ClassUnreachable)
	ClassFreelist    = Class(bolt.ClassFreelist)
	ClassLonger      = Class(bolt.ClassLonger)
)

// Classes of what is wrong with the sha256 behind the database.
const (
	ClassNoTrailer    Class = "trailer_missing"
	ClassTrailer      Class = "trailer_wrong"
	ClassTrailerStale Class = "trailer_stale"
)

// Classes of what makes a file something else than etcd's database.
const (
	ClassNotEtcd       Class = "not_etcd"
	ClassNoBuckets     Class = "no_buckets"
	ClassBucketMissing Class = "bucket_missing"
	ClassBucketUnknown Class = "bucket_unknown"
	ClassFuture        Class = "future"
)

// Classes of what is wrong with the history of the keys.
const (
	ClassRecord         Class = "record"
	ClassModRevision    Class = "mod_revision"
	ClassVersion        Class = "version"
	ClassRevisionGap    Class = "revision_gap"
	ClassMissing        Class = "revision_missing"
	ClassTombstone      Class = "tombstone"
	ClassNotCompacted   Class = "not_compacted"
	ClassCompactionMark Class = "compaction_mark"
	ClassUnfinished     Class = "compaction_unfinished"
	ClassAllCompacted   Class = "all_compacted"
	ClassRestoreMark    Class = "restore_mark"
)

// Classes of what is wrong with what lies beside the keys.
const (
	ClassItem          Class = "item"
	ClassNoIndex       Class = "consistent_index_missing"
	ClassLeaseMissing  Class = "lease_missing"
	ClassMembers       Class = "members_conf_state"
	ClassMemberRemoved Class = "member_removed"
	ClassRoleMissing   Class = "role_missing"
	ClassNoRoot        Class = "root_missing"
	ClassAlarm         Class = "alarm"
	ClassUnchecked     Class = "unchecked"
)

// ClassInfo says what a class means.
type ClassInfo struct {
	Class    Class
	Severity verdict.Severity // of its findings
	What     string
}

// classes are all there are, in the order in which a report lists them.
var classes = []ClassInfo{
	{ClassNotEtcd, verdict.Error, "not a database of etcd"},
	{ClassNoBuckets, verdict.Error, "nothing was ever stored in it"},
	{ClassFuture, verdict.Error, "written by a release that raftctl doesn't know"},
	{ClassMetaPage, verdict.Warning, "a meta page is not intact; of the two, one is enough"},
	{ClassTruncated, verdict.Error, "the file ends before the pages that it had"},
	{ClassPage, verdict.Error, "a page is not as bbolt writes it, or doesn't belong where it is referred to"},
	{ClassTwice, verdict.Error, "a page that is referred to, or run over, by more than one"},
	{ClassBothFree, verdict.Error, "a page in use that is in the list of free pages"},
	{ClassUnreachable, verdict.Error, "a page that is neither in use nor free"},
	{ClassFreelist, verdict.Error, "the list of free pages is not as bbolt writes it"},
	{ClassLonger, verdict.Info, "the file has room for pages that were never used"},
	{ClassNoTrailer, verdict.Info, "no sha256 behind the database: restoring it takes --skip-hash-check"},
	{ClassTrailer, verdict.Error, "the sha256 behind the database is not that of its bytes"},
	{ClassTrailerStale, verdict.Warning, "the sha256 is from before a tool opened the file for writing"},
	{ClassBucketMissing, verdict.Error, "a bucket that every etcd makes is not there"},
	{ClassBucketUnknown, verdict.Info, "a bucket that no etcd makes"},
	{ClassRecord, verdict.Error, "a record of the history that can't be decoded"},
	{ClassModRevision, verdict.Error, "a record under another revision than it says"},
	{ClassVersion, verdict.Error, "version or creation of a key don't go on from the change before"},
	{ClassRevisionGap, verdict.Error, "revisions are missing that were never compacted"},
	{ClassMissing, verdict.Error, "a change of a key is missing, without which this one can't be"},
	{ClassTombstone, verdict.Error, "a deletion of a key that wasn't there"},
	{ClassNotCompacted, verdict.Warning, "revisions that a finished compaction should have removed"},
	{ClassCompactionMark, verdict.Error, "the marks of compaction contradict each other"},
	{ClassUnfinished, verdict.Info, "a compaction was not finished; etcd goes on with it when it starts"},
	{ClassAllCompacted, verdict.Warning, "compacted up to a revision above all that are there"},
	{ClassRestoreMark, verdict.Info, "restored with --bump-revision"},
	{ClassItem, verdict.Error, "an item of a bucket that can't be decoded"},
	{ClassNoIndex, verdict.Warning, "how far the log was applied is not recorded"},
	{ClassLeaseMissing, verdict.Warning, "keys are attached to a lease that doesn't exist: they never expire"},
	{ClassMembers, verdict.Warning, "the members and raft's configuration are not the same"},
	{ClassMemberRemoved, verdict.Error, "a member that was removed is listed as a member"},
	{ClassRoleMissing, verdict.Warning, "a user has a role that doesn't exist"},
	{ClassNoRoot, verdict.Error, "auth is enabled, and no user root with role root could manage it"},
	{ClassAlarm, verdict.Warning, "an alarm is raised"},
	{ClassUnchecked, verdict.Warning, "something could not be checked"},
}

// Classes returns all classes, with the severity of their findings and what they mean.
func Classes() []ClassInfo { return append([]ClassInfo(nil), classes...) }

// rank is where a class stands in a report.
var rank = func() map[Class]int {
	m := make(map[Class]int, len(classes))
	for i, c := range classes {
		m[c.Class] = i
	}
	return m
}()
