package change

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/staging"
)

// timeLayout is how a time stands in names.
const timeLayout = "20060102T150405Z"

// inPlace is a result that takes the place of what it was made of.
type inPlace struct {
	o     *Options
	fs    vfs.FS
	at    Place
	locks locks

	id        string // of the change
	folder    string // beside the log; the new one is made in it
	added     string // beside the snapshot files, a folder with those that are added; empty: there is none
	bad       []string
	begun     bool // it is on record, so that only a record ends it
	completed bool
}

func newInPlace(o *Options) (result, error) {
	r := &inPlace{o: o, fs: o.FS, at: o.Source, locks: locks{fs: o.FS}}
	if r.at.Log == "" {
		return nil, errors.New("a change in place of no log")
	}
	if err := r.begin(); err != nil {
		return nil, errors.Join(err, r.remove())
	}
	return r, nil
}

// begin checks what can be checked, and makes the folders.
func (r *inPlace) begin() error {
	if err := checkWhole(r.fs, r.at); err != nil { // before anything else, since it may be why the log is missing
		return err
	}
	if err := checkMovable(r.fs, r.at.Log); err != nil {
		return err
	}
	if err := r.locks.take(r.at.Log); err != nil {
		return err
	}
	if len(r.locks.held) == 0 {
		return &UnfitError{Path: r.at.Log, Why: "there is no segment in it"}
	}
	if err := checkDatabase(r.fs, r.at); err != nil {
		return err
	}
	if err := checkWhole(r.fs, r.at); err != nil { // nobody else changes the log from here on
		return err
	}
	return r.makeFolders()
}

// checkWhole refuses a place where an earlier change was interrupted.
func checkWhole(fsys vfs.FS, at Place) error {
	changes, err := History(fsys, at)
	if err != nil {
		return err
	}
	for i := range changes {
		if s := changes[i].State; s == HalfDone || s == HalfUndone {
			return &HalfDoneError{&changes[i]}
		}
	}
	return nil
}

// checkMovable refuses a log that can't get another name.
func checkMovable(fsys vfs.FS, log string) error {
	info, err := fsys.Stat(log)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &UnfitError{Path: log, Why: "there is no log"}
	case err != nil:
		return err
	case !info.IsDir():
		return &UnfitError{Path: log, Why: "it is no folder of segments"}
	}
	is, err := vfs.IsMount(fsys, log)
	if err == nil && is {
		return &UnfitError{Path: log, Why: "a file system is mounted there, so that it can't get another name"}
	}
	return err
}

// makeFolders makes the folders beside what is there, of the same owner.
func (r *inPlace) makeFolders() error {
	mark := staging.NewMark(staging.Changing)
	r.id = strings.TrimPrefix(mark, string(staging.Changing))
	r.folder = r.at.Log + mark
	if err := r.makeFolder(r.folder, r.at.Log); err != nil {
		return err
	}
	if r.at.Snap == "" {
		return nil
	}
	r.added = r.at.Snap + mark
	return r.makeFolder(r.added, r.at.Snap)
}

func (r *inPlace) makeFolder(name, like string) error {
	info, err := r.fs.Stat(like)
	if err != nil {
		return err
	}
	if err := r.fs.MkdirAll(name, staging.DirMode); err != nil {
		return &UnfitError{filepath.Dir(name), "no folder can be made in it", err}
	}
	if err := vfs.Adopt(r.fs, name, info, info.Mode()); err != nil {
		return &UnfitError{like, "what is made can't be given to its owner", err}
	}
	return nil
}

func (r *inPlace) log() string      { return filepath.Join(r.folder, staging.WALName) }
func (r *inPlace) snap() string     { return r.added }
func (r *inPlace) database() string { return "" }

func (r *inPlace) quarantine(name string) {
	if !slices.Contains(r.bad, name) {
		r.bad = append(r.bad, name)
	}
}

// remove removes what was made. Of a change that was interrupted, and could not be taken back, all stays.
func (r *inPlace) remove() error {
	var errs []error
	if !r.begun || r.completed {
		for _, dir := range []string{r.folder, r.added} {
			if dir != "" {
				errs = append(errs, r.fs.RemoveAll(dir))
			}
		}
		r.folder, r.added = "", ""
	}
	return errors.Join(append(errs, r.locks.release())...)
}

// dress gives what is new the owner and the permissions of what it replaces. Otherwise an etcd that runs as
// another user could not open it.
func (r *inPlace) dress() error {
	if err := r.dressLog(); err != nil || r.added == "" {
		return err
	}
	snap, err := r.fs.Stat(r.at.Snap)
	if err != nil {
		return err
	}
	return walk(r.fs, r.added, func(path string, info fs.FileInfo) error {
		if info.IsDir() {
			return nil
		}
		return vfs.Adopt(r.fs, path, snap, info.Mode().Perm())
	})
}

func (r *inPlace) dressLog() error {
	folder, err := r.fs.Stat(r.at.Log)
	if err != nil {
		return err
	}
	segment := r.locks.held[len(r.locks.held)-1].info
	return walk(r.fs, r.log(), func(path string, info fs.FileInfo) error {
		if info.IsDir() {
			return vfs.Adopt(r.fs, path, folder, folder.Mode().Perm())
		}
		like := segment
		for _, s := range r.locks.held {
			if s.name == filepath.Base(path) {
				like = s.info
			}
		}
		return vfs.Adopt(r.fs, path, like, like.Mode().Perm())
	})
}

// stuck makes an error of moving a log one that says what helps, where that is the file system's nature.
func (r *inPlace) stuck(err error) error {
	if errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EBUSY) {
		return &UnfitError{r.at.Log, "it can't get another name", err}
	}
	return err
}

// event returns an event that says what the caller has said.
func (rec *Record) event(k kind, now time.Time) *event {
	return &event{Event: k, Time: now.UTC().Truncate(time.Millisecond), Command: rec.Command, Version: rec.Version,
		What: rec.What, Plan: rec.Plan}
}

// keptName returns a name beside the log that nothing has, such as wal.before-20261129T010203Z.
func keptName(fsys vfs.FS, at Place, what string, now time.Time) (string, error) {
	return unused(fsys, fmt.Sprintf("%s.%s-%s", at.Log, what, now.UTC().Format(timeLayout)))
}
