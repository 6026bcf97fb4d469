package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// PlanOptions say what is replayed onto what.
type PlanOptions struct {
	Meta     *database.Meta // of the database
	Members  *database.Members
	Revision int64 // of the database

	// Since yields the changes of keys in the database from a revision on.
	Since    func(ctx context.Context, revision int64) iter.Seq2[*database.Change, error]
	Refusals Refusals

	Sources []*logs.Source
	Target  Target

	// Uncommitted goes on behind what is known to be committed, with the most advanced log.
	Uncommitted bool

	// Foreign takes logs that are, or may be, those of another cluster.
	Foreign bool

	// Slack is how exactly the place of a [Time] has to be known.
	Slack time.Duration

	// Progress is told how many of the entries were looked at, before anything is applied.
	Progress func(done, total uint64)
}

// Plan is a replay that was checked as far as that is possible without applying anything.
type Plan struct {
	Base   raftpb.EntryID // the last entry that the database has applied
	Target Target
	Commit logs.Mark // the last entry known to be committed, and what tells it
	End    logs.Mark // where the most advanced log ends

	// Range is what is applied at most. Which of its entries the last one is, only the replay itself tells
	// for a [Revision] and a [BeforeDelete].
	Range *logs.Range

	Bytes   int64         // of the requests behind the database's last one, as far as they are in a row
	Foreign error         // why the logs may be of another cluster, if they are taken all the same
	Times   *decode.Times // when the entries were written
	Moment  decode.Moment // what a Time has come to

	// MayDelete are entries that a [BeforeDelete] may choose from, at most [MaxDeletions] of the last ones;
	// MayOthers counts the ones before. Only the replay tells which of them deleted anything, and which keys
	// went with a lease.
	MayDelete []Candidate
	MayOthers int

	joined *logs.Joined
	log    Log
	more   bool  // behind the last entry that may be applied the log goes on
	cut    error // why Range ends before what is committed does; only a Revision puts up with that
}

// NewPlan checks that logs and database belong together, that all entries up to the target are there, and
// that the target can be reached, as far as that is known before anything is applied.
//
// The error is a [*ForeignError], a [*TargetError], or one of package logs.
func NewPlan(ctx context.Context, o PlanOptions) (*Plan, error) {
	joined, err := logs.Join(o.Sources, logs.JoinOptions{Foreign: o.Foreign})
	if err != nil {
		return nil, err
	}
	p := &Plan{
		Base:   raftpb.EntryID{Term: o.Meta.Term, Index: o.Meta.ConsistentIndex},
		Target: o.Target, Commit: joined.Commit(), End: joined.Last(),
		joined: joined, log: Log{Term: joined.Term},
	}
	if p.Target.Kind == "" {
		p.Target.Kind = End
	}
	if err := p.readAhead(ctx, o.Progress); err != nil {
		return nil, err
	}
	if err := p.checkOrigin(ctx, &o); err != nil {
		return nil, err
	}
	last, err := p.lastEntry(&o)
	if err != nil {
		return nil, err
	}
	if p.Range, err = joined.Range(p.Base.Index, last); err != nil {
		return nil, err
	}
	return p, p.checkTarget(State{Applied: p.Base, Revision: o.Revision})
}

// checkTarget refuses a target that can't be reached, as far as that is known before anything is applied.
func (p *Plan) checkTarget(base State) error {
	if err := p.Target.checkAhead(base); err != nil || p.Range.Len() > 0 {
		return err
	}
	if p.Target.Kind == BeforeDelete {
		return p.goesOn(&TargetError{Target: p.Target, Why: fmt.Sprintf("there is no entry behind %d, the last that the "+
			"database has applied", p.Base.Index)})
	}
	return p.goesOn(p.Target.checkReached(base))
}

// goesOn adds to the error for a target beyond the last entry whether that is the end of the log.
func (p *Plan) goesOn(err error) error {
	if target, ok := errors.AsType[*TargetError](err); ok {
		target.Uncommitted = p.more
	}
	return err
}

