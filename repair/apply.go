package repair

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/repair/staging"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// ApplyOptions say where the result of a plan goes.
type ApplyOptions struct {
	FS vfs.FS // that is written to; nil: the machine's

	// Output is the data directory that is made, or the log where the source is only that; InPlace puts
	// the result in the place of the source, and keeps the original beside it. One of them is given.
	Output  string
	InPlace bool
	// At is where the source lies on the machine; the zero value for one in an archive.
	At change.Place

	Dir string // that relative paths of donors start from; the process's own by default

	Now      time.Time
	Command  string // for the record
	Version  string
	Progress func(what string, done, total int64) // is told how many bytes are done; it may be nil
}

// Result is what applying a plan has made.
type Result struct {
	Report *outlook.Report // of the new log
	Change *change.Change  // what is on record about it
}

// Apply makes what a plan says. The source is not changed; the result appears under its name when it is
// written, synced, verified and compared with the source, entry by entry, or not at all.
//
// The error is a *ChangedError if the source isn't what the plan was made for, one that is Refused if the plan loses
// entries and that isn't accepted, and vfs.ErrLocked if a running process holds the source.
func (p *Plan) Apply(ctx context.Context, m *Member, o ApplyOptions) (r *Result, err error) {
	if err := p.mayApply(m); err != nil {
		return nil, err
	}
	if o.FS == nil {
		o.FS = vfs.OS
	}
	if err := p.Source.checkSame(ctx, m); err != nil {
		return nil, err
	}
	staged, err := change.Begin(change.Options{FS: o.FS, Source: o.At, InPlace: o.InPlace, Output: o.Output,
		LogOnly: m.Place.Snap.State != datadir.Present, Now: o.Now})
	if err != nil {
		return nil, err
	}
	r, err = p.make(ctx, m, staged, &o)
	if err != nil {
		return nil, errors.Join(err, staged.Remove())
	}
	return r, nil
}

// mayApply refuses plans that there is nothing to do by, or that may not be executed.
func (p *Plan) mayApply(m *Member) error {
	switch {
	case p.Format != PlanFormat:
		return fmt.Errorf("the plan has format %d, want %d", p.Format, PlanFormat)
	case p.Status == StatusLoss:
		return refused("the plan loses %s; make it with --accept-loss if that may be", p.Cost.losses())
	case p.Status == StatusNone:
		return refused("no remedy helps with this log")
	case m.Log == nil:
		return fmt.Errorf("%s: %w", m.Name, errors.Join(datadir.ErrNoLog, m.LogErr))
	}
	return p.Changes.Check(len(p.Source.Donors))
}

