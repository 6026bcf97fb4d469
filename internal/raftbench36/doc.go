// Package raftbench36 measures package raft beside the reference in its version 3.6, which was over
// twice as fast as 3.7: tests only. A module of its own, because a program can hold one version of
// a module.
package raftbench36
