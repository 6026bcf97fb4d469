package repair

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// beginAnew begins the log at a snapshot behind all that is damaged. The database has applied what was before:
// nothing is lost by it. Where there is no such snapshot, one is made of what the database says of the cluster,
// as etcd itself makes it.
type beginAnew struct{}

func (beginAnew) Name() string { return "begin_anew" }
func (beginAnew) Doc() string {
	return "begin the log anew at what the database has applied, with a snapshot that is there or is made of the database: " +
		"damage below that is harmless"
}
func (beginAnew) Applies(f *Finding) bool { return f.Log != nil }
func (beginAnew) asked(*PlanOptions) bool { return false }

func (r beginAnew) solve(ctx context.Context, d *draft, problems []*Finding) (*solution, error) {
	if _, err := d.scan(ctx); err != nil {
		return nil, err
	}
	need := d.need(problems)
	if need == 0 {
		return nil, nil
	}
	at, err := d.beginning(ctx, need)
	if err != nil || at == nil {
		return nil, err
	}
	state := raftpb.HardState{Term: at.snapshot.Term, Commit: at.snapshot.Index}
	if v := d.view().State; v.Term == state.Term {
		state.Vote = v.Vote
	}
	out := &solution{rewrite: &edit.Rewrite{Begin: &edit.Begin{
		Index: at.snapshot.Index, Term: at.snapshot.Term,
		Snapshot: at.snapshot.AppendTo(nil, d.flavor()), State: state.Marshal(d.flavor()),
	}}}
	last := d.endFrom(at, out)
	end, _ := d.state(last, state)
	out.rewrite.Insert = []edit.Insert{d.stateRecord(end)}
	does := fmt.Sprintf("begin the log anew at the snapshot of entry %v", at.snapshot.ID())
	if at.file != nil {
		out.snapshots = []edit.SnapFile{*at.file}
		does = fmt.Sprintf("make a snapshot of entry %v, from what the database says, and begin the log anew with it", at.snapshot.ID())
	}
	for _, rng := range d.view().Ranges {
		if rng.First <= at.snapshot.Index {
			out.cost.Folded = append(out.cost.Folded, Range{First: rng.First, Last: min(rng.Last, at.snapshot.Index)})
		}
	}
	d.quarantineBeyond(out, last.Index)
	out.cost.Beside = at.beside
	out.cost.Written = d.bytesBehind(at.snapshot.Index)
	out.steps = []Step{newStep(r.Name(), problems, does, fmt.Sprintf(
		"the database has applied entries up to %d, and all that is wrong with the log lies before that", d.applied().Index))}
	return out, nil
}

// endFrom returns the entry that a log ends with that begins anew. What is missing at its end is lost: that was committed,
// or nothing tells that it wasn't.
func (d *draft) endFrom(at *beginning, out *solution) (last raftpb.EntryID) {
	last = d.view().Last
	tail := d.tail()
	if tail != nil {
		last.Index = tail.First - 1
		last.Term, _ = d.termOf(last.Index)
	}
	if last.Index < at.snapshot.Index {
		last = at.snapshot.ID()
	}
	if d.view().State.Commit > last.Index { // earlier hard states don't commit it either
		out.rewrite.Commit = last.Index
	}
	if tail != nil && tail.Last > last.Index {
		d.lose(&out.cost, last.Index+1, tail.Last)
		out.unheard = true
	}
	return last
}

// need returns the index up to which the log can't be used as it is; 0 if that is not what is wrong.
func (d *draft) need(problems []*Finding) uint64 {
	need := uint64(0)
	for _, h := range d.holes() {
		switch {
		case h.Tail: // it need not go on to where something was lost, but to what the database has applied
			if applied := d.applied().Index; applied >= h.First {
				need = max(need, applied)
			}
		default:
			need = max(need, h.Last, h.First-1)
		}
	}
	if v := d.view(); len(v.Ranges) == 0 {
		need = max(need, v.Base.Index)
	}
	for _, f := range problems {
		need = max(need, d.stopsAt(f))
		if f.Log.Class == wal.ClassEtcdStart {
			need = max(need, 1, max(d.view().First.Index, 1)-1) // only what comes before it is gone
		}
		if f.Log.Class == wal.ClassSnapshotFile {
			if s := d.view().NewestSnapshot(); s != nil {
				need = max(need, s.Index)
			}
		}
	}
	return max(need, d.contradicted(problems))
}