// make writes all that belongs to the result, and places it.
func (p *Plan) make(ctx context.Context, m *Member, staged *change.Staged, o *ApplyOptions) (*Result, error) {
	if err := p.writeSnap(ctx, m, staged, o); err != nil {
		return nil, err
	}
	donors, err := p.openDonors(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	made, err := edit.Make(ctx, edit.Options{FS: o.FS, Dir: staged.Log(), Source: m.Log, Changes: &p.Changes, Lost: p.Cost.Lost,
		Donors: donors.views, View: p.viewed(), Progress: o.Progress, Unchanged: func(ctx context.Context) error { return p.stillSame(ctx, m) }})
	if err = errors.Join(err, donors.close()); err != nil {
		return nil, err
	}
	record := change.Record{Command: o.Command, Version: o.Version, Source: m.Name, Plan: p.Hash(), Sums: made.Sums(o.At.Log, staged.Log())}
	for i := range p.Steps {
		record.What = append(record.What, p.Steps[i].Remedy+": "+p.Steps[i].Does)
	}
	placed, err := staged.Place(ctx, record)
	if err != nil {
		return nil, err
	}
	return &Result{Report: made.Report, Change: placed}, nil
}

// Hash returns the sha256 of the plan, in hex.
func (p *Plan) Hash() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // it is plain data: our own bug
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// writeSnap writes the snapshot files that are new, and, unless the result takes the source's place, copies the
// others and the database.
func (p *Plan) writeSnap(ctx context.Context, m *Member, staged *change.Staged, o *ApplyOptions) error {
	for _, name := range p.Changes.Quarantine {
		staged.Quarantine(name)
	}
	if staged.Snap() == "" {
		return nil
	}
	for i := range p.Changes.Snapshots {
		s := &p.Changes.Snapshots[i]
		if err := writeFile(o.FS, filepath.Join(staged.Snap(), s.Name), s.Data); err != nil {
			return err
		}
	}
	if o.InPlace {
		return nil
	}
	place := &m.Place.Snap
	files, err := snapshot.Files(ctx, place.FS, place.Path)
	if err != nil {
		return err
	}
	for i := range files {
		f := &files[i]
		to := filepath.Join(staged.Snap(), f.Name)
		switch f.Kind {
		case snapshot.KindTemp, snapshot.KindDefrag, snapshot.KindOther, snapshot.KindBroken:
			continue // etcd removes them, or never looks at them
		case snapshot.KindDatabase:
			to = staged.Database()
		}
		if slices.Contains(p.Changes.Quarantine, f.Name) {
			continue
		}
		if err := o.copyFile(ctx, place, f.Name, to); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func writeFile(fsys vfs.FS, name string, data []byte) (err error) {
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, staging.FileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(data)
	return err
}

// copyFile copies a file of the source's to one of the result's.
func (o *ApplyOptions) copyFile(ctx context.Context, from *datadir.Place, name, to string) (err error) {
	in, err := from.FS.Open(path.Join(from.Path, name))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := o.FS.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, staging.FileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.CopyBuffer(out, &polled{ctx: ctx, r: in, tell: o.telling("copy "+name, info.Size())}, make([]byte, 1<<20))
	return err
}

// telling returns a function that is to be called with how many bytes of something are done.
func (o *ApplyOptions) telling(what string, total int64) func(done int64) {
	if o.Progress == nil {
		return nil
	}
	return func(done int64) { o.Progress(what, done, total) }
}

// stillSame compares the source with what the plan was made for, where that was not done by its contents before.
func (p *Plan) stillSame(ctx context.Context, m *Member) error {
	if p.Source.stamps == nil {
		return nil
	}
	return p.Source.checkUnchanged(ctx, m.Name, m.Log)
}

// viewed returns the view that the plan was made of; nil where the source may have changed since.
func (p *Plan) viewed() *wal.View {
	if p.Source.stamps == nil {
		return nil
	}
	return p.Source.view
}

// donorLogs are the logs of members that entries are taken from.
type donorLogs struct {
	logs  []*wal.Log
	views []*wal.View
}

// openDonors opens the members that entries are taken from.
func (p *Plan) openDonors(ctx context.Context, dir string) (*donorLogs, error) {
	d := &donorLogs{}
	for i := range p.Source.Donors {
		if err := d.open(ctx, &p.Source.Donors[i], dir); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", p.Source.Donors[i].Path, err), d.close())
		}
	}
	return d, nil
}

func (d *donorLogs) open(ctx context.Context, s *Source, dir string) error {
	place, err := datadir.FindPath(s.Path, datadir.Options{WalDir: s.WalDir, Dir: dir})
	if err != nil {
		return err
	}
	log, err := wal.OpenMember(place)
	if err != nil {
		return err
	}
	d.logs = append(d.logs, log)
	if err := s.checkUnchanged(ctx, s.Path, log); err != nil {
		return err
	}
	view, err := log.View(ctx)
	d.views = append(d.views, view)
	return err
}

func (d *donorLogs) close() error {
	var errs []error
	for _, log := range d.logs {
		errs = append(errs, log.Close())
	}
	return errors.Join(errs...)
}
