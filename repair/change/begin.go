package change

import (
	"context"
	"errors"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
)

// Options says what is changed, and where the result will lie.
type Options struct {
	FS vfs.FS

	// Source is where the files lie that the result is made of. Where it is an archive, it is the zero value.
	Source Place

	// InPlace puts the result in the place of Source. Otherwise Output is where it will lie: a data directory,
	// or only a log where LogOnly says so; there must be none.
	InPlace bool
	Output  string
	LogOnly bool

	Now time.Time

	// Progress is told how many bytes of how many were summed up; it may be nil.
	Progress func(done, total int64)
}

// Record is what is put on record about a change.
type Record struct {
	Command string   // the command line
	Version string   // of the program
	What    []string // what was done, a line each
	Plan    string   // the hash of the plan
	Source  string   // what the result is made of, as the user calls it

	// Sums are those of files that were read or written already, by path: of the source's log, or of
	// Staged's. The others are read once more.
	Sums map[string]Sum
}

// Staged is a result in the making.
//
// Nothing of it is seen under a final name before Place; what it is to replace stays as it is until then.
type Staged struct{ result }

// result is one that becomes a new directory, or takes the place of an old one.
type result interface {
	log() string
	snap() string
	database() string
	quarantine(name string)
	place(ctx context.Context, r *Record) (*Change, error)
	remove() error
}

// Begin makes the folders in which a result is made. With InPlace it takes the locks that etcd takes on
// the log, and keeps them until Place or Remove. The error is then [vfs.ErrLocked] if a running process has
// one, or holds the database; an [UnfitError] if the log can't be changed where it lies; and a
// [HalfDoneError] if an earlier change was interrupted. Otherwise it is a staging.OccupiedError if there is
// something where the result should lie.
func Begin(o Options) (*Staged, error) {
	var r result
	var err error
	switch {
	case o.InPlace && o.Output != "":
		return nil, errors.New("both in place and elsewhere")
	case o.InPlace:
		r, err = newInPlace(&o)
	case o.Output != "":
		r, err = newOutput(&o)
	default:
		return nil, errors.New("neither in place nor elsewhere")
	}
	if err != nil {
		return nil, err
	}
	return &Staged{r}, nil
}

// Log is the folder in which the log is to be written. It doesn't exist, but the one above it does.
func (s *Staged) Log() string { return s.log() }

// Snap is the folder of the new snapshot files; in place, of those that are added to what is there. It is
// empty where there is only a log.
func (s *Staged) Snap() string { return s.snap() }

// Database is where the database's copy goes. In place it is empty: the database stays as it is.
func (s *Staged) Database() string { return s.database() }

// Quarantine says that a snapshot file is to be renamed in place, to .broken as etcd does. Where the result
// lies elsewhere, it does nothing: the file is not copied.
func (s *Staged) Quarantine(name string) { s.quarantine(name) }

// Place makes the result durable and gives it its names: it is there as a whole, or not at all. It may be
// called once. After an error, as after one of the caller's own, Remove is to be called.
func (s *Staged) Place(ctx context.Context, r Record) (*Change, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.place(ctx, &r)
}

// Remove removes what was made, and gives up the locks. After Place it does nothing.
func (s *Staged) Remove() error { return s.remove() }
