package crosscheck

import (
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// maxFounders is how many members a cluster may have been begun with: each is an entry of term 1.
const maxFounders = 64

// Fresh reports whether a log is as etcd begins it: without an entry, or with the members that its cluster was
// begun with, and nothing of a term in which there was a leader.
func Fresh(v *wal.View) bool {
	const founding = 1 // the term of the entries that a cluster begins with
	return v.Base.Index == 0 && v.First.Index <= 1 && v.LastIndex() <= maxFounders && v.Last.Term <= founding &&
		v.NewestSnapshot() == nil
}

// adviceRestarted is what to do about a log that was begun anew.
const adviceRestarted = "don't start etcd: it ends with \"tocommit is out of range\", or takes part in votes that it " +
	"cast before; put the old log back, or remove the member from its cluster and add it again with an empty data " +
	"directory. If there are no others, restore a new cluster from this database"

// restarted adds that the log was begun anew, although the member has come to an entry before, which text
// says with its index.
func (c *checker) restarted(index uint64, text string) {
	c.add(ClassRestarted, "", adviceRestarted, "the log has no entry behind %d and was never led, but "+text,
		c.View.LastIndex(), index)
}

// checkForgotten looks for snapshots that a log which reaches back to its beginning has no record of. The
// newest one may lack it: the file is written first.
func (c *checker) checkForgotten() {
	if c.View == nil || c.View.Base.Index > 0 || c.View.First.Index > 1 || c.has(ClassRestarted) {
		return
	}
	unknown, newest := 0, uint64(0)
	for i := range c.Files {
		f := &c.Files[i]
		if f.Kind != snapshot.KindSnapshot || f.Err != nil {
			continue
		}
		if c.recorded(f) {
			return
		}
		unknown, newest = unknown+1, max(newest, f.ID.Index)
	}
	switch {
	case unknown > 0 && newest > c.View.LastIndex() && Fresh(c.View):
		c.restarted(newest, "the member has taken a snapshot of entry %d")
	case unknown > 1:
		c.add(ClassRestarted, "", adviceRestarted, "the log begins at entry 1 and has no record of any of the %d "+
			"snapshots that the member has taken, the newest of entry %d", unknown, newest)
	}
}

// recorded reports whether the log has a record of a snapshot.
func (c *checker) recorded(f *snapshot.File) bool {
	for i := range c.View.Snapshots {
		if c.View.Snapshots[i].EntryID == f.ID {
			return true
		}
	}
	return false
}