// checkOrigin asks whether the logs are of the cluster that the database comes from.
func (p *Plan) checkOrigin(ctx context.Context, o *PlanOptions) error {
	for _, s := range o.Sources {
		p.log.addSource(s.View)
	}
	err := Check(o.Meta, o.Members, p.log)
	if earlier := p.earlier(ctx); err == nil && earlier != nil {
		err = CheckKeys(o.Refusals, earlier, o.Since(ctx, max(1, o.Revision-earlierKeys))) // an entry makes one revision at most
	}
	if _, foreign := errors.AsType[*ForeignError](err); !o.Foreign || err != nil && !foreign {
		return err
	}
	if _, joinErr := logs.Join(o.Sources, logs.JoinOptions{}); joinErr != nil {
		err = joinErr
	}
	p.Foreign = err
	return nil
}

// readAhead reads all entries that are there in a row around the database's last one, for what they tell of
// the time and of members.
func (p *Plan) readAhead(ctx context.Context, progress func(done, total uint64)) error {
	var (
		clock   decode.Clock
		request decode.Request
	)
	first := p.earliest(0)
	last := p.joined.Reach(first)
	r, err := p.joined.Range(first, last)
	if err != nil {
		return err
	}
	for e, err := range r.Entries(ctx) {
		if err != nil {
			return err
		}
		if e.Index > p.Base.Index {
			p.Bytes += int64(len(e.Data))
		}
		if decode.Payload(&request, e.Entry) != nil {
			continue
		}
		clock.Add(e.Index, &request)
		if p.Target.Kind == BeforeDelete && e.Index > p.Base.Index {
			p.noteCandidate(e.ID(), &request)
		}
		if cc := request.ConfChange(); cc != nil {
			p.log.addChange(cc)
		}
		if progress != nil && e.Index%progressEvery == 0 {
			progress(e.Index-first, last-first)
		}
	}
	p.Times = clock.Times()
	return nil
}

// Candidate is an entry that may delete a key.
type Candidate struct {
	ID      raftpb.EntryID
	Op      decode.Op
	Summary string // in one line
}

func (p *Plan) noteCandidate(id raftpb.EntryID, r *decode.Request) {
	filter := decode.Filter{Ops: []decode.Op{decode.OpDeleteRange}, Key: p.Target.Key, Prefix: true}
	if !r.Match(&filter) {
		return
	}
	p.MayDelete = append(p.MayDelete, Candidate{id, r.Op, string(r.AppendSummary(nil, decode.Style{}))})
	if n := len(p.MayDelete); n > MaxDeletions {
		p.MayDelete = append(p.MayDelete[:0], p.MayDelete[n-MaxDeletions:]...)
		p.MayOthers++
	}
}

// earliest returns the entry behind which all up to the database's last one are there; none is lower than
// least.
func (p *Plan) earliest(least uint64) uint64 {
	first := p.Base.Index
	for _, s := range p.joined.Sources() {
		if v := s.View; v.First.Index > 0 && v.First.Index-1 < first {
			if at := max(least, v.First.Index-1); at < first && p.joined.Reach(at) >= p.Base.Index {
				first = at
			}
		}
	}
	return first
}

// lastEntry returns the last entry that may be applied.
func (p *Plan) lastEntry(o *PlanOptions) (uint64, error) {
	limit := max(p.Commit.Index, p.Base.Index)
	if o.Uncommitted {
		limit = max(limit, p.End.Index)
	}
	p.more = p.End.Index > limit
	switch t := p.Target; t.Kind {
	case Index:
		if t.N > limit {
			return 0, &TargetError{Target: t, Why: p.beyond(limit), Uncommitted: t.N <= p.End.Index}
		}
		return max(t.N, p.Base.Index), nil // begin refuses what lies before
	case Term:
		return p.lastOfTerm(limit)
	case Revision:
		// Entries may be missing behind it.
		if reach := p.joined.Reach(p.Base.Index); reach < min(limit, p.Commit.Index) {
			_, p.cut = p.joined.Range(p.Base.Index, limit)
			return reach, nil
		}
	case Time:
		return p.lastBy(o.Slack, limit)
	}
	return limit, nil
}

// beyond says why no entry behind limit is applied.
func (p *Plan) beyond(limit uint64) string {
	if p.End.Index > limit {
		return fmt.Sprintf("entries up to %d are known to be committed, and the log ends at %d", limit, p.End.Index)
	}
	return fmt.Sprintf("the log ends at %d", limit)
}

