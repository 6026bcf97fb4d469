// Package snapshot reads and writes the snapshot files that etcd 3.4 to 3.7 keeps in member/snap,
// beside the log, and the v2 store in them. [Files] lists what lies there, with verdicts; [Parse]
// and [ParseStore] read a file; [NewStore] and [Write] make one. Reading changes nothing: no file
// is renamed, though etcd does that to damaged ones.
//
// # File names
//
//	<term>-<index>.snap   16 lower-case hex digits each: the last entry that the snapshot includes
//	<index>.snap.db       16 lower-case hex digits: a database that a leader sent, not yet in place
//	db                    the member's database
//	<name>.broken         a .snap file that etcd could not read, and renamed
//	tmp<digits>           a .snap.db that never came to its end; etcd removes it when it starts
//	db.tmp.<digits>       a defragmentation that never came to its end
//
// The newest snapshot is the one of the highest term, then of the highest index; etcd finds it by
// sorting names backwards.
//
// # A .snap file
//
// A .snap file is one protobuf message (proto2):
//
//	field  type    name  meaning
//	1      uint32  crc   CRC-32C (Castagnoli) of data, seed 0
//	2      bytes   data  a raftpb.Snapshot: the v2 store as JSON, and the metadata
//
// so that in the bytes that etcd writes
//
//	+----+-----+----+--------+------------------+
//	| 08 | crc | 12 | length | raftpb.Snapshot  |
//	+----+-----+----+--------+------------------+
//	       varint      varint   to the end of the file
//
// The smallest, of a snapshot of entry 7 of term 2 without a store, voter 1:
//
//	08 8d c0 e8 eb 0c 12 0c  12 0a 0a 04 08 01 28 00
//	10 07 18 02
//
// The checksum covers data only; a change to any other byte shows as a broken structure or a
// checksum that doesn't match. etcd takes a file without data, or with a checksum of 0, for an
// empty snapshot and refuses it, so [Parse] does too. There is no torn state: the file is written
// and synced before the log mentions it, so an incomplete one is simply corrupt.
//
// The index and term in the file's name are not protected by the checksum; [Read] compares them
// with those inside.
//
// # The v2 store
//
// The data of the raftpb.Snapshot is the whole v2 store, in the JSON that Go makes of it:
//
//	{"Root":Node, "WatcherHub":{"EventHistory":{"Queue":{"Events":[…], "Size":n, "Front":n, "Back":n,
//	"Capacity":1000}, "StartIndex":n, "LastIndex":n}}, "CurrentIndex":n, "Stats":{…},
//	"CurrentVersion":2}
//
//	field           meaning
//	Root            the root of the tree, a directory
//	WatcherHub      the last events, for clients that watch: 1000 places, unused ones null, which are
//	                most of a typical file's 7 KB
//	CurrentIndex    of the last change; the store counts its own changes, from 1
//	Stats           how many requests of which kind came, and failed
//	CurrentVersion  of this format, always 2
//
// and a Node is
//
//	field           meaning
//	Path            from the root: /0/version
//	CreatedIndex    CurrentIndex as of when it was made; 0 for directories made with the store
//	ModifiedIndex   CurrentIndex as of when it was last set
//	ExpireTime      RFC 3339; 0001-01-01T00:00:00Z for what stays
//	ACL             etcd 2.0 and 2.1 only, always empty; it is passed over, and not written
//	Value           of a key
//	Children        of a directory: nodes by the last part of their paths, sorted; null makes a key
//
// What lies where:
//
//	/0/members/<id>/raftAttributes  {"peerURLs":[…],"isLearner":true}, the latter for learners only
//	/0/members/<id>/attributes      {"name":"…","clientURLs":[…]}; not there until the member has
//	                                published it
//	/0/removed_members/<id>         empty: the ID can't come back
//	/0/version                      of the cluster: 3.5.0; not there before it is set, in what a
//	                                restore wrote, and in 2.0
//	/1/…                            the keys of v2 clients
//	/2/enabled, /2/users, /2/roles  the authentication of v2 clients
//
// An ID has as many hex digits as it takes: one in sixteen has 15 or fewer.
//
// Who writes what:
//
//	3.4, 3.5        the store that the server has, v2 keys and all, with its history
//	3.6, 3.7        a store made of the members in the database for the occasion, in random order,
//	                without anything of v2 clients
//	restore         of every release up to 3.7: the same, of members without names and client URLs
//	later           nothing: the data is empty, and so the file isn't written either
//
// Releases up to 3.5 take the membership from here, 3.6 reads the store and refuses one with keys
// of v2 clients, 3.7 writes .snap files and never reads them.
//
// # Writing
//
// etcd writes a .snap file under its own name and syncs it before the log mentions it. [Write] is
// stricter: a file beside, synced, renamed, and the folder synced, so that there is never a part of
// a file under the name. Both flavours of [raftpb.Flavor] encode a snapshot alike.
//
// # Limits
//
// A file of 2 GiB or more is not read: no protobuf message is so long. Objects in the store nest up
// to 10,000 deep, which is what etcd's decoder reads, and a store of more than 10,000 nodes takes
// 64 bytes a node or more, which bounds the memory by the size of the file.
package snapshot
