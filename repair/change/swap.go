package change

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// place is a swap in steps. Whatever comes between them, the log that lies at its place is the old one or
// the new one, as a whole, and the record tells what to do about the rest.
func (r *inPlace) place(ctx context.Context, rec *Record) (*Change, error) {
	if err := checkDatabase(r.fs, r.at); err != nil {
		return nil, err
	}
	e, err := r.prepare(ctx, rec)
	if err != nil {
		return nil, err
	}
	if err := appendAudit(r.fs, r.at, e); err != nil {
		return nil, err
	}
	r.begun = true
	err = r.swap(e)
	if err == nil {
		err = r.onRecord(kindDone)
	}
	if err != nil {
		return nil, r.takeBack(e, err)
	}
	r.completed = true
	_ = r.remove() // what is left of the folders is empty, and named by staging.Leftovers
	c := newChange(r.at, e)
	c.State, c.KeptThere = Done, true
	return c, nil
}

// onRecord says how the change has ended.
func (r *inPlace) onRecord(k kind) error {
	return appendAudit(r.fs, r.at, &event{Event: k, ID: r.id, Time: r.o.Now.UTC()})
}

// prepare makes everything durable, and says what is about to be done.
func (r *inPlace) prepare(ctx context.Context, rec *Record) (*event, error) {
	if err := r.dress(); err != nil {
		return nil, err
	}
	sums := summer{fs: r.fs, known: rec.Sums, progress: r.o.Progress, lenient: []string{r.at.Log, r.at.Snap}}
	e := rec.event(kindBegun, r.o.Now)
	e.ID, e.Log, e.Staged = r.id, r.at.Log, filepath.Base(r.folder)
	var err error
	if e.Elsewhere, err = r.at.elsewhere(r.fs); err != nil {
		return nil, err
	}
	if err := r.list(&sums, e); err != nil {
		return nil, err
	}
	synced := make(chan error, 1)
	go func() { synced <- r.sync() }()
	err = r.sumUp(ctx, &sums, e)
	if err = errors.Join(err, <-synced); err != nil {
		return nil, err
	}
	kept, err := keptName(r.fs, r.at, "before", r.o.Now)
	if err != nil {
		return nil, err
	}
	e.Kept = filepath.Base(kept)
	return e, r.locks.takeMore(r.log())
}

// list notes which files there are, and checks that those which are added don't replace any.
func (r *inPlace) list(sums *summer, e *event) (err error) {
	if e.Before, err = sums.folder(r.at.Log); err != nil {
		return err
	}
	if e.After, err = sums.folder(r.log()); err != nil {
		return err
	}
	if len(segments(e.After)) == 0 {
		return fmt.Errorf("%s: no segment was written", r.log())
	}
	if r.added == "" && len(r.bad) == 0 {
		return nil
	}
	if r.added == "" {
		return fmt.Errorf("%s: there is no folder of snapshot files", r.bad[0])
	}
	if e.Added, err = sums.folder(r.added); err != nil {
		return err
	}
	for _, name := range r.bad {
		q, err := r.listBad(name)
		if err != nil {
			return err
		}
		e.Quarantined = append(e.Quarantined, q)
	}
	for _, f := range e.Added {
		is, err := exists(r.fs, filepath.Join(r.at.Snap, f.Name))
		if err != nil {
			return err
		}
		if is && !slices.Contains(r.bad, f.Name) {
			return fmt.Errorf("%s: it exists", filepath.Join(r.at.Snap, f.Name))
		}
	}
	return nil
}

// brokenSuffix is what etcd puts behind the name of a snapshot file that it can't read.
const brokenSuffix = ".broken"

func (r *inPlace) listBad(name string) (Renamed, error) {
	path := filepath.Join(r.at.Snap, name)
	info, err := r.fs.Stat(path)
	if err != nil {
		return Renamed{}, err
	}
	to, err := unused(r.fs, path+brokenSuffix)
	return Renamed{File{Name: name, Size: info.Size()}, filepath.Base(to)}, err
}

// sumUp fills in the sums of all files.
func (r *inPlace) sumUp(ctx context.Context, sums *summer, e *event) error {
	bad := make([]File, len(e.Quarantined))
	for i, q := range e.Quarantined {
		bad[i] = q.File
	}
	err := sums.sum(ctx, map[string][]File{r.at.Log: e.Before, r.log(): e.After, r.added: e.Added, r.at.Snap: bad})
	for i := range bad {
		e.Quarantined[i].File = bad[i]
	}
	return err
}

// sync makes what was made durable, and the folders themselves: the old log will lie in one of them for a moment.
func (r *inPlace) sync() error {
	for _, dir := range []string{r.folder, r.added} {
		if dir == "" {
			continue
		}
		err := walk(r.fs, dir, func(path string, info fs.FileInfo) error { return syncAny(r.fs, path, info) })
		if err == nil {
			err = syncParents(r.fs, dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// swap gives everything its name.
func (r *inPlace) swap(e *event) error {
	if err := r.addFiles(e); err != nil {
		return err
	}
	if err := swapIn(r.fs, r.log(), r.at.Log, r.at.beside(e.Kept)); err != nil {
		return r.stuck(err)
	}
	if len(e.Quarantined) == 0 {
		return nil
	}
	for _, q := range e.Quarantined {
		if hasFile(e.Added, q.Name) {
			continue
		}
		if err := r.putAside(q); err != nil {
			return err
		}
	}
	return r.fs.SyncDir(r.at.Snap)
}

// addFiles adds snapshot files. Those that no record of the log names mean nothing to etcd.
func (r *inPlace) addFiles(e *event) error {
	if len(e.Added) == 0 {
		return nil
	}
	for _, q := range e.Quarantined {
		if !hasFile(e.Added, q.Name) {
			continue
		}
		if err := r.putAside(q); err != nil {
			return err
		}
	}
	for _, f := range e.Added {
		if err := r.fs.Rename(filepath.Join(r.added, f.Name), filepath.Join(r.at.Snap, f.Name)); err != nil {
			return err
		}
	}
	return syncParents(r.fs, filepath.Join(r.at.Snap, "x"), filepath.Join(r.added, "x"))
}

func (r *inPlace) putAside(q Renamed) error {
	return r.fs.Rename(filepath.Join(r.at.Snap, q.Name), filepath.Join(r.at.Snap, q.To))
}

func hasFile(list []File, name string) bool {
	return slices.ContainsFunc(list, func(f File) bool { return f.Name == name })
}

// takeBack puts back what was there, after an error. It says what is to be done where it can't.
func (r *inPlace) takeBack(e *event, cause error) error {
	back := putBack{fs: r.fs, at: r.at, e: e, kept: r.log(), now: r.o.Now}
	for _, dir := range []string{r.at.Log, r.at.beside(e.Kept), r.log()} {
		is, err := r.locks.lies(dir)
		if err != nil {
			return r.halfDone(cause, err)
		}
		if is {
			back.from = dir
			break
		}
	}
	err := back.run(context.Background()) // also where the caller's has ended
	if err == nil {
		err = r.onRecord(kindTakenBack)
	}
	if err != nil {
		return r.halfDone(cause, err)
	}
	r.begun = false
	return cause
}

func (r *inPlace) halfDone(cause, err error) error {
	return fmt.Errorf("%w; taking back what was done by then: %w; undo finishes that", cause, err)
}
