package firetest

// fault is something that goes wrong, and is right again when it returns: but for what recover waits for.
type fault struct {
	name string
	run  func(s *story)
}

// faults are all of them.
var faults = []fault{
	{"kill one", killOne},
	{"kill the leader", killLeader},
	{"kill a majority", killMajority},
	{"kill all", killAll},
	{"pause one", pauseOne},
	{"pause the leader", pauseLeader},
	{"cut one off", cutOff},
	{"cut the leader off", cutLeaderOff},
	{"mute", mute},
	{"deaf", deaf},
	{"flapping", flap},
	{"halves", halves},
	{"full disk", fullDisk},
	{"failing disk", failingDisk},
	{"hanging disk", hangingDisk},
	{"slow disk", slowDisk},
	{"clock", jumpClock},
	{"lag", lag},
	{"replace", replaceOne},
	{"bit in the log", flipLog},
	{"bit in a snapshot", flipSnap},
	{"bit in the database", flipDatabase},
}
