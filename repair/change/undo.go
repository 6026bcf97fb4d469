package change

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
)

// UndoOptions says what is undone.
type UndoOptions struct {
	FS    vfs.FS
	Place Place

	// AcceptLoss undoes a change also where the log has gone on since.
	AcceptLoss bool

	Command  string // the command line, for the record
	Version  string // of the program
	Now      time.Time
	Progress func(done, total int64) // of the bytes that are compared; it may be nil
}

// Undo is a change that is about to be undone. Nothing is changed before Run.
type Undo struct {
	Change   Change // the last one that isn't undone
	Original string // the folder in which the original lies
	UndoneTo string // the folder in which the log will be kept that is taken out
	Loss     *Loss  // what was written since; nil: nothing

	o     *UndoOptions
	locks locks
}

// PlanUndo finds the last change in place that isn't undone, and checks that what it has replaced is still
// there, bit for bit. It takes the locks that etcd takes, and keeps them until Close.
//
// The error is ErrNothing, [vfs.ErrLocked], or an [AlteredError].
func PlanUndo(ctx context.Context, o UndoOptions) (*Undo, error) {
	u := &Undo{o: &o, locks: locks{fs: o.FS}}
	if err := u.plan(ctx); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// Close gives up the locks.
func (u *Undo) Close() error { return u.locks.release() }

func (u *Undo) plan(ctx context.Context) error {
	at := u.o.Place
	if err := u.lock(); err != nil {
		return err
	}
	changes, err := History(u.o.FS, at)
	if err != nil {
		return err
	}
	if u.Change, err = last(changes); err != nil {
		return fmt.Errorf("%s: %w", at.Audit(), err)
	}
	elsewhere, err := at.elsewhere(u.o.FS)
	if err != nil {
		return err
	}
	if elsewhere != u.Change.begun.Elsewhere {
		return &OtherLogError{at.Log, u.Change.begun.Log}
	}
	if err := u.find(ctx); err != nil {
		return err
	}
	if u.Original != at.Log {
		if err := u.locks.takeMore(u.Original); err != nil {
			return err
		}
		if u.Loss, err = u.loss(ctx); err != nil {
			return err
		}
	}
	if u.UndoneTo = u.Change.UndoneTo; u.Change.State == HalfUndone {
		return nil
	}
	u.UndoneTo, err = keptName(u.o.FS, at, "undone", u.o.Now)
	return err
}

// lock locks the log that is in place, if there is one.
func (u *Undo) lock() error {
	is, err := exists(u.o.FS, u.o.Place.Log)
	if err != nil {
		return err
	}
	if is {
		if err := u.locks.take(u.o.Place.Log); err != nil {
			return err
		}
	}
	return checkDatabase(u.o.FS, u.o.Place)
}

// last returns the last change that can be undone.
func last(changes []Change) (Change, error) {
	for _, c := range slices.Backward(changes) {
		switch c.State {
		case Done, HalfDone, HalfUndone:
			return c, nil
		}
	}
	return Change{}, ErrNothing
}

// find finds the folder in which the original lies: an interrupted change may have left it in three places.
func (u *Undo) find(ctx context.Context) error {
	b := u.putBack()
	places := []string{b.at.beside(b.e.Kept)}
	if u.Change.State != Done {
		places = append(places, b.staged())
	}
	var first error
	for _, dir := range append(places, b.at.Log) {
		err := u.isOriginal(ctx, dir)
		if err == nil {
			u.Original = dir
			return nil
		}
		if _, altered := errors.AsType[*AlteredError](err); !altered {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// isOriginal returns an AlteredError if a folder doesn't hold the old log, bit for bit.
func (u *Undo) isOriginal(ctx context.Context, dir string) error {
	is, err := exists(u.o.FS, dir)
	if err != nil {
		return err
	}
	if !is {
		return &AlteredError{dir, "it is missing"}
	}
	return u.compare(ctx, dir, u.Change.Before)
}

// compare returns an AlteredError if a folder doesn't hold the files on record, and no others. Nothing is read
// where the names tell.
func (u *Undo) compare(ctx context.Context, dir string, want []File) error {
	s := summer{fs: u.o.FS, progress: u.o.Progress, lenient: []string{dir}}
	got, err := s.folder(dir)
	if err != nil {
		return err
	}
	name, why := differ(got, withoutSums(want))
	if name == "" {
		if err := s.sum(ctx, map[string][]File{dir: got}); err != nil {
			return err
		}
		name, why = differ(got, want)
	}
	if name != "" {
		return &AlteredError{filepath.Join(dir, name), why}
	}
	return nil
}

func withoutSums(files []File) []File {
	list := slices.Clone(files)
	for i := range list {
		list[i].SHA256 = ""
	}
	return list
}

func (u *Undo) putBack() *putBack {
	return &putBack{fs: u.o.FS, at: u.o.Place, e: u.Change.begun, from: u.Original, kept: u.UndoneTo, now: u.o.Now}
}

// Run undoes the change. It may be interrupted anywhere; the next one goes on. The error is a RefusedError if
// there is a loss that was not accepted.
func (u *Undo) Run(ctx context.Context) error {
	if u.Loss != nil && !u.o.AcceptLoss {
		return &RefusedError{errors.New(u.Loss.String())}
	}
	if err := checkDatabase(u.o.FS, u.o.Place); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e := &event{Event: kindUndoBegun, ID: u.Change.ID, Time: u.o.Now.UTC(), Command: u.o.Command, Version: u.o.Version,
		Kept: filepath.Base(u.UndoneTo)}
	if err := appendAudit(u.o.FS, u.o.Place, e); err != nil {
		return err
	}
	b := u.putBack()
	if err := b.run(context.WithoutCancel(ctx)); err != nil { // it takes a moment, and half of it is worse
		return err
	}
	if err := appendAudit(u.o.FS, u.o.Place, &event{Event: kindUndone, ID: e.ID, Time: u.o.Now.UTC()}); err != nil {
		return err
	}
	_ = b.clean() // they are empty, and named by staging.Leftovers
	return u.Close()
}
