package repair

import (
	"context"
	"fmt"
	"slices"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// keepSnapshot sees to it that a log whose beginning is gone still has a record of a snapshot that etcd can start
// from. ok is false if there is none.
func (d *draft) keepSnapshot(ctx context.Context, out *solution) (ok bool, err error) {
	r, v := out.rewrite, d.view()
	if r == nil || r.Begin != nil {
		return true, nil
	}
	first := v.LastIndex() + 1 // of the entries that go on to the end, but for what is filled
	for i, rng := range v.Ranges {
		if i == 0 || d.snapshotTo(rng.First) {
			first = rng.First
		}
	}
	least := max(first-1, d.log.Segments()[0].Name.Index) // etcd looks for the segment that a snapshot's entry is in
	if first <= 1 && d.log.Segments()[0].Name.Seq == 0 {
		if f := d.unrecorded(); f != nil && r.End == (edit.Place{}) {
			d.record(out, snapshotOfFile(f))
		}
		return true, nil
	}
	for i := range v.Snapshots {
		s := &v.Snapshots[i]
		kept := r.End == (edit.Place{}) || d.before(edit.PlaceOf(s.Pos), r.End)
		if s.Valid && s.Index >= least && s.Index > 0 && kept && d.confOf(s) != nil {
			return true, nil
		}
	}
	f := d.snapFrom(least)
	switch {
	case f != nil:
		d.record(out, snapshotOfFile(f))
		return true, nil
	case d.member.Place.Snap.State != datadir.Present:
		return true, nil // a log alone has no snapshots to start from, as it is
	}
	return d.makeSnapshot(ctx, out, least)
}

// makeSnapshot adds to a solution a snapshot that is made of the database, and a record of it, if all entries behind it
// are there then. ok is false if there is nothing to make it of, or entries are lost: then other ways come first.
func (d *draft) makeSnapshot(ctx context.Context, out *solution, least uint64) (ok bool, err error) {
	id, known := d.appliedID()
	if !known || id.Index < least || id.Index > max(d.lastOf(out).Index, d.view().LastIndex()) || out.loses() {
		return false, nil
	}
	if why, err := d.databaseUnfit(ctx); err != nil || why != "" {
		return false, err
	}
	at, err := d.madeOf(id)
	if err != nil || at == nil {
		return false, err
	}
	d.record(out, at.snapshot)
	out.snapshots = append(out.snapshots, *at.file)
	out.cost.Beside = at.beside
	out.steps = append(out.steps, Step{Remedy: beginAnew{}.Name(), Findings: out.steps[0].Findings,
		Does: fmt.Sprintf("make a snapshot of entry %v, from what the database says, and record it", id),
		Why:  "the log doesn't begin with entry 1, and no other snapshot is left that etcd could start from"})
	return true, nil
}

// unrecorded returns the newest .snap file that the log holds the entry of, if it has a record of none of them: with
// what is missing went the records of snapshots, and without any it looks like another log. It is nil otherwise.
func (d *draft) unrecorded() (newest *snapshot.File) {
	for i := range d.files {
		f := &d.files[i]
		if f.Kind != snapshot.KindSnapshot || f.Verdict != verdict.OK {
			continue
		}
		if slices.ContainsFunc(d.view().Snapshots, func(s wal.SnapshotRef) bool { return s.EntryID == f.ID }) {
			return nil
		}
		if f.ID.Index <= min(d.applied().Index, d.view().LastIndex()) && (newest == nil || f.ID.Index > newest.ID.Index) {
			newest = f
		}
	}
	return newest
}

// record lets a log that is written anew end with a record of a snapshot, ahead of its last hard state. That commits the
// snapshot's entry: etcd passes over snapshots that the log doesn't know to be committed.
func (d *draft) record(out *solution, snap wal.Snapshot) {
	r := out.rewrite
	in := edit.Insert{Kind: uint8(wal.KindSnapshot), Data: snap.AppendTo(nil, d.flavor())}
	r.Insert = append([]edit.Insert{in}, r.Insert...)
	if r.From == (edit.Place{}) && len(r.Skip) == 0 && !r.Ordered {
		r.From = edit.PlaceOf(d.scanned.last)
	}
	state := d.view().State
	isState := func(in edit.Insert) bool { return in.At == (edit.Place{}) && in.Kind == uint8(wal.KindState) }
	at := slices.IndexFunc(r.Insert, isState)
	if at >= 0 && state.Unmarshal(r.Insert[at].Data) != nil || state.Commit >= snap.Index || d.lastOf(out).Index < snap.Index {
		return
	}
	if at >= 0 {
		r.Insert = slices.Delete(r.Insert, at, at+1)
	}
	if state.Commit = snap.Index; state.Term < snap.Term {
		state.Term, state.Vote = snap.Term, 0
	}
	r.Insert = append(r.Insert, d.stateRecord(state))
}

// snapshotOfFile returns the record of a .snap file.
func snapshotOfFile(f *snapshot.File) wal.Snapshot {
	return wal.Snapshot{Index: f.ID.Index, Term: f.ID.Term, ConfState: &f.Metadata.ConfState}
}
