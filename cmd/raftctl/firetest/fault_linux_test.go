package firetest

// fault is something that goes wrong, and is right again when it returns: but for what recover waits for.
type fault struct {
	name   string
	run    func(s *story)
	sample bool // it is part of the story that `make test` tells
}

// faults are all of them.
var faults = []fault{
	{"kill one", killOne, false},
	{"kill the leader", killLeader, false},
	{"kill a majority", killMajority, true},
	{"kill all", killAll, false},
	{"pause one", pauseOne, false},
	{"pause the leader", pauseLeader, true},
	{"cut one off", cutOff, false},
	{"cut the leader off", cutLeaderOff, true},
	{"mute", mute, false},
	{"deaf", deaf, true},
	{"flapping", flap, false},
	{"halves", halves, false},
	{"full disk", fullDisk, false},
	{"failing disk", failingDisk, true},
	{"hanging disk", hangingDisk, true},
	{"slow disk", slowDisk, false},
	{"clock", jumpClock, true},
	{"lag", lag, true},
	{"replace", replaceOne, false},
	{"bit in the log", flipLog, true},
	{"bit in a snapshot", flipSnap, false},
	{"bit in the database", flipDatabase, false},
}
