// Package sim runs clusters of whole members, as package node starts them, in worlds that one seed decides: on disks that
// crash, are slow and fail, over a network that loses, delays, repeats and reorders, in the virtual time of
// testing/synctest. Package raft/internal/sim does so with the core alone.
//
// # What is real
//
// A member's loop, appender, applier, reads, snapshots, membership and duties, its log and .snap files, and its state
// machine with etcd's libraries and bbolt. In place of sockets is a [peer.Transport] of this package; the rules of
// who may ask whom, and the answers of the peers' port, are the member's own. Clients call its methods.
//
// # The disk
//
// What a member writes through vfs.FS is in memory, by package faultfs: a crash takes what was not synced, or leaves a
// beginning of it, up to some sector; folders and names likewise. (Sectors that survive behind lost ones are left out:
// whole records among them are no torn end to package wal, and a member asks for help then.) Each sync takes its time,
// before and after the bytes are safe, so that a crash finds members in the midst of their work. A crash may also wait
// for one of the next operations, of whatever kind, and come in it. A disk that fails goes on failing, and its member
// must stop.
//
// The database is a real file, in memory where the machine has /dev/shm. A crash leaves its last commit: bbolt syncs each,
// and no commit is under way then, for crashes come when every goroutine waits. So that a crash finds much that
// isn't committed, the pause between two commits is up to 20 s here. When all is calm every machine loses its power
// once more.
//
// # The network
//
// Messages are encoded, and decoded where they arrive. They get lost, are late, come twice, and overtake each other
// or keep their order, by the weather of the moment; ways are cut, also one way only. A proposal never comes twice: no
// stream repeats a message, and it would count twice.
//
// # What is checked
//
//   - Linearizability, twice: porcupine judges what the clients saw; and the store's history does, by the revisions
//     that they were told, which must follow each other as the requests did.
//   - Every write that was acknowledged is in the store's history, at its revision.
//   - All members come to the same keys, history and membership, each of them takes a write, and nobody waits for ever:
//     within two minutes after the last fault, of virtual time.
//   - A member stops by itself only if it was removed, or its disk has failed; and then it does. It starts on whatever
//     a crash left.
//   - What members say to each other breaks none of the rules of decode/stream/check, as a vote twice in a term would.
//
// # A seed again
//
// A seed decides the world, and what is done to it and when. Which goroutine goes first at one moment it doesn't decide, so
// that a run of a seed resembles another one closely, and a failure comes again in most runs, not in all. A failed
// test prints what was done, and the command that runs the seed again with all that members log.
package sim
