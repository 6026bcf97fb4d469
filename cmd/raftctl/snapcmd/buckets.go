package snapcmd

import "github.com/raftctl/raftctl/snapshot/database"

// etcdBuckets is how many buckets every database of etcd has.
var etcdBuckets = len(database.BucketNames())
