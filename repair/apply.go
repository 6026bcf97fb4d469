package repair

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// ChangedError is returned when the files that a plan was made for are not what they were then.
type ChangedError struct{ Path, File string }

// Error says which file.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s: %s has changed since the plan was made; make a new one", e.Path, e.File)
}

// checkSource compares the files of a log with those that a plan was made for.
func checkSource(ctx context.Context, s *Source, log *wal.Log) error {
	files, err := filesOf(ctx, log)
	if err != nil {
		return err
	}
	for i, f := range files {
		if i >= len(s.Files) || s.Files[i] != f {
			return &ChangedError{s.Path, f.Name}
		}
	}
	if len(files) < len(s.Files) {
		return &ChangedError{s.Path, s.Files[len(files)].Name}
	}
	return nil
}

// writeLog makes the log of a plan in a folder that doesn't exist yet, and proves it.
func (p *Plan) writeLog(ctx context.Context, fsys vfs.FS, m *Member, dir string) (report *outlook.Report, err error) {
	w := &logWriter{fs: fsys, plan: p, dir: dir}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.log, err = newOverlay(m.Log, &p.Changes).open(m.Log); err != nil {
		return nil, err
	}
	if w.view, err = w.log.View(ctx); err != nil {
		return nil, err
	}
	if err := w.openDonors(ctx); err != nil {
		return nil, err
	}
	if err := w.write(ctx); err != nil {
		return nil, err
	}
	made, err := wal.Open(vfs.DirFS(fsys, dir), ".")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	return w.prove(ctx, made)
}

// openDonors opens the members that entries are taken from.
func (w *logWriter) openDonors(ctx context.Context) error {
	for i := range w.plan.Source.Donors {
		s := &w.plan.Source.Donors[i]
		place, err := datadir.FindPath(s.Path, datadir.Options{WalDir: s.WalDir})
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		log, err := wal.OpenMember(place)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		w.opened = append(w.opened, log)
		if err := checkSource(ctx, s, log); err != nil {
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

var _ = os.Getpid
