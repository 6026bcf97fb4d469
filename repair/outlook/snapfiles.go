package outlook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// snapFile is a .snap file, so far as it bears on what etcd does.
type snapFile struct {
	id    raftpb.EntryID // by its name
	conf  raftpb.ConfState
	store store
	err   error // why it could not be read; a *snapshot.CorruptError if it is damaged
}

func (f *snapFile) name() string { return snapshot.FileName(f.id) }

// readSnapshots reads the .snap files. What can't be read is a finding, since a verdict must not be
// ok by omission.
func (x *examination) readSnapshots(ctx context.Context) {
	snap := &x.member.Snap
	switch snap.State {
	case datadir.Unknown:
		return
	case datadir.Missing:
		x.listed = !x.member.Archived // which may have been made of the log alone
		return
	case datadir.Unreadable:
		x.unchecked(snap.Path, snap.Err)
		return
	}
	err := snapshot.Walk(ctx, snap.FS, snap.Path, x.addSnap)
	if err != nil {
		x.unchecked(snap.Path, err)
		return
	}
	x.listed = true
}

// addSnap adds a .snap file, with a snapshot if it is intact.
func (x *examination) addSnap(file *snapshot.File, s *raftpb.Snapshot) {
	if file.Kind != snapshot.KindSnapshot {
		return
	}
	f := snapFile{id: file.ID, conf: file.Metadata.ConfState, err: file.Err}
	if s != nil {
		f.store, f.err = parseStore(s.Data)
	}
	x.snaps = append(x.snaps, f)
}

func (x *examination) unchecked(name string, err error) {
	x.add(wal.ClassUnchecked, wal.SeverityWarning, wal.Position{Segment: path.Base(name)},
		fmt.Sprintf("the snapshot files were not checked: %v", err))
}

// intact returns the .snap files that etcd reads; nil if they aren't known.
func (x *examination) intact() []raftpb.EntryID {
	if !x.listed {
		return nil
	}
	ids := []raftpb.EntryID{}
	for i := range x.snaps {
		if f := &x.snaps[i]; f.err == nil || errors.Is(f.err, errStore) {
			ids = append(ids, f.id)
		}
	}
	return ids
}

// snapOf returns the intact .snap file of a snapshot, or nil.
func (x *examination) snapOf(id raftpb.EntryID) *snapFile {
	i := slices.IndexFunc(x.snaps, func(f snapFile) bool { return f.id == id && f.err == nil })
	if i < 0 {
		return nil
	}
	return &x.snaps[i]
}

// hasSnapDB reports whether the database that a leader sent with a snapshot lies beside the .snap
// files: etcd then puts it in place.
func (x *examination) hasSnapDB(index uint64) bool {
	snap := &x.member.Snap
	if snap.State != datadir.Present {
		return false
	}
	_, err := fs.Stat(snap.FS, path.Join(snap.Path, snapshot.DBFileName(index)))
	return err == nil
}

// checkFiles reports the .snap files that are damaged, foreign, or newer than the log.
func (x *examination) checkFiles() {
	newer := 0
	for i := range x.snaps {
		f := &x.snaps[i]
		at := wal.Position{Segment: f.name()}
		if f.err != nil {
			x.damaged(f, at, i == 0)
			continue
		}
		if x.report.View == nil {
			continue
		}
		if why := x.foreign(f); why != "" {
			x.add(ClassSnapshotForeign, wal.SeverityError, at, why)
			continue
		}
		if last := x.report.View.LastIndex(); f.id.Index > last && !x.goesOn() {
			if newer++; newer == 1 { // the newest; those behind it tell nothing more
				x.add(ClassSnapshotNewer, wal.SeverityError, at, fmt.Sprintf(
					"a snapshot of entry %d was taken, but the log ends at entry %d: its end is lost",
					f.id.Index, last))
			}
		}
	}
}

