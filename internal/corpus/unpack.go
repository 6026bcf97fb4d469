package corpus

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// maxWindow is the window that the archives are packed with (zstd --long=27): the logs of the
// members of one cluster are alike, but 64 MB apart.
const maxWindow = 1 << 27

// unpack extracts a zstd-compressed tar archive of plain files and folders into dir. Runs of zeros
// become holes, so that the 64 MB segments, which are mostly empty, cost little.
func unpack(archive, dir string) (err error) {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF { // the archive's end marker
			return nil
		}
		if err != nil {
			return err
		}
		if err := extract(r, h, dir); err != nil {
			return err
		}
	}
}

func extract(r io.Reader, h *tar.Header, dir string) error {
	if !filepath.IsLocal(h.Name) {
		return fmt.Errorf("entry %q lies outside the archive", h.Name)
	}
	path := filepath.Join(dir, h.Name)
	switch h.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(path, 0o755)
	case tar.TypeReg, tar.TypeGNUSparse:
		return writeSparse(path, r, h)
	}
	return fmt.Errorf("entry %q has type %q, want a file or a folder", h.Name, h.Typeflag)
}

var zeros [64 << 10]byte

func writeSparse(path string, r io.Reader, h *tar.Header) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, h.FileInfo().Mode().Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := make([]byte, len(zeros))
	for off := int64(0); ; {
		n, err := io.ReadFull(r, buf)
		if !bytes.Equal(buf[:n], zeros[:n]) {
			if _, err := f.WriteAt(buf[:n], off); err != nil {
				return err
			}
		}
		off += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF { // the file's last block
			break
		}
		if err != nil {
			return err
		}
	}
	return f.Truncate(h.Size)
}
