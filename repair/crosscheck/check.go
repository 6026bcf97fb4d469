package crosscheck

import (
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// Finding is one thing that doesn't fit.
type Finding struct {
	Class    Class
	Severity verdict.Severity
	File     string // that it is about, in member/snap
	Evidence string // one line
	Advice   string // what to do; empty where there is nothing
}

// Start is what some releases start from.
type Start struct {
	Releases string         // "3.4 to 3.6"
	Entry    raftpb.EntryID // the last one of the snapshot; zero for the beginning of the log
}

// Input is what is known of a member's files.
type Input struct {
	View   *wal.View       // of the log; nil if there is none, or it can't be read
	Starts []Start         // for the releases that start at all
	Files  []snapshot.File // in member/snap

	// Database is what the database says. It is nil if there is none, or it can't be read; Missing says
	// that there is none.
	Database *Database
	Missing  bool

	// Replay is the membership that the log makes up to the database's consistent index; nil if that
	// isn't known. See [Replay].
	Replay *raftpb.ConfState

	// Later is the membership that the log makes up to what is committed; nil if that isn't known. 3.4
	// changes the members in its database at once, and the consistent index with the next change of a key.
	Later *raftpb.ConfState

	// Store is whom the newest intact .snap file lists as members, in its v2 store, and Conf is raft's
	// configuration in it; nil if there is none.
	Store *snapshot.Membership
	Conf  *raftpb.ConfState
}

// Database is what a database says of the member.
type Database struct {
	Meta    database.Meta
	Members database.Members
}

// Check returns what doesn't fit, in the order of [Classes].
func Check(in *Input) []Finding {
	c := &checker{Input: in}
	c.checkStarts()
	if in.Database != nil && in.View != nil && in.Database.Meta.ConsistentIndex > 0 {
		c.checkIndex()
		c.checkTerm()
		c.checkIdentity()
		c.checkMembers()
		c.checkRemoved()
	}
	c.checkForgotten()
	if in.Store != nil && in.Conf != nil {
		c.checkStore()
	}
	c.checkFiles()
	slices.SortStableFunc(c.found, func(a, b Finding) int { return rank(a.Class) - rank(b.Class) })
	return c.found
}

func rank(c Class) int {
	return slices.IndexFunc(classes, func(x ClassInfo) bool { return x.Class == c })
}

// checker is one run of Check.
type checker struct {
	*Input
	found []Finding
}

// databaseName is the name of the database, in member/snap.
const databaseName = "db"

func (c *checker) add(class Class, file, advice, format string, args ...any) {
	c.found = append(c.found, Finding{class, severityOf(class), file, fmt.Sprintf(format, args...), advice})
}

// adviceForeign is what to do where files don't belong together.
const adviceForeign = "don't start etcd on these files: put the log and the database of one member and one moment " +
	"together, or restore a snapshot"

// checkStarts compares the database with the snapshots that releases start from.
func (c *checker) checkStarts() {
	index := uint64(0)
	if c.Database != nil {
		index = c.Database.Meta.ConsistentIndex
	} else if !c.Missing {
		return
	}
	told := map[uint64]bool{}
	for _, s := range c.Starts {
		at := s.Entry.Index
		if at <= index || told[at] {
			continue
		}
		told[at] = true
		name := snapshot.DBFileName(at)
		if c.hasFile(name) {
			c.add(ClassReceived, name, "", "etcd puts it in the place of the database when it starts, which has "+
				"applied entries up to %d, and the snapshot includes those up to %d", index, at)
			continue
		}
		class, has := ClassBehind, fmt.Sprintf("it has applied entries up to %d", index)
		if c.Missing {
			class, has = ClassMissing, "it is not there"
		}
		c.add(class, databaseName, "don't start etcd: it ends with \"failed to find database snapshot file\"; put a "+
			"database in its place that has applied entry "+fmt.Sprint(at)+", or remove the member and add it again",
			"%s, and etcd %s starts from a snapshot of those up to %d", has, s.Releases, at)
	}
}

func (c *checker) hasFile(name string) bool {
	return slices.ContainsFunc(c.Files, func(f snapshot.File) bool { return f.Name == name })
}

// has reports whether something of a class was found.
func (c *checker) has(class Class) bool {
	return slices.ContainsFunc(c.found, func(f Finding) bool { return f.Class == class })
}

// checkIndex compares how far the database has come with how far the log reaches.
func (c *checker) checkIndex() {
	index, last, commit := c.Database.Meta.ConsistentIndex, c.View.LastIndex(), c.View.State.Commit
	switch {
	case index > last && Fresh(c.View):
		c.restarted(index, "the database has applied entries up to %d")
	case index > last:
		c.add(ClassAhead, databaseName, adviceForeign,
			"it has applied entries up to %d, and the log ends at entry %d", index, last)
	case index > commit:
		c.add(ClassBeyond, databaseName, "", "it has applied entries up to %d, and the log records %d as committed",
			index, commit)
	}
}

// checkTerm compares the term of the last applied entry. Releases before 3.5 don't store it.
func (c *checker) checkTerm() {
	m := &c.Database.Meta
	if m.Term == 0 || c.has(ClassRestarted) {
		return
	}
	want, known := c.termOf(m.ConsistentIndex)
	switch {
	case m.Term > c.View.State.Term:
		c.add(ClassTerm, databaseName, adviceForeign, "it has applied an entry of term %d, and the log is of term %d",
			m.Term, c.View.State.Term)
	case known && m.Term != want:
		c.add(ClassTerm, databaseName, adviceForeign, "entry %d, the last that it has applied, is of term %d there, "+
			"and of term %d in the log", m.ConsistentIndex, m.Term, want)
	}
}

// termOf returns the term of a live entry; ok is false if the log doesn't have it.
func (c *checker) termOf(index uint64) (term uint64, ok bool) {
	for _, t := range c.View.Terms {
		if t.Index <= index && index < t.Index+t.N {
			term, ok = t.Term, true
		}
	}
	return term, ok
}

// checkIdentity asks whether the log's member is one of the database's. One that lags behind may not
// have applied its own addition yet, and a database that 3.4 restored, which stores no term, has the
// members of the cluster that it was saved from: 3.4 has its members elsewhere.
func (c *checker) checkIdentity() {
	self, m := c.View.Metadata.NodeID, &c.Database.Members
	if self == 0 || len(m.Members) == 0 || c.Database.Meta.Term == 0 || c.Database.Meta.ConsistentIndex < c.View.State.Commit {
		return
	}
	isSelf := func(x database.Member) bool { return x.ID == self }
	if slices.ContainsFunc(m.Members, isSelf) || slices.Contains(m.Removed, self) {
		return
	}
	c.add(ClassForeign, databaseName, adviceForeign, "the log is that of member %x, and the database's members are %s",
		self, idList(memberIDs(m.Members)))
}

// checkMembers compares the members with those that the log makes.
func (c *checker) checkMembers() {
	if c.Replay == nil || len(c.Database.Members.Members) == 0 {
		return
	}
	got, want := memberIDs(c.Database.Members.Members), idsOf(c.Replay)
	is34 := c.Database.Meta.Term == 0
	if slices.Equal(got, want) || is34 && c.Later != nil && slices.Equal(got, idsOf(c.Later)) {
		return
	}
	why := ""
	if is34 {
		why = "; a restore by etcd 3.4 leaves them so, and 3.6 ends on it: failed to update; member unknown"
	}
	c.add(ClassMembers, databaseName, "", "its members are %s, and the log makes them %s up to entry %d%s",
		idList(got), idList(want), c.Database.Meta.ConsistentIndex, why)
}

// idsOf returns the members of a configuration.
func idsOf(cs *raftpb.ConfState) []uint64 {
	ids := slices.Concat(cs.Voters, cs.Learners, cs.VotersOutgoing, cs.LearnersNext)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func memberIDs(list []database.Member) []uint64 {
	ids := make([]uint64, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return ids
}

// idList names the first of some members.
func idList(ids []uint64) string {
	const most = 9
	var names []string
	for _, id := range ids[:min(len(ids), most)] {
		names = append(names, fmt.Sprintf("%x", id))
	}
	if len(ids) > most {
		names = append(names, fmt.Sprintf("%d more", len(ids)-most))
	}
	return strings.Join(names, ", ")
}

// checkFiles looks at what else lies in member/snap.
func (c *checker) checkFiles() {
	for i := range c.Files {
		f := &c.Files[i]
		switch f.Kind {
		case snapshot.KindBroken:
			c.add(ClassLeftover, f.Name, "", "etcd could not read it, and put it aside")
		case snapshot.KindTemp, snapshot.KindDefrag:
			c.add(ClassLeftover, f.Name, "", "never finished; etcd removes it")
		case snapshot.KindReceived:
			c.checkReceived(f)
		}
	}
	c.checkSnapshots()
}

// checkReceived looks at a database that a leader sent, unless a release starts with it.
func (c *checker) checkReceived(f *snapshot.File) {
	if c.Database != nil && f.ID.Index <= c.Database.Meta.ConsistentIndex {
		c.add(ClassReceived, f.Name, "", "of entry %d, which the database has applied: it is not needed any more", f.ID.Index)
		return
	}
	starts := slices.ContainsFunc(c.Starts, func(s Start) bool { return s.Entry.Index == f.ID.Index })
	if !starts {
		c.add(ClassReceived, f.Name, "", "of entry %d, which no release starts from", f.ID.Index)
	}
}

// checkSnapshots looks for .snap files ahead of the database that no release starts from. Where one is
// started from, that has been told.
func (c *checker) checkSnapshots() {
	behind := func(f Finding) bool {
		return f.Class == ClassBehind || f.Class == ClassMissing || f.Class == ClassReceived
	}
	if c.Database == nil || c.Database.Meta.ConsistentIndex == 0 || slices.ContainsFunc(c.found, behind) {
		return
	}
	for i := range c.Files { // the newest first: it tells the most
		f := &c.Files[i]
		if f.Kind == snapshot.KindSnapshot && f.ID.Index > c.Database.Meta.ConsistentIndex {
			c.add(ClassSnapAhead, f.Name, "", "of entry %d, and the database has applied entries up to %d",
				f.ID.Index, c.Database.Meta.ConsistentIndex)
			return
		}
	}
}