// goesOn reports whether the log has got another segment since it was opened.
func (x *examination) goesOn() bool {
	now, err := wal.Open(x.log.FS(), x.log.Dir())
	if err != nil {
		return false
	}
	defer func() { _ = now.Close() }() // opened for reading: nothing can be lost
	was, is := x.log.Segments(), now.Segments()
	return was[len(was)-1].File != is[len(is)-1].File
}

// damaged reports a .snap file that can't be read.
func (x *examination) damaged(f *snapFile, at wal.Position, newest bool) {
	corrupt, ok := errors.AsType[*snapshot.CorruptError](f.err)
	if !ok && !errors.Is(f.err, errStore) {
		x.add(wal.ClassUnchecked, wal.SeverityWarning, at, fmt.Sprintf("not checked: %v", f.err))
		return
	}
	evidence := f.err.Error()
	if ok {
		at.Off, evidence = corrupt.Off, corrupt.Err.Error()
	}
	sev := wal.SeverityWarning
	if newest {
		sev = wal.SeverityError
	}
	x.add(ClassSnapshotCorrupt, sev, at, evidence)
}

// foreign says why a .snap file can't be this member's, or nothing.
func (x *examination) foreign(f *snapFile) string {
	self := x.report.View.Metadata.NodeID
	if self == 0 || len(f.conf.Voters) == 0 {
		return ""
	}
	if !isMember(&f.conf, self) {
		return fmt.Sprintf("its members are %s; this one is %x", hexList(&f.conf), self)
	}
	for _, s := range x.report.View.Snapshots {
		if s.EntryID == f.id && s.ConfState != nil && !sameVoters(s.ConfState, &f.conf) {
			return fmt.Sprintf("its members are %s; the log's snapshot record has %s",
				hexList(&f.conf), hexList(s.ConfState))
		}
	}
	return ""
}

func isMember(c *raftpb.ConfState, id uint64) bool {
	for _, ids := range [][]uint64{c.Voters, c.Learners, c.VotersOutgoing, c.LearnersNext} {
		if slices.Contains(ids, id) {
			return true
		}
	}
	return false
}

func sameVoters(a, b *raftpb.ConfState) bool {
	return slices.Equal(slices.Sorted(slices.Values(a.Voters)), slices.Sorted(slices.Values(b.Voters)))
}

func hexList(c *raftpb.ConfState) string {
	const most = 9
	s := ""
	for i, id := range slices.Concat(c.Voters, c.Learners) {
		if i == most {
			return s + ", …"
		}
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%x", id)
	}
	return s
}

// checkSecond compares the log with the one in the data directory, where --wal-dir named another.
func (x *examination) checkSecond(ctx context.Context) {
	second := &x.member.Second
	at := wal.Position{Segment: path.Base(second.Path)}
	switch second.State {
	case datadir.Unknown, datadir.Missing:
		return
	case datadir.Unreadable:
		x.add(wal.ClassUnchecked, wal.SeverityWarning, at,
			fmt.Sprintf("the log in %s was not looked at: %v", second.Path, second.Err))
		return
	}
	if x.isLog(second) {
		return
	}
	view, err := viewOf(ctx, second)
	if err != nil {
		x.add(wal.ClassUnchecked, wal.SeverityWarning, at,
			fmt.Sprintf("the log in %s was not looked at: %v", second.Path, err))
		return
	}
	x.add(ClassSecondLog, wal.SeverityError, at, fmt.Sprintf(
		"%s holds another log, of member %x of cluster %x, up to entry %v, committed up to %d: "+
			"etcd uses that one when it is started without --wal-dir", second.Path,
		view.Metadata.NodeID, view.Metadata.ClusterID, view.Last, view.State.Commit))
}

// isLog reports whether a place is the log that is examined, perhaps by another name.
func (x *examination) isLog(p *datadir.Place) bool {
	a, errA := fs.Stat(p.FS, p.Path)
	b, errB := fs.Stat(x.log.FS(), x.log.Dir())
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func viewOf(ctx context.Context, p *datadir.Place) (*wal.View, error) {
	log, err := wal.Open(p.FS, p.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // opened for reading: nothing can be lost
	return log.View(ctx)
}