// lastOfTerm returns the last entry up to limit that is of the term asked for; limit where that isn't told.
func (p *Plan) lastOfTerm(limit uint64) (uint64, error) {
	last := limit
	for low := p.Base.Index; low < last; {
		mid := low + (last-low+1)/2
		term, ok := p.joined.Term(mid)
		if !ok {
			return limit, nil // the replay finds it
		}
		if term <= p.Target.N {
			low = mid
		} else {
			last = mid - 1
		}
	}
	before, _ := p.joined.Term(last)
	behind, ok := p.joined.Term(last + 1)
	if before > 0 && before < p.Target.N && ok && p.Target.N < behind {
		return 0, &TargetError{Target: p.Target, Why: fmt.Sprintf("no entry is of that term: %d is of term %d, and %d of "+
			"term %d", last, before, last+1, behind)}
	}
	return last, nil
}

// lastBy returns the last entry that was written by the time asked for.
func (p *Plan) lastBy(slack time.Duration, limit uint64) (uint64, error) {
	t := p.Target
	m, ok := p.Times.Before(t.Time)
	if base := p.Times.At(p.Base.Index); !ok && t.Time.Before(base.NotBefore) {
		return 0, &TargetError{Target: t, Why: fmt.Sprintf("the database has applied entry %d, which was written %v; an "+
			"earlier one is needed", p.Base.Index, base)}
	}
	if !ok {
		return 0, &TargetError{Target: t, Why: "nothing in the log tells where that was"}
	}
	p.Moment = m
	if reach := p.joined.Reach(p.Base.Index); reach < min(limit, p.Commit.Index) && m.Last >= reach {
		return limit, nil // entries are missing that may have been written by then
	}
	if end := p.Times.At(limit); m.Last >= limit && t.Time.Sub(end.NotBefore) > slack {
		return 0, &TargetError{Target: t, Why: fmt.Sprintf("the log ends before that: entry %d, the last that may be applied, was "+
			"written %v; end takes all of it", limit, end)}
	}
	if width, known := m.Width(); !known || width > slack {
		return 0, &SlackError{t, m, slack}
	}
	if m.Index < p.Base.Index {
		return 0, &TargetError{Target: t, Why: fmt.Sprintf("the database has applied entries up to %d, and %d is the last one "+
			"written by then; an earlier one is needed", p.Base.Index, m.Index)}
	}
	return min(m.Index, limit), nil
}

// Run applies the entries to the database in a folder, as [Run] does.
func (p *Plan) Run(ctx context.Context, fsys vfs.FS, dir string, progress func(index uint64)) (*Report, error) {
	o := Options{FS: fsys, Dir: dir, Target: p.Target, Entries: p.Range.Entries(ctx), Progress: progress}
	if o.Target.Kind == Time {
		o.Target = Target{Kind: End} // of the range
	}
	report, err := Run(ctx, o)
	if _, short := errors.AsType[*TargetError](err); short && p.cut != nil {
		err = p.cut
	}
	return report, p.goesOn(err)
}

// earlier yields the last entries that the database has applied; nil if the logs don't have them.
func (p *Plan) earlier(ctx context.Context) iter.Seq2[wal.LiveEntry, error] {
	first := p.earliest(p.Base.Index - min(p.Base.Index, earlierKeys))
	r, err := p.joined.Range(first, p.Base.Index)
	if err != nil || r.Len() == 0 {
		return nil
	}
	return r.Entries(ctx)
}

// Behind returns the entries behind one, as far as they are there: those known to be committed, and where
// all of these are, those at the end of the most advanced log.
func (p *Plan) Behind(last uint64) (*logs.Range, error) {
	reach := p.joined.Reach(last)
	if reach >= p.Commit.Index && p.End.Index > reach {
		if r, err := p.joined.Range(last, p.End.Index); err == nil {
			return r, nil
		}
	}
	return p.joined.Range(last, reach)
}

// Gap returns the last of the entries from the one behind after on, up to another, that no log has intact;
// after if the next one is there.
func (p *Plan) Gap(after, upTo uint64) uint64 {
	_, err := p.joined.Range(after, upTo)
	var missing []wal.IndexRange
	if gap, ok := errors.AsType[*logs.GapError](err); ok {
		missing = gap.Ranges
	}
	if damage, ok := errors.AsType[*logs.DamageError](err); ok {
		missing = damage.Ranges
	}
	if len(missing) == 0 || missing[0].First != after+1 {
		return after
	}
	return missing[0].Last
}
