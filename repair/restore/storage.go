package restore

// StorageChange is what becomes of the versions in the database.
type StorageChange struct {
	Version string // the storage version before; empty before 3.6
	To      string // and after; empty: it has none

	// Cluster is the version that the old cluster agreed on, and ClusterTo what stays of it: nothing if it
	// is of a release after the one that the directory is for, which would refuse to start. The new
	// cluster then agrees on its own.
	Cluster, ClusterTo string
}

// storageChange decides it. A version at or below that of the form stays, as with etcdutl: a server
// raises it when it starts. A later one is lowered, as `etcdutl migrate` does.
func storageChange(b *Base, as Release) (StorageChange, error) {
	c := StorageChange{Version: b.Meta.StorageVersion, To: b.Meta.StorageVersion}
	if c.Cluster = b.Meta.ClusterVersion; c.Cluster != "" {
		cluster, err := releaseOf(c.Cluster)
		if err != nil {
			return c, damagef("%s: cluster version: %w", b.db.Name(), err)
		}
		if cluster <= as {
			c.ClusterTo = c.Cluster
		}
	}
	if c.Version == "" || b.Release <= as {
		return c, nil
	}
	if c.To = as.String() + ".0"; as == Release35 {
		c.To = ""
	}
	return c, checkKnown(b, as)
}

// known are the items of bucket meta, and the release from which on etcd has them.
var known = map[string]Release{
	metaConsistentIndex: 0, metaScheduled: 0, metaFinished: 0,
	metaTerm: Release35, metaConfState: Release35, metaStorageVersion: Release36,
}

// checkKnown refuses a database with something in it that an earlier release doesn't know. Between 3.5
// and 3.7 only the storage version was added.
func checkKnown(b *Base, as Release) error {
	bucket, err := b.db.Bolt().Bucket(bucketMeta)
	if err != nil || bucket == nil {
		return damage(err)
	}
	for item, err := range bucket.All(nil) {
		if err != nil {
			return damage(err)
		}
		since, is := known[string(item.Key)]
		if !is || since > as && string(item.Key) != metaStorageVersion {
			return refusef("%s: item %.80q of bucket meta is nothing that etcd %v knows", b.db.Name(), item.Key, as)
		}
	}
	return b.checkBuckets(as)
}

// checkBuckets refuses buckets that etcd doesn't have.
func (b *Base) checkBuckets(as Release) error {
	for bucket, err := range b.db.Bolt().Buckets() {
		if err != nil {
			return damage(err)
		}
		if !isEtcds(bucket.Name) {
			return refusef("%s: bucket %.80q is nothing that etcd %v knows", b.db.Name(), bucket.Name, as)
		}
	}
	return nil
}
