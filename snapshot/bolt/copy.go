package bolt

import (
	"context"
	"io"
)

// CopyOptions adjusts Copy.
type CopyOptions struct{ Progress func(done, total int64) }

// Copy copies a database that another process may write to.
func Copy(ctx context.Context, src io.ReaderAt, size func() (int64, error), dst io.WriterAt, o CopyOptions) (int64, error) {
	n, err := size()
	if err != nil {
		return 0, err
	}
	return io.Copy(io.NewOffsetWriter(dst, 0), io.NewSectionReader(src, 0, n))
}
