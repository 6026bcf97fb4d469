package restore

import (
	"context"
	"errors"
	"os"

	"github.com/raftctl/raftctl/internal/vfs"
)

// spread copies the edited database for another member.
func (r *run) spread(ctx context.Context, from, to string) error {
	return vfs.CopyFile(r.fs, from, to, func(done, total int64) error {
		r.progress(StepSpread, done, total)
		return ctx.Err()
	})
}

// syncFile makes a file durable.
func (r *run) syncFile(name string) (err error) {
	f, err := r.fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
