// Package database reads the state that etcd 3.x keeps in a bbolt database: a member's member/snap/db,
// and the files that snapshot save writes, which end with a sha256 of all before it. It only reads; the
// container is that of package bolt.
//
// # Layout
//
// All buckets lie at the top, and none holds another. Integers are big endian where they are no
// protobuf.
//
//	bucket           key                            value
//	key              revision, 17 bytes: main,      mvccpb.KeyValue: 1 key, 2 create_revision,
//	                 8 bytes; '_'; sub, 8 bytes     3 mod_revision, 4 version, 5 value, 6 lease
//	                 the same and 't', 18 bytes     a deletion: the same message with the key alone
//	meta             consistent_index               index of the last entry that was applied, 8 bytes
//	                 term                           its term, 8 bytes; since 3.5
//	                 confState                      JSON: voters, learners; since 3.5
//	                 storageVersion                 3.6.0; since 3.6
//	                 scheduledCompactRev            a revision: compaction was asked for up to it
//	                 finishedCompactRev             a revision: and done
//	lease            ID, 8 bytes                    leasepb.Lease: 1 ID, 2 TTL, 3 RemainingTTL
//	alarm            AlarmMember: 1 member, 2 kind  empty
//	members          ID in hex                      JSON: id, peerURLs, name, clientURLs, isLearner
//	members_removed  ID in hex                      removed
//	cluster          clusterVersion                 3.6.0
//	                 downgrade                      JSON: target-version, enabled
//	auth             authEnabled                    1 byte: 0 or 1
//	                 authRevision                   8 bytes
//	authUsers        name                           authpb.User: 1 name, 2 password, 3 roles, 4 options
//	authRoles        name                           authpb.Role: 1 name, 2 permissions
//
// The first change of a key at main revision 2, sub revision 0, is that with the key
//
//	00 00 00 00 00 00 00 02 5f 00 00 00 00 00 00 00 00
//
// # History
//
// Bucket key has every change of every key, in the order of the revisions. A transaction makes one main
// revision, and each change in it a sub revision; the first main revision is 2. A compaction up to C
// removes, of each key, all changes up to C but the last, and that too if it is a deletion (3.4.34 and
// 3.5.16 on leave a deletion at C itself). So behind C nothing is ever missing, which is how [DB.Verify]
// can tell. What there is at a revision takes following all keys: see [DB.Keys].
//
// # Hashes
//
// etcd's tools tell databases apart by three hashes, all of them CRC-32C: over name and records of bucket
// key ([HashKV]); over the names and items of all buckets; and the same without what differs from member
// to member (see [Hashes]).
package database
