package snapcmd

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/vfs"
)

// parts are the files of a result in the making, beside it. Invariant: the result's name is that of
// another file, or of none, until commit gives it to a part that is whole and synced.
type parts struct {
	fs    vfs.FS
	out   string
	files []partFile
}

// partFile is one of them, open for reading and writing.
type partFile struct{ vfs.File }

// partMode is that of the files that etcd saves: they hold secrets.
const partMode fs.FileMode = 0o600

func newParts(fsys vfs.FS, out string) *parts { return &parts{fs: fsys, out: out} }

// create makes an empty file with a name that nobody takes for a result.
func (p *parts) create() (partFile, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	name := p.out + ".part-" + hex.EncodeToString(id[:])
	f, err := p.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, partMode)
	if err != nil {
		return partFile{}, err
	}
	p.files = append(p.files, partFile{f})
	return partFile{f}, nil
}

// commit makes a part durable and gives it the result's name.
func (p *parts) commit(f partFile, overwrite bool) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := p.checkOut(overwrite); err != nil {
		return err
	}
	if err := p.fs.Rename(f.Name(), p.out); err != nil {
		return err
	}
	if err := p.fs.SyncDir(filepath.Dir(p.out)); err != nil {
		return fmt.Errorf("%s is whole, but a power cut may undo its name: %w", p.out, err)
	}
	return nil
}

// checkOut looks again at what has the result's name: it may have come while the part was made.
func (p *parts) checkOut(overwrite bool) error {
	f, err := p.fs.Open(p.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !overwrite && err == nil:
		return errors.Join(ui.UsageError{Err: fmt.Errorf("%s exists by now, name another file", p.out)}, f.Close())
	case err != nil:
		return err
	}
	hold, err := vfs.Held(f)
	err = errors.Join(err, f.Close())
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err == nil && hold.Held {
		return fmt.Errorf("%s: %w: it is not overwritten", p.out, vfs.ErrLocked)
	}
	return err
}

// remove closes all parts, and removes those that didn't become the result.
func (p *parts) remove() error {
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.Close())
		if err := p.fs.Remove(f.Name()); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
