package repair

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"time"

	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

// stamp is what the file system says of a segment: a plan that is applied in the process that made it needs no
// more to see that nothing has changed.
type stamp struct {
	name string
	size int64
	mod  time.Time
}

func stampsOf(log *wal.Log) (list []stamp, err error) {
	for _, s := range log.Segments() {
		info, err := fs.Stat(log.FS(), path.Join(log.Dir(), s.File))
		if err != nil {
			return nil, err
		}
		list = append(list, stamp{s.File, info.Size(), info.ModTime()})
	}
	return list, nil
}

// describeSource notes what the plan is made for, before anything is decided.
func (d *draft) describeSource() error {
	s := &d.plan.Source
	if err := s.describe(d.member.Log); err != nil {
		return err
	}
	if a := d.applied(); a.Index > 0 {
		s.Applied = &EntryID{a.Term, a.Index}
	}
	if len(d.donors) > 0 {
		s.Donors = make([]Source, len(d.donors))
	}
	for i, donor := range d.donors {
		s.Donors[i].Path = donor.Name
		if err := s.Donors[i].describe(donor.Log); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) describe(log *wal.Log) (err error) {
	s.stamps, err = stampsOf(log)
	for _, x := range s.stamps {
		s.Files = append(s.Files, File{Name: x.name, Size: x.size})
	}
	return err
}

// seal adds the sha256 of all files that the plan was made for, and makes paths absolute, so that it can be stored and
// applied later, wherever that is.
func (d *draft) seal(ctx context.Context) (err error) {
	s := &d.plan.Source
	if s.Files, err = filesOf(ctx, d.member.Log); err != nil {
		return err
	}
	if s.Snaps, err = d.member.snaps(ctx); err != nil {
		return err
	}
	if err := s.settle(d.o.Dir); err != nil {
		return err
	}
	for i, donor := range d.donors {
		if s.Donors[i].Files, err = filesOf(ctx, donor.Log); err != nil {
			return err
		}
		if err := s.Donors[i].settle(d.o.Dir); err != nil {
			return err
		}
	}
	return nil
}

// settle makes paths absolute that start from a directory; the process's own by default.
func (s *Source) settle(dir string) (err error) {
	for _, name := range []*string{&s.Path, &s.WalDir} {
		if *name == "" || filepath.IsAbs(*name) {
			continue
		}
		if *name, err = filepath.Abs(filepath.Join(dir, *name)); err != nil {
			return err
		}
	}
	return nil
}

// snaps returns the .snap files of a member by their contents.
func (m *Member) snaps(ctx context.Context) (list []File, err error) {
	for i := range m.Files {
		if f := &m.Files[i]; f.Kind == snapshot.KindSnapshot {
			x, err := fileOf(ctx, m.Place.Snap.FS, path.Join(m.Place.Snap.Path, f.Name))
			if err != nil {
				return nil, err
			}
			list = append(list, x)
		}
	}
	return list, nil
}

// filesOf returns the segments of a log by their contents.
func filesOf(ctx context.Context, log *wal.Log) ([]File, error) {
	segments := log.Segments()
	list := make([]File, len(segments))
	err := edit.InParallel(ctx, len(segments), func(ctx context.Context, i int) (err error) {
		list[i], err = fileOf(ctx, log.FS(), path.Join(log.Dir(), segments[i].File))
		return err
	})
	return list, err
}

func fileOf(ctx context.Context, fsys fs.FS, name string) (File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	sum := sha256.New()
	n, err := io.Copy(sum, &polled{ctx: ctx, r: f})
	return File{Name: path.Base(name), Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// polled is a reader that ends with its context.
type polled struct {
	ctx  context.Context
	r    io.Reader
	tell func(done int64) // that so many bytes are read; may be nil
	done int64
}

func (p *polled) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	if p.done += int64(n); p.tell != nil {
		p.tell(p.done)
	}
	return n, err
}

// ChangedError is returned when the files that a plan was made for are not what they were then.
type ChangedError struct{ Path, File string }

// Error says which file.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s: %s is not what the plan was made for; make a new one", e.Path, e.File)
}

// Refused reports that this is a refusal, for the exit status: what the plan says of its cost may not be true any more.
func (e *ChangedError) Refused() bool { return true }

// checkSame compares a member with the one that a plan was made for.
func (s *Source) checkSame(ctx context.Context, m *Member) error {
	if err := s.checkUnchanged(ctx, m.Name, m.Log); err != nil {
		return err
	}
	if at := m.Database.Applied(); s.Applied != nil && *s.Applied != (EntryID{at.Term, at.Index}) {
		return &ChangedError{m.Name, "the database"}
	}
	if s.stamps != nil {
		return nil
	}
	now, err := m.snaps(ctx)
	if err != nil {
		return err
	}
	return compareFiles(m.Name, now, s.Snaps)
}

// checkUnchanged compares the files of a log, which is called name, with those that a plan was made for.
func (s *Source) checkUnchanged(ctx context.Context, name string, log *wal.Log) error {
	if s.stamps != nil {
		now, err := stampsOf(log)
		if err != nil {
			return err
		}
		for i, x := range now {
			if i >= len(s.stamps) || x != s.stamps[i] {
				return &ChangedError{name, x.name}
			}
		}
		if len(now) < len(s.stamps) {
			return &ChangedError{name, s.stamps[len(now)].name}
		}
		return nil
	}
	now, err := filesOf(ctx, log)
	if err != nil {
		return err
	}
	return compareFiles(name, now, s.Files)
}

// compareFiles returns an error for the first file that isn't the same, or that isn't there any more.
func compareFiles(name string, now, then []File) error {
	for i, f := range now {
		if i >= len(then) || f != then[i] || f.SHA256 == "" {
			return &ChangedError{name, f.Name}
		}
	}
	if len(now) < len(then) {
		return &ChangedError{name, then[len(now)].Name}
	}
	return nil
}
