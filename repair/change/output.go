package change

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

// output is a result that becomes a new directory.
type output struct {
	*staging.Dir
	o     *Options
	at    Place
	whole bool // it has its names
}

func newOutput(o *Options) (result, error) {
	s := staging.Options{FS: o.FS, DataDir: o.Output, Mark: staging.Changing}
	out := &output{o: o, at: Place{DataDir: o.Output, Log: filepath.Join(o.Output, staging.MemberName, staging.WALName),
		Snap: filepath.Join(o.Output, staging.MemberName, staging.SnapName)}}
	if o.LogOnly {
		s.DataDir, s.WalDir = "", o.Output
		out.at = Place{Log: o.Output}
	}
	err := checkOutside(o)
	if err == nil {
		err = staging.CheckVacant(o.FS, s.DataDir, s.WalDir)
	}
	if err != nil {
		return nil, err
	}
	if out.Dir, err = staging.New(s); err != nil {
		return nil, err
	}
	if err := out.Make(); err != nil {
		return nil, errors.Join(err, out.remove())
	}
	return out, nil
}

// checkOutside refuses a result that would lie in what it is made of.
func checkOutside(o *Options) error {
	l := locator{o.FS}
	to, err := l.named(o.Output)
	if err == nil {
		to, err = l.real(to)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the folder above it is missing as well
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{o.Source.DataDir, o.Source.Log, o.Source.Snap} {
		if dir == "" {
			continue
		}
		from, err := vfs.RealPath(o.FS, dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && staging.Within(to, from) != "" {
			return &staging.OccupiedError{Path: o.Output, Why: "it would lie in what it is made of"}
		}
	}
	return nil
}

func (r *output) log() string      { return r.Log() }
func (r *output) snap() string     { return r.Snap() }
func (r *output) database() string { return r.Database() }

// quarantine does nothing: a file that isn't wanted isn't copied.
func (r *output) quarantine(string) {}

func (r *output) remove() error {
	if r.whole {
		return nil
	}
	return r.Remove()
}

func (r *output) place(ctx context.Context, rec *Record) (*Change, error) {
	if err := r.finish(); err != nil {
		return nil, err
	}
	e := rec.event(kindMade, r.o.Now)
	e.ID, e.Log, e.Source = staging.NewMark(""), r.at.Log, rec.Source
	sums := summer{fs: r.o.FS, known: rec.Sums, progress: r.o.Progress}
	var err error
	if e.After, err = sums.folder(r.Log()); err != nil {
		return nil, err
	}
	if err := sums.sum(ctx, map[string][]File{r.Log(): e.After}); err != nil {
		return nil, err
	}
	// In a new data directory the audit file is there from the start. Elsewhere it lies beside the result.
	staged := Place{DataDir: filepath.Dir(r.Member())}
	within := !r.o.LogOnly && staged.DataDir != r.o.Output
	if within {
		err = appendAudit(r.o.FS, staged, e)
	}
	if err == nil {
		err = r.Place()
	}
	if err == nil && !within {
		err = appendAudit(r.o.FS, r.at, e)
	}
	if err != nil {
		return nil, err
	}
	r.whole = true
	return newChange(r.at, e), nil
}

// finish gives all files to the owner of the source, where the process may do that, and makes them durable.
func (r *output) finish() error {
	owner, err := r.owner()
	if err != nil {
		return err
	}
	for _, top := range r.Tops() {
		err := walk(r.o.FS, top, func(path string, info fs.FileInfo) error {
			if owner != nil {
				err := vfs.Adopt(r.o.FS, path, owner, info.Mode().Perm())
				if err != nil && !errors.Is(err, fs.ErrPermission) {
					return err
				}
			}
			return syncAny(r.o.FS, path, info)
		})
		if err != nil {
			return err
		}
	}
	return r.Sync()
}

// owner returns whose the source is; nil where it lies in an archive.
func (r *output) owner() (fs.FileInfo, error) {
	if r.o.Source.Log == "" {
		return nil, nil
	}
	info, err := r.o.FS.Stat(r.o.Source.Log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, err
}
