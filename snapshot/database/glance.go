package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// Sight is what a glance at a database tells.
type Sight struct {
	Meta     Meta
	Revision int64 // the current one
	Held     bool  // a process writes to it
}

// Glance looks at a few pages of an uncompressed database, in its place: what a running etcd holds isn't
// copied, and may change meanwhile. Then pages may not fit together, which is an error that proves
// nothing: Held says so, also beside an error.
func Glance(ctx context.Context, fsys fs.FS, name string) (*Sight, error) {
	s, err := glance(ctx, fsys, name)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path.Base(name), err)
	}
	return s, nil
}

func glance(ctx context.Context, fsys fs.FS, name string) (*Sight, error) {
	f, info, err := vfs.OpenRegular(fsys, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	at, ok := f.(io.ReaderAt)
	switch {
	case !ok:
		return nil, errors.New("can't be read at an offset")
	case info.Size() == 0:
		return nil, ErrEmpty
	}
	hold, err := vfs.Held(f)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	s := &Sight{Held: hold.Held}
	db := &DB{r: at, size: info.Size(), name: path.Base(name)}
	if db.bolt, err = bolt.Open(at, db.size); err != nil {
		return s, err
	}
	meta, err := db.Meta()
	s.Meta = *meta
	if err != nil {
		return s, err
	}
	s.Revision, _, err = db.Now(ctx)
	return s, err
}
