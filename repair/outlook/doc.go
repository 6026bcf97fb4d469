// Package outlook tells what real releases of etcd do with a member's files: not only whether they
// read the log, which package wal knows, but whether they get through applying it. Up to the last
// committed entry, and beyond it where the member is its cluster's only voter, every entry behind
// the snapshot that a release starts from is applied again at start, and some entries end that
// release: a request of the v2 store ends 3.7, a cluster version of 3.6 ends 3.5, the member's own
// removal ends all.
//
// [Examine] reads log and .snap files once each, and gives the report of wal's Verify with two
// changes. Its outlooks go on to where applying ends, with the entry, etcd's own words and what to
// do; and it has findings on what lies beside the log: .snap files that are damaged, belong to
// another member or are newer than the log, or a second log.
//
// What a release does about which trigger is one row in a table of rules, as what it does in
// reading is one in wal's table of releases.
//
// The database is not opened. What depends on it alone is not judged, and the outlook says so;
// where a rule depends on how far the database has got, it is taken to be up to date with the last
// commit.
package outlook
