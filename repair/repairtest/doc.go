// Package repairtest holds the laboratory in which repairs are proven: healthy members of which every byte
// is known, damages that say what they took, and the judgement of what the repair made of it. What is true
// comes from here alone: neither from package wal nor from the repair. It has nothing but tests, which
// take minutes.
//
// A case is a seed, which makes a cluster, and a number, which chooses the damage:
//
//	RAFTCTL_SEED=17 RAFTCTL_SEEDS=1 go test ./repair/repairtest -run 'TestLaboratory/17/5$' -v
package repairtest
