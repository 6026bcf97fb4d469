package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// spool is a temporary file that holds unpacked files one after the other. Blocks of zeros take no
// space in it.
type spool struct {
	file    *os.File
	end     int64 // where the next file begins
	written int64 // bytes that are no holes
}

// blockSize is what file systems allocate at least.
const blockSize = 4096

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "raftctl-archive-")
	if err != nil {
		return nil, fmt.Errorf("temporary folder: %w; TMPDIR names another", err)
	}
	// Without a name it goes away with the process, however that ends. Where an open file can't be
	// removed, close does it.
	_ = os.Remove(f.Name())
	return &spool{file: f}, nil
}

func (s *spool) close() error {
	if s == nil {
		return nil
	}
	err := s.file.Close()
	if rm := os.Remove(s.file.Name()); !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

// explain says of an error of the temporary file where that is, and what to do.
func (s *spool) explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("unpacking into the temporary folder %s, %d bytes so far: %w; TMPDIR names another",
			filepath.Dir(s.file.Name()), s.written, syscall.ENOSPC)
	}
	return err
}

// extent is a file within a spool.
type extent struct {
	*io.SectionReader
	size int64
}

var zeroBlock [blockSize]byte

// add appends what r holds.
func (s *spool) add(r io.Reader) (*extent, error) {
	buf := make([]byte, 64<<10)
	off := s.end
	for {
		n, err := io.ReadFull(r, buf)
		if werr := s.write(buf[:n], off); werr != nil {
			return nil, werr
		}
		off += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n > 0 && ended(r) {
			break // the end of the file: its last part is shorter than the buffer
		}
		if err != nil {
			return nil, err
		}
	}
	e := &extent{size: off - s.end}
	// Behind the last written byte the file may be shorter than its zeros say.
	if err := s.file.Truncate(off); err != nil {
		return nil, s.explain(err)
	}
	e.SectionReader = io.NewSectionReader(s.file, s.end, e.size)
	s.end = (off + blockSize - 1) / blockSize * blockSize
	return e, nil
}

// ended reports whether r is at its end. A reader that was cut off says so again.
func ended(r io.Reader) bool {
	_, err := r.Read(make([]byte, 1))
	return err == io.EOF
}

// write writes those blocks of b that are not zero.
func (s *spool) write(b []byte, off int64) error {
	if off > MaxSize {
		return fmt.Errorf("%w: more than %d bytes", ErrLimit, int64(MaxSize))
	}
	for len(b) > 0 {
		n := min(len(b), blockSize)
		if string(b[:n]) != string(zeroBlock[:n]) {
			if s.written += int64(n); s.written > MaxUnpacked {
				return fmt.Errorf("%w: more than %d bytes", ErrLimit, int64(MaxUnpacked))
			}
			if _, err := s.file.WriteAt(b[:n], off); err != nil {
				return s.explain(err)
			}
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}
