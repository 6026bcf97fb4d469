package repair

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

const classEtcdStop = string(outlook.ClassEtcdStop)

// databaseUnfit says why the log can't begin with what the database has applied; empty if it can. The database is
// read as a whole for that, once.
func (d *draft) databaseUnfit(ctx context.Context) (why string, err error) {
	if d.unfit == nil {
		why, err := d.checkDatabase(ctx)
		if err != nil {
			return "", err
		}
		d.unfit = &why
	}
	return *d.unfit, nil
}

func (d *draft) checkDatabase(ctx context.Context) (why string, err error) {
	p := &d.member.Place.Database
	db, err := database.Open(ctx, p.FS, p.Path, database.Options{})
	if err != nil {
		return err.Error(), ctx.Err()
	}
	defer func() { _ = db.Close() }() // opened for reading
	report, err := db.Verify(ctx, database.VerifyOptions{})
	if err != nil {
		return err.Error(), ctx.Err()
	}
	for i := range report.Findings {
		if f := &report.Findings[i]; f.Severity == verdict.Error {
			return f.String(), nil
		}
	}
	return d.databaseForeign(ctx)
}

// databaseForeign says why the database isn't that of the log's member and moment.
func (d *draft) databaseForeign(ctx context.Context) (why string, err error) {
	m := d.member.Database
	in := &crosscheck.Input{View: d.view(), Files: d.files, Database: &crosscheck.Database{Meta: m.Meta, Members: m.Members}}
	lostEnd := m.Meta.ConsistentIndex > d.view().LastIndex() // then the log can't know the database's term
	for _, f := range crosscheck.Check(in) {
		if f.Class == crosscheck.ClassForeign || f.Class == crosscheck.ClassTerm && !lostEnd {
			return fmt.Sprintf("%s: %s", f.Class, f.Evidence), nil
		}
	}
	return "", ctx.Err()
}

// synthesise makes a snapshot of the last entry that the database has applied, as etcd makes it: the state is the
// database's, and the .snap file says who is a member.
func (d *draft) synthesise() (*beginning, error) {
	id, ok := d.appliedID()
	if !ok {
		d.refuse("begin_anew", "nothing tells the term of entry %d, the last that the database has applied", id.Index)
		return nil, nil
	}
	if !d.goesOnFrom(id.Index) {
		return nil, nil // told by another remedy
	}
	return d.madeOf(id)
}

// madeOf makes the snapshot of the last entry that the database has applied. It is nil if the database doesn't say who is
// a member.
func (d *draft) madeOf(id raftpb.EntryID) (*beginning, error) {
	conf := confOfMembers(&d.member.Database.Members)
	if len(conf.Voters) == 0 {
		d.refuse("begin_anew", "the database doesn't say who is a member")
		return nil, nil
	}
	store, err := snapshot.NewStore(membershipOf(d.member.Database))
	if err != nil {
		return nil, err
	}
	snap := &raftpb.Snapshot{Data: store.AppendJSON(nil),
		Metadata: raftpb.SnapshotMetadata{ConfState: conf, Index: id.Index, Term: id.Term}}
	data, err := snapshot.Encode(snap, d.flavor())
	if err != nil {
		return nil, err
	}
	return &beginning{
		beside:   d.v2Keys(),
		snapshot: wal.Snapshot{Index: id.Index, Term: id.Term, ConfState: &conf},
		file:     &edit.SnapFile{Name: snapshot.FileName(id), Data: data},
	}, nil
}

// appliedID returns the last entry that the database has applied, with its term.
func (d *draft) appliedID() (id raftpb.EntryID, ok bool) {
	id = d.applied()
	if id.Term == 0 {
		id.Term, _ = d.termOf(id.Index)
	}
	return id, id.Term > 0 && id.Index > 0
}

// confOfMembers returns the membership that the database lists.
func confOfMembers(m *database.Members) (c raftpb.ConfState) {
	for _, x := range m.Members {
		if x.Learner {
			c.Learners = append(c.Learners, x.ID)
		} else {
			c.Voters = append(c.Voters, x.ID)
		}
	}
	slices.Sort(c.Voters)
	slices.Sort(c.Learners)
	return c
}

func membershipOf(db *Database) snapshot.Membership {
	m := snapshot.Membership{Removed: db.Members.Removed, Version: db.Meta.ClusterVersion}
	for _, x := range db.Members.Members {
		m.Members = append(m.Members, snapshot.Member{ID: x.ID, Name: x.Name, PeerURLs: x.PeerURLs, ClientURLs: x.ClientURLs,
			Learner: x.Learner})
	}
	return m
}

// v2Keys says where there are keys of v2 clients, which aren't in the database; empty if there are none.
func (d *draft) v2Keys() string {
	for i := range d.report.Outlooks {
		if stop := d.report.Outlooks[i].Stop; stop != nil && strings.HasPrefix(stop.Trigger, "v2_c") {
			return "v2 clients have keys here, as at " + stop.Pos.String()
		}
	}
	newest := snapshot.Newest(d.files, nil)
	if newest == nil {
		return ""
	}
	p := &d.member.Place.Snap
	snap, err := snapshot.Read(p.FS, p.Path, newest.ID)
	if err != nil {
		return ""
	}
	store, err := snapshot.ParseStore(snap.Data)
	if err != nil {
		return ""
	}
	for k := range store.Keys() {
		return fmt.Sprintf("v2 clients have keys, such as %s in %s", k.Path, newest.Name)
	}
	return ""
}
