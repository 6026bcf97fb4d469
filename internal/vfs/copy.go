package vfs

import (
	"io"
	"os"
)

// CopyN copies n bytes from one file to another, from where each is. The system does it without the
// process where it can, and shares the disk space where the file system can.
func CopyN(to, from File, n int64) (int64, error) {
	return io.CopyN(bareWriter(to), bareReader(from), n)
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
