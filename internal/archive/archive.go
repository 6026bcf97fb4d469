package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// The limits of an archive. They protect against files that were made to fill a disk or to keep a
// program busy for days; real archives of logs stay far below.
const (
	MaxMembers  = 1 << 18  // names are the only thing that is held in memory
	MaxUnpacked = 64 << 30 // bytes that take space in the temporary file: not those of holes
	MaxSize     = 1 << 40  // bytes of all files together, with holes
)

// ErrLimit is returned when an archive is larger than this package is willing to unpack.
var ErrLimit = errors.New("archive too large, unpack it first")

// ErrNotKept is returned when a file is opened that was not to be unpacked.
var ErrNotKept = errors.New("not unpacked from the archive")

// FS is an archive as a file system. It implements [fs.ReadDirFS] and [fs.StatFS]; its files
// implement [io.ReaderAt]. It may be used concurrently.
type FS struct {
	file  fs.File
	spool *spool // nil until something is unpacked
	root  *node
	only  string
}

// Options adjusts Open.
type Options struct {
	// Keep tells which files are unpacked, by their path; nil means all. Others are listed, but
	// can't be opened, unless they can be read in place.
	Keep func(name string) bool
}

// Open opens the archive in f and closes f when the archive is closed, but not if it fails. Name is
// that of the file, which is what a compressed file that is no tar archive is called after. The
// error tells how far the archive could be read.
func Open(f fs.File, name string, o Options) (*FS, error) {
	a := &FS{file: f, root: newDir(".")}
	in := &counter{r: f}
	if err := a.read(in, name, o); err != nil {
		_ = a.spool.close() // nothing in it is wanted any more
		return nil, fmt.Errorf("archive: near offset %d: %w", in.n, err)
	}
	return a, nil
}

// Only returns the name of the single file in a compressed file that is no tar archive.
func (a *FS) Only() (name string, ok bool) { return a.only, a.only != "" }

// Close closes the archive.
func (a *FS) Close() error { return errors.Join(a.spool.close(), a.file.Close()) }

func (a *FS) read(in *counter, name string, o Options) error {
	head := make([]byte, SniffSize)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	f := sniff(head)
	if at, ok := a.file.(io.ReaderAt); ok && f == formatPlain {
		info, err := a.file.Stat()
		if err != nil {
			return err
		}
		in.r, in.n = io.NewSectionReader(at, 0, info.Size()), 0
		return a.readTar(in, at, o)
	}
	in.r, in.n = io.MultiReader(strings.NewReader(string(head)), in.r), 0
	if f == formatPlain {
		return a.readTar(in, nil, o)
	}
	z, err := decompress(f, in)
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }() // read to its end, or useless
	return a.readUnpacked(z, name, o)
}

// readUnpacked reads what was compressed: an archive, or else one file.
func (a *FS) readUnpacked(z io.Reader, name string, o Options) error {
	head := make([]byte, SniffSize)
	n, err := io.ReadFull(z, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if err != nil && n > 0 && n < SniffSize {
		// The decompressor's own complaint about a cut-off file looks the same as a short file.
		// Its next read tells which one it was.
		if _, again := z.Read(make([]byte, 1)); again != io.EOF {
			return again
		}
	}
	all := io.MultiReader(strings.NewReader(string(head[:n])), z)
	if isTar(head[:n]) {
		return a.readTar(&counter{r: all}, nil, o)
	}
	name = Unpacked(name)
	data, err := a.unpack(all)
	if err != nil {
		return err
	}
	a.only = path.Base(name)
	return a.add(&node{name: a.only, data: data, size: data.size})
}

// readTar reads the entries of a tar archive. If at is not nil, r reads from it, and files are left
// where they are.
func (a *FS) readTar(in *counter, at io.ReaderAt, o Options) error {
	r := tar.NewReader(in)
	size := int64(0)
	for n := 0; ; n++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) { // between two entries; a whole archive has a marker there
			return finish(in, at == nil)
		}
		if err != nil {
			return err
		}
		if size += h.Size; size > MaxSize || n >= MaxMembers || size < 0 {
			return fmt.Errorf("%w: more than %d files or %d bytes", ErrLimit, MaxMembers, int64(MaxSize))
		}
		if err := a.readEntry(r, h, in.n, at, o); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// finish checks that the archive has not merely ended, and if need be reads on to the end of what
// is compressed, so that the decompressor verifies its checksum.
func finish(in *counter, compressed bool) error {
	if in.last != [tarBlock]byte{} {
		return fmt.Errorf("no end marker: %w", io.ErrUnexpectedEOF)
	}
	if !compressed {
		return nil
	}
	n, err := io.Copy(io.Discard, io.LimitReader(in, MaxSize))
	if n == MaxSize {
		return ErrLimit
	}
	return err
}

// readEntry takes in one entry, whose data begins at off of the file that at reads.
func (a *FS) readEntry(r *tar.Reader, h *tar.Header, off int64, at io.ReaderAt, o Options) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	n := &node{name: name, size: h.Size, mode: h.FileInfo().Mode().Perm(), modTime: h.ModTime}
	switch {
	case h.Typeflag == tar.TypeDir:
		n.mode |= fs.ModeDir
	case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse:
		return nil // links and devices: no file of a log is one
	case at != nil && !isSparse(h):
		n.data = io.NewSectionReader(at, off, h.Size)
	case o.Keep == nil || o.Keep(name):
		data, err := a.unpack(r)
		if err != nil {
			return err
		}
		n.data, n.size = data, data.size
	}
	return a.add(n)
}

// isSparse reports whether an entry leaves out the holes of its file, in any of the ways in which
// tar programs do that.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// unpack puts what r holds into the temporary file.
func (a *FS) unpack(r io.Reader) (*extent, error) {
	if a.spool == nil {
		s, err := newSpool()
		if err != nil {
			return nil, err
		}
		a.spool = s
	}
	return a.spool.add(r)
}

// counter counts the bytes that were read, and remembers the last block.
type counter struct {
	r    io.Reader
	n    int64
	last [tarBlock]byte
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	if n >= tarBlock {
		c.last = [tarBlock]byte(b[n-tarBlock:])
	} else if n > 0 {
		copy(c.last[:], c.last[n:])
		copy(c.last[tarBlock-n:], b[:n])
	}
	return n, err
}

// Seek lets a tar reader pass over the files of an uncompressed archive.
func (c *counter) Seek(off int64, whence int) (int64, error) {
	s, ok := c.r.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := s.Seek(off, whence)
	if err == nil {
		c.n = n
	}
	return n, err
}
