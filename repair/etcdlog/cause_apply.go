package etcdlog

// applyCauses are about what the server meets when it applies the log, or what release it is.
var applyCauses = []Cause{
	{
		Name: "removed", Fatal: true,
		Words: []string{"the member has been permanently removed from the cluster", "data-dir used by this member must be removed",
			"this member has been permanently removed from the cluster"},
		Means:   "the member was removed from its cluster",
		Classes: []string{"etcd_stop", "self_removed"},
		Advice:  "add it again as a new member, with etcdctl member add and an empty data directory: its ID never comes back",
	},
	{
		Name: "downgrade", Fatal: true,
		Words:   []string{"cluster cannot be downgraded", "invalid downgrade; server version is", `version "…" is not supported`},
		Means:   "this release is older than the cluster, or than the release that wrote the database",
		Classes: []string{"etcd_stop", "future"},
		Advice:  "start the release of the cluster's version, or a later one; to go back, use etcdctl downgrade first",
	},
	{
		Name: "v2_requests", Fatal: true,
		Words:   []string{"detected disallowed v2 WAL for stage"},
		Means:   "the log has requests of the v2 store, which 3.6 doesn't apply any more",
		Classes: []string{"etcd_stop", "upgrade_trap"},
		Advice:  "go back to 3.5 and have it take a snapshot behind them: --snapshot-count 1 and a few writes, without keys of v2 clients left",
	},
	{
		Name: "v2_content", Fatal: true,
		Words:   []string{"detected disallowed custom content in v2store"},
		Means:   "the snapshot has keys of v2 clients, which 3.6 doesn't take",
		Classes: []string{"etcd_stop", "upgrade_trap"},
		Advice:  "go back to 3.5, delete the v2 keys and have it take a snapshot; or start 3.6 with --v2-deprecation=write-only-skip-check",
	},
	{
		Name: "undecodable", Fatal: true,
		Words: []string{"unmarshal should never fail", "unmarshal confChangeContext should never fail", "failed to unmarshal confChangeContext", "could not find a header",
			"not implemented apply", "entry type should be either", "unknown entry type; must be", "nodeID should always be equal to member ID",
			"got different member ID", "failed NewURLs"},
		Means:   "a committed entry is none that this release applies: 3.7 meets a request of the v2 store that 3.5 and before wrote, or the entry is damaged",
		Classes: []string{"etcd_stop", "upgrade_trap", "malformed", "entry_type"},
		Advice:  "on 3.7 after an upgrade: start 3.6 with --snapshot-count 1 and write a few keys first; else replace the member, since no restart gets past it",
	},
	{
		Name: "member_unknown", Fatal: true,
		Words:   []string{"failed to update; member unknown", "error updating attributes of unknown member"},
		Means:   "the database doesn't know a member that the log is about, as after a restore by etcd 3.4",
		Classes: []string{"database_members", "database_foreign", "etcd_stop", "snapshot_members"},
		Advice:  "restore the snapshot anew with 'raftctl snapshot restore', which sets the members",
	},
	{
		Name: "no_voters", Fatal: true,
		Words:   []string{"removed all voters"},
		Means:   "the log removes the last voter of the cluster",
		Classes: []string{"etcd_stop"},
		Advice:  "restore a new cluster from the database: 'raftctl snapshot restore --from-member DIR'",
	},
	{
		Name: "nil_pointer", Fatal: true,
		Words:   []string{"invalid memory address or nil pointer dereference"},
		Means:   "the server met something that it doesn't expect: in 3.4 and 3.5 a committed request without a header, or a database that it couldn't open",
		Classes: []string{"etcd_stop", "database_behind", "database_missing", "page", "malformed"},
		Advice:  "see what 'raftctl doctor' finds in the files",
	},
	{
		Name:    "members_differ",
		Words:   []string{"Detected member only in v3store but missing in v2store", "Detected member only in v2store"},
		Means:   "the .snap file and the database don't have the same members, as clusters have it that were upgraded from 3.4",
		Classes: []string{"snapshot_members", "database_members", "members_conf_state", "member_removed"},
		Advice:  "compare with etcdctl member list; remove a member that should be gone once more: etcdctl member remove ID",
	},
}
