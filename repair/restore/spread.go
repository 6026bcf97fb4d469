package restore

import (
	"context"
	"errors"
	"os"

	"github.com/raftctl/raftctl/internal/vfs"
)

// spread copies the edited database for another member.
func (r *run) spread(ctx context.Context, from, to string) (err error) {
	in, err := r.fs.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := r.fs.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	for done := int64(0); done < info.Size(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := vfs.CopyN(out, in, min(spreadSize, info.Size()-done))
		if err != nil {
			return err
		}
		done += n
		r.progress(StepSpread, done, info.Size())
	}
	return nil
}

// spreadSize is how many bytes the system copies at a time: it does so without the process where it can.
const spreadSize = 16 << 20

// syncFile makes a file durable.
func (r *run) syncFile(name string) (err error) {
	f, err := r.fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
