package restore

import (
	"slices"

	"github.com/raftctl/raftctl/snapshot/database"
)

// The buckets and keys of etcd's schema that a restore changes or asks for.
const (
	bucketKey     = "key"
	bucketMeta    = "meta"
	bucketAlarm   = "alarm"
	bucketCluster = "cluster"
	bucketMembers = "members"
	bucketRemoved = "members_removed"
	bucketTest    = "test"

	metaConsistentIndex = "consistent_index"
	metaTerm            = "term"
	metaConfState       = "confState"
	metaStorageVersion  = "storageVersion"
	metaScheduled       = "scheduledCompactRev"
	metaFinished        = "finishedCompactRev"

	clusterVersion = "clusterVersion"
)

func isEtcds(bucket string) bool {
	return bucket == bucketTest || slices.Contains(database.BucketNames(), bucket)
}
