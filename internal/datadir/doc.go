// Package datadir finds where the files of a member lie: its log, its snapshot files, its database,
// and what an etcd that died leaves beside them. All commands and package wal look through it, so
// that a path means the same everywhere.
//
// The layout is etcd's, and ours is the same:
//
//	DATA/member/wal                the log; elsewhere if etcd was started with --wal-dir
//	DATA/member/wal.tmp            a log in the making: etcd died while it created it
//	DATA/member/wal.broken.*       a log whose creation failed
//	DATA/member/snap               the snapshot files, *.snap
//	DATA/member/snap/db            the database
//
// A path may name the data directory, its member directory, a directory of segments, one segment, a
// directory that holds exactly one data directory, or an archive of any of these; and it may lead on
// into an archive.
//
// For each of a member's files there is a [Place], which says where it lies or would lie, and whether
// it is there, missing, not readable, or nothing tells where it would be. Nothing is ever written.
package datadir
