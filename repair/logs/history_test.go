package logs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// sources opens the members' logs, now and then segment by segment.
func (c *cluster) sources() (out []*logs.Source) {
	c.t.Helper()
	for _, m := range c.members {
		switch {
		case m.w == nil: // nothing is left of it
		case c.rng.IntN(6) == 0:
			for _, name := range m.segments() {
				if s, err := c.open(strings.TrimPrefix(name, "/logs/")); !errors.Is(err, wal.ErrEmpty) {
					c.must(err)
					out = append(out, s)
				}
			}
		default:
			s, err := c.open(m.name)
			c.must(err)
			if c.rng.IntN(3) == 0 && m.state.Commit > 0 {
				s.Applied = c.truth[m.state.Commit-1].ID
			}
			out = append(out, s)
		}
	}
	return out
}

func (c *cluster) open(name string) (*logs.Source, error) {
	log, err := wal.Open(vfs.DirFS(c.fsys, "/logs"), name)
	if err != nil {
		return nil, err
	}
	return logs.New(c.t.Context(), name, log, logs.Options{})
}

// check joins the logs and reads all that they give. It returns how many of the committed entries that is.
func (c *cluster) check(sources []*logs.Source) (given int) {
	c.t.Helper()
	j, err := logs.Join(sources, logs.JoinOptions{Foreign: true})
	if err != nil {
		c.describe(sources)
		c.t.Fatal(err)
	}
	commit := j.Commit()
	if commit.Index > uint64(len(c.truth)) {
		c.t.Fatalf("commit %v, but %d were committed", commit, len(c.truth))
	}
	for i := range commit.Index + 3 {
		if term, ok := j.Term(i); ok && (i == 0 || c.truth[i-1].ID.Term != term) {
			c.t.Fatalf("entry %d has term %d", i, term)
		}
	}
	for at := uint64(0); at < commit.Index; {
		to := j.Reach(at)
		r, err := j.Range(at, max(to, at+1))
		if to == at {
			c.checkMissing(err, at)
			at++
			continue
		}
		c.must(err)
		if diff := cmp.Diff(c.truth[at:to], read(c.t, r)); diff != "" {
			c.t.Fatalf("entries %d..%d (-committed +got):\n%s", at+1, to, diff)
		}
		given += int(to - at)
		at = to
	}
	c.checkWhole(j)
	c.checkOrder(sources, j)
	return given
}

// describe logs what the logs hold.
func (c *cluster) describe(sources []*logs.Source) {
	for _, s := range sources {
		v := s.View
		c.t.Logf("%s: %+v, ranges %v, base %v, sound %v", s.Name, v.State, v.Ranges, v.Base, v.Sound)
		for _, x := range v.Terms {
			c.t.Logf("  %d entries from %v on, %v", x.N, x.EntryID, x.Pos)
		}
		for _, f := range s.Report.Findings {
			c.t.Logf("  %v", f.String())
		}
	}
}

// checkMissing checks the error for a range that begins with a missing entry.
func (c *cluster) checkMissing(err error, after uint64) {
	c.t.Helper()
	m := missing(err)
	if m == nil || m.Ranges[0].First != after+1 || m.HeldTo != after {
		c.t.Fatalf("entry %d is missing: got error %v", after+1, err)
	}
}

// missing returns what an error says about missing entries, nil if it says something else.
func missing(err error) *logs.Missing {
	if e, ok := errors.AsType[*logs.GapError](err); ok {
		return &e.Missing
	}
	if e, ok := errors.AsType[*logs.DamageError](err); ok {
		return &e.Missing
	}
	return nil
}

// checkWhole asks for everything at once: what is missing is what is missing one by one.
func (c *cluster) checkWhole(j *logs.Joined) {
	c.t.Helper()
	var want []wal.IndexRange
	for i := range j.Commit().Index {
		if j.Reach(i) > i {
			continue
		}
		if n := len(want); n > 0 && want[n-1].Last == i {
			want[n-1].Last++
			continue
		}
		want = append(want, wal.IndexRange{First: i + 1, Last: i + 1})
	}
	r, err := j.Range(0, j.Commit().Index)
	if len(want) == 0 {
		c.must(err)
		if got, want := len(read(c.t, r)), int(j.Commit().Index); got != want {
			c.t.Fatalf("%d entries, want %d", got, want)
		}
		return
	}
	m := missing(err)
	if m == nil {
		c.t.Fatalf("missing %v, got error %v", want, err)
	}
	if diff := cmp.Diff(want, m.Ranges); diff != "" {
		c.t.Fatalf("missing (-want +got):\n%s", diff)
	}
	if len(m.Absences) != len(j.Sources()) || err.Error() == "" {
		c.t.Fatalf("not every log has a reason: %v", err)
	}
}

