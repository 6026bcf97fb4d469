package snapcmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/archive"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/snapshot/bolt"
)

// dirSource is a data directory, or a database file.
type dirSource struct {
	a    *ui.App
	path string
	out  string
}

// databaseFile is a database as it lies.
type databaseFile interface {
	fs.File
	io.ReaderAt
}

// fetch implements source.
func (d dirSource) fetch(ctx context.Context, to partFile, s *saved) error {
	f, err := d.open()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // opened for reading
	if err := d.refuseSame(f); err != nil {
		return err
	}
	size, err := copyDatabase(ctx, d.a, f, to, s)
	if err != nil {
		if _, ok := errors.AsType[*damageError](err); ok || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%s: %w", ui.Quote(d.path), err)
	}
	return appendTrailer(ctx, to, size, s)
}

// refuseSame returns an error if the result would take the place of the source.
func (d dirSource) refuseSame(f databaseFile) error {
	from, err := f.Stat()
	if err != nil {
		return err
	}
	to, err := d.a.FS.Stat(d.a.Path(d.out))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && os.SameFile(from, to):
		return ui.UsageError{Err: fmt.Errorf("%s is the database that should be saved, name another file", ui.Quote(d.out))}
	}
	return err
}

// open opens the database.
func (d dirSource) open() (databaseFile, error) {
	m, err := find(d.a, &paths.Options{}, d.path, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.Close() }() // what is unpacked of an archive isn't saved
	p := place(m)
	switch {
	case p == nil:
		return nil, d.refused("a .snap file holds no state that could be restored")
	case m.Archived:
		return nil, d.refused("in an archive; unpack it first")
	case p.State != datadir.Present:
		return nil, pathErr.Error(d.path, noDatabase(p))
	}
	f, info, err := vfs.OpenRegular(p.FS, p.Path)
	if err != nil {
		return nil, pathErr.Error(d.path, err)
	}
	at, ok := f.(databaseFile)
	if !ok {
		return nil, errors.Join(d.refused("can't be read at an offset"), f.Close())
	}
	head := make([]byte, min(archive.SniffSize, info.Size()))
	if _, err := at.ReadAt(head, 0); err == nil && archive.Is(head) {
		return nil, errors.Join(d.refused("compressed; unpack it first"), f.Close())
	}
	return at, nil
}

// refused is the error of a path to something that can't be saved as it is.
func (d dirSource) refused(why string) error {
	return ui.UsageError{Err: fmt.Errorf("%s: %s", ui.Quote(d.path), why)}
}

// copyDatabase copies the database in f, as it is at one moment, to an empty file, and returns its size.
func copyDatabase(ctx context.Context, a *ui.App, f databaseFile, to partFile, s *saved) (int64, error) {
	hold, err := vfs.Held(f)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return 0, err
	}
	if hold.Held {
		return copyHeld(ctx, a, f, to, s)
	}
	return copyUnheld(ctx, a, f, to, s)
}

// copyHeld copies a database that a process holds, and may write to.
func copyHeld(ctx context.Context, a *ui.App, f databaseFile, to partFile, s *saved) (int64, error) {
	fileSize := func() (int64, error) {
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	var p *ui.Progress
	size, err := bolt.Copy(ctx, f, fileSize, to, bolt.CopyOptions{Progress: func(done, total int64) {
		if p == nil {
			p = ui.NewProgress(a, "copy "+s.Source, total)
		}
		p.Set(done)
	}})
	p.Done()
	if _, ok := errors.AsType[*bolt.CorruptError](err); ok || errors.Is(err, bolt.ErrNotBolt) {
		return 0, &damageError{s.Source, err}
	}
	if errors.Is(err, bolt.ErrBusy) {
		return 0, fmt.Errorf("%w: %w; name its ENDPOINT instead, such as http://127.0.0.1:2379", vfs.ErrLocked, err)
	}
	return size, err
}

// copyUnheld copies a database that nobody writes to. What may lie behind it, such as the sha256 of a
// saved one, is checked but not copied.
func copyUnheld(ctx context.Context, a *ui.App, f databaseFile, to io.Writer, s *saved) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	db, err := bolt.Open(f, info.Size())
	if err != nil {
		return 0, &damageError{s.Source, err}
	}
	m := db.Meta()
	if m.HighWater > uint64(info.Size()/m.PageSize) {
		return 0, &damageError{s.Source, fmt.Errorf("%d bytes, want %d pages of %d: its end is missing",
			info.Size(), m.HighWater, m.PageSize)}
	}
	size := int64(m.HighWater) * m.PageSize
	p := ui.NewProgress(a, "copy "+s.Source, size)
	defer p.Done()
	sum := sha256.New()
	in := &progressReader{ctx: ctx, r: io.NewSectionReader(f, 0, size), set: p.Set}
	if _, err := io.Copy(to, io.TeeReader(in, sum)); err != nil {
		return 0, err
	}
	if err := checkOldTrailer(f, info.Size(), size, sum.Sum(nil)); err != nil {
		return 0, &damageError{s.Source, err}
	}
	return size, checkUnchanged(f, info.Size(), db)
}

// checkOldTrailer compares the sum of a database with the one that lies behind it, if one does: that
// of a new file must not hide that the old one was wrong.
func checkOldTrailer(f io.ReaderAt, fileSize, size int64, sum []byte) error {
	if fileSize != size+sha256.Size {
		return nil
	}
	old := make([]byte, sha256.Size)
	if _, err := f.ReadAt(old, size); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(old) != string(sum) {
		return fmt.Errorf("sha256 %x of the database, want %x, which lies behind it", sum, old)
	}
	return nil
}

// checkUnchanged returns an error if the database was written to since it was opened.
func checkUnchanged(f databaseFile, size int64, before *bolt.DB) error {
	after, err := bolt.Open(f, size)
	if err != nil || after.Meta() != before.Meta() {
		return errors.Join(errors.New("written to while it was copied; try again"), err)
	}
	return nil
}

// appendTrailer sums up the database in a part and appends the sum.
func appendTrailer(ctx context.Context, f partFile, size int64, s *saved) error {
	sum := sha256.New()
	if _, err := io.Copy(sum, &progressReader{ctx: ctx, r: io.NewSectionReader(f, 0, size)}); err != nil {
		return err
	}
	trailer := sum.Sum(nil)
	if _, err := f.WriteAt(trailer, size); err != nil {
		return err
	}
	s.Size, s.SHA256 = size+int64(len(trailer)), hex.EncodeToString(trailer)
	return nil
}
