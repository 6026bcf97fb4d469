// Package rehearse boots a member from a copy of its files, in process and without a network: whether its
// log, its .snap file and its database let it start together, what a client would read from it, and
// whether writes go on. The files themselves are only read.
//
// What it does is what an etcd does that starts: the newest snapshot in the log is the base, the database
// must reach it, the entries behind it are applied unless the database has them, and the members in the
// database are those that log and snapshot make. Then it reads every key, and, as a member that was just
// elected alone, writes one and deletes it again.
package rehearse