// checkOrder joins the logs in another order.
func (c *cluster) checkOrder(sources []*logs.Source, j *logs.Joined) {
	c.t.Helper()
	other := slices.Clone(sources)
	c.rng.Shuffle(len(other), func(a, b int) { other[a], other[b] = other[b], other[a] })
	k, err := logs.Join(other, logs.JoinOptions{Foreign: true})
	c.must(err)
	if j.Commit().EntryID != k.Commit().EntryID || j.Last().EntryID != k.Last().EntryID {
		c.t.Fatalf("commit and last depend on the order: %v, %v and %v, %v", j.Commit(), j.Last(), k.Commit(), k.Last())
	}
	upTo := j.Last().Index
	a, errA := j.Range(0, upTo)
	b, errB := k.Range(0, upTo)
	if fmt.Sprint(errA) != fmt.Sprint(errB) {
		c.t.Fatalf("the error depends on the order:\n%v\n%v", errA, errB)
	}
	if errA == nil && !slices.Equal(runs(a), runs(b)) {
		c.t.Fatalf("the runs depend on the order: %v and %v", runs(a), runs(b))
	}
}

// known is how many committed entries must be given by the plainest rule, without damage: those that a log
// commits itself, and those before an entry that another log with the same entry commits.
func (c *cluster) known(sources []*logs.Source) (n int) {
	c.t.Helper()
	held := make([]map[uint64]uint64, len(sources)) // terms by index
	commits := map[raftpb.EntryID]bool{}
	for i, s := range sources {
		held[i] = map[uint64]uint64{}
		for e, err := range s.View.Entries(0) {
			c.must(err)
			held[i][e.Index] = e.Term
			if e.Index <= max(s.View.State.Commit, s.Applied.Index) {
				commits[e.ID()] = true
			}
		}
	}
	given := map[uint64]bool{}
	for i, s := range sources {
		for _, r := range s.View.Ranges {
			sure := false
			for x := r.Last; x >= r.First; x-- {
				sure = sure || commits[raftpb.EntryID{Term: held[i][x], Index: x}]
				if sure {
					given[x] = true
				}
			}
		}
	}
	return len(given)
}

// checkAhead reads on behind what is committed: from the most advanced log, and only if it goes on from there.
func (c *cluster) checkAhead(sources []*logs.Source) {
	c.t.Helper()
	j, err := logs.Join(sources, logs.JoinOptions{})
	c.must(err)
	commit, last := j.Commit().Index, j.Last()
	if last.Index <= commit {
		return
	}
	i := slices.IndexFunc(c.members, func(m *member) bool { return m.name == last.Source.Name })
	if i < 0 {
		return // a segment, which may have what a later one overwrites
	}
	for _, s := range sources {
		if l := s.View.Last; l.Term > last.Term || l.Term == last.Term && l.Index > last.Index {
			c.t.Fatalf("%s ends at %v, ahead of %v", s.Name, l, last)
		}
	}
	r, err := j.Range(commit, last.Index)
	if err != nil {
		if missing(err) == nil {
			c.t.Fatal(err)
		}
		return
	}
	for _, e := range read(c.t, r) {
		if want := c.members[i].at(e.ID.Index); *want != e {
			c.t.Fatalf("got %v, the log has %v", e, *want)
		}
	}
	if got, want := r.Uncommitted(), (wal.IndexRange{First: commit + 1, Last: last.Index}); got != want {
		c.t.Fatalf("uncommitted %v, want %v", got, want)
	}
}

// Whatever a cluster went through, what is given is what was committed, and everything is given that must be.
func TestHistories(t *testing.T) {
	given, all, at := 0, 0, 0
	defer func() { t.Logf("%d of %d committed entries in %d histories", given, all, at+1) }()
	for i := range histories {
		at = i
		c := newCluster(t, rand.New(rand.NewPCG(1, uint64(i))))
		c.live(20 + c.rng.IntN(120))
		for _, m := range c.members {
			if c.rng.IntN(3) == 0 {
				m.purge()
			}
		}
		for len(c.members) > 1 && c.rng.IntN(2) == 0 { // its disk is gone
			c.members = c.members[1:]
		}
		if c.rng.IntN(3) == 0 {
			c.export()
		}
		sources := c.sources()
		got := c.check(sources)
		if want := c.known(sources); got < want {
			t.Fatalf("history %d: %d committed entries, want at least %d", i, got, want)
		}
		c.checkAhead(sources)
		given, all = given+got, all+len(c.truth)
	}
}

// Of damaged logs nothing is given that was not committed.
func TestDamagedHistories(t *testing.T) {
	given, all, at := 0, 0, 0
	defer func() { t.Logf("%d of %d committed entries in %d histories", given, all, at+1) }()
	for i := range histories {
		at = i
		c := newCluster(t, rand.New(rand.NewPCG(2, uint64(i))))
		c.live(20 + c.rng.IntN(120))
		for _, m := range c.members {
			if c.rng.IntN(4) == 0 {
				m.purge()
			}
			for m.w != nil && c.rng.IntN(2) == 0 {
				m.damage()
			}
		}
		if sources := c.sources(); len(sources) > 0 {
			given, all = given+c.check(sources), all+len(c.truth)
		}
	}
}
