// Package database reads the state that etcd 3.x keeps in a bbolt database: a member's
// member/snap/db, and the files that snapshot save writes. It only reads.
package database
