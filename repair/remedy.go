package repair

import (
	"cmp"
	"context"

	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/wal"
)

// A remedy is one way to mend something. Those of a place mend one finding, and leave the rest of the log as it
// is; those of the log propose how it can be made whole although entries are damaged or missing. What a
// remedy does is noted in the plan, and done by Plan.Apply.

// RemedyInfo describes a remedy.
type RemedyInfo struct{ Name, Doc string }

// placeRemedy mends what is wrong at one place.
type placeRemedy interface {
	Name() string
	Doc() string
	// Applies reports whether the remedy is one for findings of this kind.
	Applies(f *Finding) bool
	// do notes in the plan what mends a finding. It returns false if the remedy doesn't help with it.
	do(ctx context.Context, d *draft, f *Finding) (bool, error)
}

// logRemedy makes a log whole.
type logRemedy interface {
	Name() string
	Doc() string
	// Applies reports whether the remedy is one for findings of this kind.
	Applies(f *Finding) bool
	// asked reports whether the user asks for it, whatever was found.
	asked(o *PlanOptions) bool
	// solve returns how the log is made whole, with what that costs; nil if the remedy can't.
	solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error)
}

// The remedies, in the order in which they are tried. Of solutions that cost the same the first is taken.
var (
	placeRemedies = []placeRemedy{correctBytes{}, restoreBytes{}, renameSegment{}, dropSegment{}, replaceSegment{}, quarantine{}}
	logRemedies   = []logRemedy{rechain{}, splice{}, dropLeading{}, beginAnew{}, cutEnd{}, neutralise{}}
)

// Remedies returns all remedies, in the order in which they are tried.
func Remedies() (list []RemedyInfo) {
	for _, r := range placeRemedies {
		list = append(list, RemedyInfo{r.Name(), r.Doc()})
	}
	for _, r := range logRemedies {
		list = append(list, RemedyInfo{r.Name(), r.Doc()})
	}
	list = append(list, RemedyInfo{writeMetadata{}.Name(), writeMetadata{}.Doc()}) // goes with one of the log
	return list
}

// solution is a way to make a log whole.
type solution struct {
	steps     []Step
	rewrite   *edit.Rewrite
	drop      []string
	snapshots []edit.SnapFile
	cost      Cost

	quarantine []string // .snap files that go on beyond the log's new end

	leaves  int  // how many problems beside the log it leaves
	unheard bool // never without the user's word, whatever it costs
}

// loses reports whether entries are lost that may not be without the user's word.
func (s *solution) loses() bool { return s.unheard || s.cost.Loses() }

// better reports whether a solution costs less than another: fewer committed entries, fewer entries, fewer that
// only the database has from then on, fewer bytes.
func (s *solution) better(t *solution) bool { return s.compare(t) < 0 }

func (s *solution) compare(t *solution) int {
	return cmp.Or(
		compareBool(s.loses(), t.loses()),
		cmp.Compare(s.cost.Committed, t.cost.Committed),
		cmp.Compare(lengthOf(s.cost.Lost), lengthOf(t.cost.Lost)),
		cmp.Compare(s.leaves, t.leaves),
		cmp.Compare(lengthOf(s.cost.Folded), lengthOf(t.cost.Folded)),
		cmp.Compare(s.cost.Written, t.cost.Written),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func lengthOf(ranges []Range) (n uint64) {
	for _, r := range ranges {
		n += r.Len()
	}
	return n
}

// join sets the log as corrected so far beside the donors.
func (d *draft) join(ctx context.Context) (*logs.Joined, error) {
	if d.joined != nil {
		return d.joined, nil
	}
	log, err := edit.Lay(d.member.Log, &d.plan.Changes).Log(d.member.Log)
	if err != nil {
		return nil, err
	}
	d.own, err = logs.New(ctx, d.member.Name, log, logs.Options{})
	if err != nil {
		return nil, err
	}
	d.own.Applied = d.applied()
	// Without metadata of its own, the log counts as one of the donors' cluster: that it is of their history is seen.
	foreign := d.view().MetadataPos == (wal.Position{}) && len(d.clusters()) == 1
	d.joined, err = logs.Join(append([]*logs.Source{d.own}, d.donors...), logs.JoinOptions{Foreign: foreign})
	return d.joined, err
}
