package etcdlog

// stateCauses are about the database and the snapshot files.
var stateCauses = []Cause{
	{
		Name: "snapshot_db_missing", Fatal: true,
		Words: []string{"failed to find database snapshot file", "failed to recover v3 backend from snapshot", "recovering backend from snapshot error",
			"failed to find [SNAPSHOT-INDEX].snap.db"},
		Means:   "the database is older than the snapshot that the member starts from, or is not there, and the one that the leader sent with the snapshot isn't either",
		Classes: []string{"database_behind", "database_missing", "meta_page", "not_etcd"},
		Advice:  "put back the database that goes with the log; or remove the member and add it again with an empty data directory",
	},
	{
		Name: "snapshot_db_mismatch", Fatal: true,
		Words:   []string{"database file (…) does not match with snapshot ("},
		Means:   "the database that was sent with a snapshot has not applied what the snapshot includes",
		Classes: []string{"database_behind", "database_received"},
		Advice:  "put back the database that goes with the log; or remove the member and add it again with an empty data directory",
	},
	{
		Name:    "snap_corrupt",
		Words:   []string{"corrupted snapshot file", "snap file is corrupt", "failed to read a snap file", "snap: crc mismatch", "snap: empty snapshot"},
		Means:   "a .snap file is damaged; etcd puts it aside, and takes the one before",
		Classes: []string{"snapshot_corrupt", "leftover"},
		Advice:  "nothing, where it starts with an older one; the log has to reach back to that: 'raftctl doctor' tells",
	},
	{
		Name: "db_invalid", Fatal: true,
		Words: []string{"cannot open database at", "failed to open database", "both meta pages are invalid", "failed to get page size from db file",
			"failed to map db file", "file size too small"},
		Means:   "member/snap/db is no database that bbolt opens: its first pages are damaged, or the file was cut off",
		Classes: []string{"meta_page", "not_etcd", "truncated", "no_buckets", "page"},
		Advice: "replace the member from its cluster, or restore a snapshot; 'raftctl snapshot dump --scan' prints what can still be " +
			"read of it",
	},
	{
		Name: "db_page", Fatal: true,
		Words: []string{"assertion failed: Page expected to be", "freepages: ", "already freed", "invalid page type", "invalid freelist page",
			"pgid (…) above high water mark", "unexpected fault address", "[signal SIGBUS", "page …: multiple references", "unexpected page type"},
		Means:   "a page of the database isn't what refers to it says, or lies beyond the end of the file: the disk, a copy that was cut off, or a bug of bbolt damaged it",
		Classes: []string{"page", "page_twice", "page_both_free", "page_unreachable", "freelist", "truncated", "meta_page"},
		Advice: "replace the member from its cluster, or restore a snapshot; 'raftctl snapshot dump --scan' prints what can still be " +
			"read of it; test the disk",
	},
	{
		Name: "no_space_alarm",
		Words: []string{"alarm NOSPACE raised", "alarm raised…alarm=NOSPACE", "serving /health false due to an alarm…NOSPACE", "mvcc: database space exceeded",
			"applying raft message exceeded backend quota"},
		Means:   "the database has reached its quota: etcd takes no more writes until the alarm is taken back, even if there is room again",
		Classes: []string{"alarm"},
		Advice: "find what fills it with 'raftctl snapshot status DIR --top 20'; then etcdctl compact, etcdctl defrag, or a larger " +
			"--quota-backend-bytes, and: etcdctl alarm disarm",
	},
	{
		Name: "corrupt_alarm", Fatal: true,
		Words: []string{"alarm CORRUPT raised", "alarm raised…alarm=CORRUPT", "serving /health false due to an alarm…CORRUPT", "found data inconsistency with peers", "checkInitialHashKV failed",
			"found hash mismatch", "etcdserver: corrupt cluster", "found different hash values from remote peer"},
		Means:   "the members don't have the same data at the same revision",
		Classes: []string{"alarm", "conflict", "revision_gap", "revision_missing", "version", "mod_revision", "database_term", "page"},
		Advice: "find out which member differs: 'raftctl snapshot diff' on the databases of two; replace that one with an empty data " +
			"directory, then: etcdctl alarm disarm",
	},
	{
		Name: "no_trailer", Fatal: true,
		Words:   []string{"snapshot missing hash but --skip-hash-check=false"},
		Means:   "the file was not written by snapshot save, or was cut off: a copy of member/snap/db has no hash behind it",
		Classes: []string{"trailer_missing", "truncated"},
		Advice:  "'raftctl snapshot verify' says whether it is whole; 'raftctl snapshot restore --skip-hash-check' restores it then",
	},
	{
		Name: "trailer_wrong", Fatal: true,
		Words:   []string{"expected sha256 […], got ["},
		Means:   "the snapshot is not the one that was saved: its bytes have changed, or a tool has opened it for writing since",
		Classes: []string{"trailer_wrong", "trailer_stale", "truncated"},
		Advice:  "'raftctl snapshot verify' tells the two apart",
	},
}
