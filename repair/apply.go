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
	"github.com/raftctl/raftctl/repair/outlook"
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
	Progress func(what string, done, total int64)
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
	return nil
}

// make writes all that belongs to the result, and places it.
func (p *Plan) make(ctx context.Context, m *Member, staged *change.Staged, o *ApplyOptions) (*Result, error) {
	if err := p.writeSnap(ctx, m, staged, o); err != nil {
		return nil, err
	}
	w := &logWriter{fs: o.FS, plan: p, dir: staged.Log(), source: m.Log, donorDir: o.Dir}
	report, err := w.run(ctx, m)
	if err = errors.Join(err, w.close()); err != nil {
		return nil, err
	}
	record := change.Record{Command: o.Command, Version: o.Version, Source: m.Name, Plan: p.Hash(), Sums: w.sums.byPath(w.dir, o.At.Log)}
	for i := range p.Steps {
		record.What = append(record.What, p.Steps[i].Remedy+": "+p.Steps[i].Does)
	}
	placed, err := staged.Place(ctx, record)
	if err != nil {
		return nil, err
	}
	return &Result{Report: report, Change: placed}, nil
}

// byPath returns the sums by the paths of the files.
func (s *sums) byPath(made, source string) map[string]change.Sum {
	all := map[string]change.Sum{}
	for name, sum := range s.made {
		all[filepath.Join(made, name)] = sum
	}
	if source == "" {
		return all
	}
	for name, sum := range s.source {
		all[filepath.Join(source, name)] = sum
	}
	return all
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
		if err := copyFile(ctx, o.FS, place, f.Name, to); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func writeFile(fsys vfs.FS, name string, data []byte) (err error) {
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(data)
	return err
}

// copyFile copies a file of the source's to one of the result's.
func copyFile(ctx context.Context, fsys vfs.FS, from *datadir.Place, name, to string) (err error) {
	in, err := from.FS.Open(path.Join(from.Path, name))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	out, err := fsys.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.CopyBuffer(out, &polled{ctx, in}, make([]byte, 1<<20))
	return err
}

// run makes the log in a folder that doesn't exist yet, and proves it.
func (w *logWriter) run(ctx context.Context, m *Member) (report *outlook.Report, err error) {
	w.laid = newOverlay(m.Log, &w.plan.Changes)
	if w.log, err = w.laid.open(m.Log); err != nil {
		return nil, err
	}
	if w.plan.Changes.Rewrite != nil {
		if w.view, err = w.log.View(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.openDonors(ctx); err != nil {
		return nil, err
	}
	if err := w.write(ctx); err != nil {
		return nil, err
	}
	if s := &w.plan.Source; s.stamps != nil { // else the sums were compared before
		if err := s.checkUnchanged(ctx, m.Name, w.source); err != nil {
			return nil, err
		}
	}
	made, err := w.openMade(m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	return w.prove(ctx, made)
}

// openMade opens the new log, with what lies beside it as that will be.
func (w *logWriter) openMade(m *Member) (*wal.Log, error) {
	made := m.Place.Borrow()
	made.Snap = w.log.Member().Snap
	made.Log = datadir.Place{State: datadir.Present, FS: vfs.DirFS(w.fs, w.dir), Path: ".", Name: w.dir}
	made.Single, made.Archived = false, false
	return wal.OpenMember(made)
}

// openDonors opens the members that entries are taken from.
func (w *logWriter) openDonors(ctx context.Context) error {
	for i := range w.plan.Source.Donors {
		s := &w.plan.Source.Donors[i]
		place, err := datadir.FindPath(s.Path, datadir.Options{WalDir: s.WalDir, Dir: w.donorDir})
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		log, err := wal.OpenMember(place)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		w.opened = append(w.opened, log)
		if err := s.checkUnchanged(ctx, s.Path, log); err != nil {
			return err
		}
		view, err := log.View(ctx)
		if err != nil {
			return err
		}
		w.donors = append(w.donors, view)
	}
	return nil
}

func (w *logWriter) close() error {
	var errs []error
	for _, log := range append(slices.Clone(w.opened), w.log) {
		if log != nil {
			errs = append(errs, log.Close())
		}
	}
	return errors.Join(errs...)
}
