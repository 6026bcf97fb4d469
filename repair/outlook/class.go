package outlook

import "github.com/raftctl/raftctl/wal"

// Classes of what lies beside the log. Only Examine gives them.
const (
	ClassEtcdStop        wal.Class = "etcd_stop"
	ClassSnapshotCorrupt wal.Class = "snapshot_corrupt"
	ClassSnapshotForeign wal.Class = "snapshot_foreign"
	ClassSnapshotNewer   wal.Class = "snapshot_newer"
	ClassSecondLog       wal.Class = "second_log"
)

// Classes returns the classes that this package gives beside those of package wal.
func Classes() []wal.ClassInfo {
	return []wal.ClassInfo{
		{Class: ClassEtcdStop, Severity: wal.SeverityError,
			Doc: "the release that the cluster runs ends on these files; a warning if it removed the member"},
		{Class: ClassSnapshotCorrupt, Severity: wal.SeverityWarning,
			Doc: "a .snap file is damaged; an error for the newest"},
		{Class: ClassSnapshotForeign, Severity: wal.SeverityError,
			Doc: "a .snap file of another member or another cluster"},
		{Class: ClassSnapshotNewer, Severity: wal.SeverityError,
			Doc: "a .snap file beyond the log's last entry: the log lost its end"},
		{Class: ClassSecondLog, Severity: wal.SeverityError,
			Doc: "another log in the data directory, beside the one in --wal-dir"},
	}
}
