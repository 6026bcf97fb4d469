package logs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/raftpb"
)

// JoinOptions adjust Join. The zero value takes the logs of one cluster only.
type JoinOptions struct {
	// Cluster is the ID of the cluster that the logs are to be of, if it is known from elsewhere.
	Cluster uint64

	// Foreign takes logs that are of another cluster, or don't say of which. Those of another history
	// are refused all the same.
	Foreign bool
}

// Joined is the logs of one cluster, side by side.
type Joined struct {
	sources []*Source // by name
	spans   []*span   // of all of them
	cover   cover
	seq     sequence
	commit  Mark
	last    Mark
}

// Join sets logs side by side. The error is a *ForeignError if they are not of one cluster, a
// *ConflictError if they are not of one history, whatever they say, and ErrNoSource if there are none.
//
// The order of the sources doesn't matter.
func Join(sources []*Source, o JoinOptions) (*Joined, error) {
	if len(sources) == 0 {
		return nil, ErrNoSource
	}
	j := &Joined{sources: slices.Clone(sources)}
	slices.SortStableFunc(j.sources, func(a, b *Source) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.View.Metadata.NodeID, b.View.Metadata.NodeID))
	})
	if err := checkCluster(j.sources, o); err != nil {
		return nil, err
	}
	if err := checkPrints(j.sources); err != nil {
		return nil, err
	}
	c := newCommitter(j.sources)
	c.run()
	j.spans, j.cover = c.spans, coverOf(c.spans)
	if err := j.seq.build(c); err != nil {
		return nil, err
	}
	j.commit = c.highest()
	j.last = j.findLast()
	return j, nil
}

// checkCluster compares what the logs say of their cluster.
func checkCluster(sources []*Source, o JoinOptions) error {
	if o.Foreign {
		return nil
	}
	want := o.Cluster
	for _, s := range sources {
		if want == 0 {
			want = s.Cluster()
		}
		if s.Cluster() == 0 || s.Cluster() != want {
			return &ForeignError{Sources: sources, Cluster: o.Cluster}
		}
	}
	return nil
}

// checkPrints compares the entries that several logs have.
func checkPrints(sources []*Source) error {
	for i, a := range sources {
		for _, b := range sources[i+1:] {
			if id, ok := a.prints.differ(b.prints); ok {
				return &ConflictError{Index: id.Index, Sides: [2]Side{a.side(id), b.side(id)}}
			}
		}
	}
	return nil
}

// side is what a source has at an index.
func (s *Source) side(id raftpb.EntryID) Side {
	side := Side{Mark: Mark{EntryID: id, Source: s}, Held: true}
	side.locate()
	return side
}

// Sources returns the logs, ordered by name.
func (j *Joined) Sources() []*Source { return slices.Clone(j.sources) }

// Cluster returns the ID of the cluster; 0 if no log says it. With JoinOptions.Foreign it is that of the first
// log by name which says one.
func (j *Joined) Cluster() uint64 {
	for _, s := range j.sources {
		if id := s.Cluster(); id != 0 {
			return id
		}
	}
	return 0
}

// Commit returns the last entry that is known to be committed, and which log says so. It may be that none of
// the logs holds it, and that its term is not known (0): a log that lost its end has a hard state
// that tells what was committed. [Joined.Reach] tells up to where entries are there.
func (j *Joined) Commit() Mark { return j.commit }

// Last returns the end of the most advanced log: the one that ends with the highest term, and of those the
// longest, which is how Raft tells whose log counts. What lies behind Commit may or may not have been
// committed.
func (j *Joined) Last() Mark { return j.last }

// Term returns the term of the committed entry at an index; ok is false if no log tells it. That goes for
// entries that a snapshot record or a database tells of, too, which no log need hold.
func (j *Joined) Term(index uint64) (term uint64, ok bool) { return j.seq.termAt(index) }

// Reach returns up to which entry all committed ones behind an index are there, intact: the index itself
// if the next one is missing.
func (j *Joined) Reach(after uint64) uint64 {
	for {
		x := j.pick(after+1, false)
		if x == nil || x.upTo <= after {
			return after
		}
		after = x.upTo
	}
}

// findLast returns the end of the most advanced log.
func (j *Joined) findLast() Mark {
	best := j.commit
	var end raftpb.EntryID
	for _, s := range j.sources {
		id := s.View.Last
		if base := s.View.Base; base.Index > id.Index && base.Term > 0 { // else nothing tells what it ended with
			id = base
		}
		if id.Index == 0 || cmp.Or(cmp.Compare(id.Term, end.Term), cmp.Compare(id.Index, end.Index)) <= 0 {
			continue
		}
		end = id
		best = Mark{EntryID: id, Source: s}
	}
	if best.Index <= j.commit.Index {
		return j.commit
	}
	return best
}
