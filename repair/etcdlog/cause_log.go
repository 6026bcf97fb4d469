package etcdlog

// damageClasses are the classes of bytes of the log that are not what was written.
var damageClasses = []string{
	"payload", "crc_field", "crc_mismatch", "record_prefix", "zeroed_sector", "corrupt", "malformed", "padding", "crc_chain",
	"segment_head", "metadata_mismatch", "foreign_records", "missing_segment", "trailing_garbage", "record_type", "truncated_segment",
}

// logCauses are about the log.
var logCauses = []Cause{
	{
		Name: "crc_mismatch", Fatal: true,
		Words:   []string{"walpb: crc mismatch", "wal: crc mismatch"},
		Means:   "a record of the log doesn't have the checksum that was stored with it: its bytes have changed since, or what is before it has",
		Classes: damageClasses,
		Advice:  "don't delete anything: 'raftctl wal repair' says whether a bit can be put right, another member has the entry, or the database has applied it",
	},
	{
		Name: "record_undecodable", Fatal: true,
		Words: []string{"discovery failed: proto: ", "bootstrap failed: proto: ", "etcdmain: proto: ", "read wal error (proto: ",
			"cannot be repaired: proto: ", "discovery failed: unexpected EOF", "bootstrap failed: unexpected EOF", "etcdmain: unexpected EOF"},
		Means:   "bytes of the log are no record any more: they were overwritten, or a segment other than the last ends in the middle of one",
		Classes: damageClasses,
		Advice:  "don't delete anything: 'raftctl wal repair' says what can be mended, from other members too, and what it costs",
	},
	{
		Name: "entry_gap", Fatal: true,
		Words:   []string{"wal: slice bounds out of range", "runtime error: slice bounds out of range"},
		Means:   "entries of the log are missing between others",
		Classes: []string{"index_gap", "missing_segment", "ghost_entries", "payload", "corrupt"},
		Advice:  "'raftctl wal repair' takes them from another member, or begins the log anew behind them where the database has applied them",
	},
	{
		Name: "metadata_conflict", Fatal: true,
		Words:   []string{"wal: conflicting metadata found"},
		Means:   "segments of another member, or of another cluster, lie in the log",
		Classes: []string{"metadata_mismatch", "foreign_records"},
		Advice:  "'raftctl wal repair' leaves out the foreign segment; put back the member's own",
	},
	{
		Name: "snapshot_conflict", Fatal: true,
		Words:   []string{"wal: snapshot mismatch"},
		Means:   "the log records another term for the snapshot that the member starts from",
		Classes: []string{"snapshot_conflict", "snapshot_foreign", "foreign_records"},
		Advice:  "'raftctl doctor' says which of the files doesn't belong to the member",
	},
	{
		Name: "record_type", Fatal: true,
		Words:   []string{"unexpected block type"},
		Means:   "a record of the log has a type that etcd doesn't have",
		Classes: []string{"record_type", "unknown_type"},
		Advice:  "'raftctl wal repair' says whether the type alone is damaged",
	},
	{
		Name: "record_length", Fatal: true,
		Words:   []string{"max entry size limit exceeded"},
		Means:   "a record of the log is longer than this release reads, or than its file: the length is damaged, or the end was cut off",
		Classes: []string{"torn_end", "length_field", "frame_length", "truncated_segment", "corrupt", "etcd_start"},
		Advice:  "where it is an unfinished write at the end, 3.5.7 and later cut it off; else 'raftctl wal repair'",
	},
	{
		Name: "segments", Fatal: true,
		Words:   []string{"wal: file not found", "selectWALFiles failed", "wal: file sequence numbers"},
		Means:   "segments of the log are missing: none reaches back to the snapshot that the member starts from, or one between is not there",
		Classes: []string{"missing_segment", "name_index", "odd_name", "etcd_start", "snapshot_missing", "snapshot_corrupt"},
		Advice:  "look for the missing .wal files; without them, 'raftctl wal repair' begins the log anew where the database has applied what is missing",
	},
	{
		Name: "commit_beyond", Fatal: true,
		Words:   []string{"state.commit … is out of range ["},
		Means:   "the log says that an entry was committed which it doesn't have: its end is lost",
		Classes: []string{"commit_beyond", "lost_end", "torn_end", "snapshot_newer", "database_ahead", "start_loses", "etcd_start"},
		Advice:  "put back the whole log from a newer copy, or take the end from another member: 'raftctl wal repair --from DIR'",
	},
	{
		Name: "forgotten", Fatal: true,
		Words: []string{"tocommit(…) is out of range [lastIndex("},
		Means: "the leader knows that this member acknowledged entries which its log doesn't have: the log was deleted, begun anew or put back from an older copy",
		Classes: []string{"log_restarted", "lost_end", "database_ahead", "snapshot_newer", "start_loses", "forgotten",
			"applied_beyond_commit"},
		Advice: "put the old log back; without it, remove the member from its cluster and add it again, with an empty data directory",
	},
	{
		Name: "committed_conflict", Fatal: true,
		Words:   []string{"conflict with committed entry"},
		Means:   "the leader sends other entries than the member has committed: their logs are not of one history",
		Classes: []string{"conflict", "committed_overwritten", "same_term_overwrite", "cluster_id"},
		Advice:  "'raftctl doctor' on all members says where their histories part; don't let them run together",
	},
	{
		Name:    "end_cut", // which the server doesn't warn with
		Words:   []string{"repaired WAL", "wal: repaired"},
		Means:   "etcd has cut off the end of the log, as after an unfinished write; what it cut off is in a file that ends in .broken",
		Classes: []string{"torn_end", "short_tail", "ignored_file", "commit_beyond"},
		Advice:  "if the member had acknowledged what was cut off, it has to be replaced: compare it with the others, with 'raftctl doctor' on all of them",
		info:    true,
	},
}

// lastCauses are about what says less than the causes before them.
var lastCauses = []Cause{
	{
		Name: "log_unreadable", Fatal: true,
		Words: []string{"read wal error (…cannot be repaired", "WAL error (…cannot be repaired", "failed to read WAL, cannot be repaired",
			"failed to repair WAL", "open wal error", "wal: unexpected EOF"},
		Means:   "the log can't be read to its end, and etcd's own repair, which only cuts off an unfinished last write, doesn't apply",
		Classes: append([]string{"torn_end", "length_field", "frame_length", "truncated_segment", "zeroed_length"}, damageClasses...),
		Advice:  "'raftctl wal repair' says what can be mended, and what it costs",
	},
}
