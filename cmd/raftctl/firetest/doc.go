// Package firetest holds the proof of `raftctl node run` under faults of our own making: clients of every API of a cluster of processes
// record what they asked and were told, while members are killed, paused, cut off from each other, moved and replaced, and
// while their disks fill, fail and hang and their clocks jump. Judges decide afterwards whether a correct etcd could have said that.
// It has nothing but tests.
//
// A file is a kind of client (client_…), a judge (judge_…; judge_planted has what each must find), a fault (fault_…), or a part of the
// world that the members live in: cluster, network, disk, clock. A story is the order of all that.
//
// The test binary runs itself in namespaces of its own, of mounts, network and processes: nothing is left behind, however
// it ends. That takes root, on Linux.
package firetest
