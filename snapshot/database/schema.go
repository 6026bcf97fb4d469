package database

import "slices"

// The buckets of etcd. All lie at the top, and none holds another.
const (
	bucketKey     = "key"
	bucketMeta    = "meta"
	bucketLease   = "lease"
	bucketAlarm   = "alarm"
	bucketCluster = "cluster"
	bucketMembers = "members"
	bucketRemoved = "members_removed"
	bucketAuth    = "auth"
	bucketUsers   = "authUsers"
	bucketRoles   = "authRoles"
	bucketTest    = "test" // of etcd's own tests
)

type bucket struct {
	name     string
	required bool
}

// buckets are all that etcd has, and whether every database of it has them.
var buckets = []bucket{
	{bucketAlarm, true},
	{bucketAuth, true},
	{bucketRoles, true},
	{bucketUsers, true},
	{bucketCluster, true},
	{bucketKey, true},
	{bucketLease, true},
	{bucketMembers, true},
	{bucketRemoved, true},
	{bucketMeta, true},
	{bucketTest, false},
}

// The keys of bucket meta.
const (
	metaConsistentIndex = "consistent_index"
	metaTerm            = "term"           // since 3.5
	metaConfState       = "confState"      // since 3.5
	metaStorageVersion  = "storageVersion" // since 3.6
	metaScheduled       = "scheduledCompactRev"
	metaFinished        = "finishedCompactRev"
)

// The keys of the buckets cluster and auth.
const (
	clusterVersion   = "clusterVersion"
	clusterDowngrade = "downgrade"
	authEnabled      = "authEnabled"
	authRevision     = "authRevision"
)

// BucketNames returns the names of the buckets that every database of etcd has, in their order.
func BucketNames() []string {
	var names []string
	for _, b := range buckets {
		if b.required {
			names = append(names, b.name)
		}
	}
	return names
}

// isBucket reports whether etcd has a bucket of that name.
func isBucket(name string) bool {
	return slices.ContainsFunc(buckets, func(b bucket) bool { return b.name == name })
}
