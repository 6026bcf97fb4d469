package crosscheck

import (
	"slices"

	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
)

// checkStore compares the members in the newest .snap file with raft's configuration there, and with those of
// the database: releases up to 3.5 have their members from there, and an upgrade may bring back those
// that were removed.
func (c *checker) checkStore() {
	name := c.newestName()
	var voters, learners []uint64
	for _, m := range c.Store.Members {
		if m.Learner {
			learners = append(learners, m.ID)
		} else {
			voters = append(voters, m.ID)
		}
	}
	raftVoters := sorted(c.Conf.Voters, c.Conf.VotersOutgoing)
	raftLearners := sorted(c.Conf.Learners, c.Conf.LearnersNext)
	if len(c.Store.Members) > 0 && (!slices.Equal(voters, raftVoters) || !slices.Equal(learners, raftLearners)) {
		c.add(ClassStore, name, "", "it lists the members %s and the learners %s; raft's configuration in it has %s and %s",
			orNone(voters), orNone(learners), orNone(raftVoters), orNone(raftLearners))
	}
	if c.Database == nil {
		return
	}
	for _, m := range c.Database.Members.Members {
		if slices.Contains(c.Store.Removed, m.ID) {
			c.add(ClassStore, name, "", "member %x was removed by it, and is one by the database", m.ID)
		}
	}
}

func sorted(lists ...[]uint64) []uint64 {
	ids := slices.Concat(lists...)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func orNone(ids []uint64) string {
	if len(ids) == 0 {
		return "none"
	}
	return idList(ids)
}

// newestName returns the name of the newest intact .snap file.
func (c *checker) newestName() string {
	for i := range c.Files {
		if f := &c.Files[i]; f.Kind == snapshot.KindSnapshot && f.Err == nil {
			return f.Name
		}
	}
	return ""
}

// checkRemoved looks for the member itself among those that were removed.
func (c *checker) checkRemoved() {
	self, m := c.View.Metadata.NodeID, &c.Database.Members
	if self == 0 || !slices.Contains(m.Removed, self) {
		return
	}
	isSelf := func(x database.Member) bool { return x.ID == self }
	if slices.ContainsFunc(m.Members, isSelf) {
		return // which the database's own check tells
	}
	c.add(ClassRemoved, databaseName, "add it again as a new member, with an empty data directory: an ID never comes back",
		"member %x, of which the log is, is in the list of removed members", self)
}