// contradicted returns the last live entry that lies before the last record that contradicts others, or around it; 0
// if there is no such record, or no such entry.
func (d *draft) contradicted(problems []*Finding) (index uint64) {
	var last edit.Place
	for _, f := range contradicting(problems) {
		index = max(index, f.Log.Before.Index, f.Log.After.Index)
		if at := (edit.Place{Segment: f.File, Off: f.Off}); last == (edit.Place{}) || d.before(last, at) {
			last = at
		}
	}
	if last == (edit.Place{}) {
		return 0
	}
	for _, r := range d.view().Ranges {
		for e, err := range d.view().Replay(r.First, r.Last) {
			if err != nil || d.before(last, edit.PlaceOf(e.Record.Pos)) {
				break
			}
			index = max(index, e.Index)
		}
	}
	return index
}

// contradictions are classes of intact records that no healthy member writes. Nothing tells which of them is
// right.
var contradictions = map[wal.Class]bool{
	wal.ClassSameTerm: true, wal.ClassCommittedOverwritten: true, wal.ClassTermBack: true, wal.ClassVoteChange: true,
	wal.ClassCommitBack: true, wal.ClassSnapshotConflict: true, wal.ClassEntryType: true,
	wal.ClassGhost: true,
}

// contradicting returns those of some problems.
func contradicting(problems []*Finding) (list []*Finding) {
	for _, f := range problems {
		if f.Log != nil && contradictions[f.Log.Class] {
			list = append(list, f)
		}
	}
	return list
}

// stopsAt returns the entry that a finding says etcd ends on; 0 if it is about something else.
func (d *draft) stopsAt(f *Finding) uint64 {
	for i := range d.report.Outlooks {
		s := d.report.Outlooks[i].Stop
		if s != nil && s.Entry.Index > 0 && s.Pos == f.Log.Pos && string(f.Log.Class) == classEtcdStop {
			return s.Entry.Index
		}
	}
	return 0
}

// beginning is where a log can begin anew.
type beginning struct {
	snapshot wal.Snapshot
	file     *edit.SnapFile // that is made; nil if there is one
	beside   string         // what it loses that is no entry
}

// beginning returns the first place from an index on where the log can begin; nil if there is none.
func (d *draft) beginning(ctx context.Context, need uint64) (*beginning, error) {
	applied := d.applied().Index
	switch {
	case d.member.Database == nil:
		d.refuse("begin_anew", "there is no database that could be read: nothing tells what was applied")
		return nil, nil
	case applied < need:
		d.refuse("begin_anew", "the database has applied entries up to %d, and what is damaged goes up to %d", applied, need)
		return nil, nil
	}
	if why, err := d.databaseUnfit(ctx); err != nil || why != "" {
		d.refuse("begin_anew", "the database can't be built upon: %s", why)
		return nil, err
	}
	if f := d.snapFrom(need); f != nil {
		return &beginning{snapshot: wal.Snapshot{Index: f.ID.Index, Term: f.ID.Term, ConfState: &f.Metadata.ConfState}}, nil
	}
	return d.synthesise()
}

// snapFrom returns the oldest intact .snap file from an index on that the log can begin with; nil if there is none.
func (d *draft) snapFrom(need uint64) (oldest *snapshot.File) {
	for i := range d.files {
		f := &d.files[i]
		if f.Kind != snapshot.KindSnapshot || f.Verdict != verdict.OK || f.ID.Index < need || f.ID.Index > d.applied().Index ||
			!d.goesOnFrom(f.ID.Index) {
			continue
		}
		if term, known := d.termOf(f.ID.Index); known && term != f.ID.Term {
			continue // of another history
		}
		if oldest == nil || f.ID.Index < oldest.ID.Index {
			oldest = f
		}
	}
	return oldest
}

// goesOnFrom reports whether all entries behind an index are there, up to the log's end.
func (d *draft) goesOnFrom(index uint64) bool {
	v := d.view()
	if len(v.Ranges) == 0 || index >= v.LastIndex() {
		return true
	}
	last := v.Ranges[len(v.Ranges)-1]
	return last.First <= index+1
}

// confOf returns the membership of a snapshot whose .snap file is there; nil if it isn't.
func (d *draft) confOf(s *wal.SnapshotRef) *raftpb.ConfState {
	for i := range d.files {
		f := &d.files[i]
		if f.Kind == snapshot.KindSnapshot && f.Verdict == verdict.OK && f.ID == s.EntryID {
			return &f.Metadata.ConfState
		}
	}
	return nil
}

// bytesBehind returns about how many bytes the records behind an entry have.
func (d *draft) bytesBehind(index uint64) int64 {
	pos, err := d.locate(index + 1)
	if err != nil {
		return 0
	}
	size, from := int64(0), d.order(pos.Segment)
	for i, s := range d.report.Segments {
		if i >= from {
			size += s.Used
		}
	}
	return size - pos.Off
}
