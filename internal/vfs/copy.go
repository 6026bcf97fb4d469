package vfs

import (
	"errors"
	"io"
	"os"
)

// copySize is how many bytes the system copies at a time.
const copySize = 16 << 20

// CopyFile copies a file to a new one, which only its owner may read. The system does it without the process
// where it can, and shares the disk space where the file system can. Tell is told how far it is, and ends it
// with an error. Nothing is synced.
func CopyFile(fsys FS, from, to string, tell func(done, total int64) error) (err error) {
	in, err := fsys.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := fsys.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	for done := int64(0); done < info.Size(); {
		if err := tell(done, info.Size()); err != nil {
			return err
		}
		n, err := io.CopyN(bareWriter(out), bareReader(in), min(copySize, info.Size()-done))
		if err != nil {
			return err
		}
		done += n
	}
	return tell(info.Size(), info.Size())
}

// bareWriter and bareReader return the file that package os knows how to copy.
func bareWriter(f File) io.Writer {
	if real, ok := f.(interface{ osFile() *os.File }); ok {
		return real.osFile()
	}
	return f
}

func bareReader(f File) io.Reader {
	if real, ok := f.(interface{ osFile() *os.File }); ok {
		return real.osFile()
	}
	return f
}

func (f osFile) osFile() *os.File { return f.File }
