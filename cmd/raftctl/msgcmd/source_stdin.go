package msgcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/archive"
	"github.com/raftctl/raftctl/internal/datadir"
)

// openStdin opens what comes in on standard input, perhaps compressed: a capture, which is read as it comes, or a
// recording, a file of one or an archive, which is put into a temporary file first, since it is read at any offset.
func openStdin(ctx context.Context, a *ui.App, o *sourceOptions) (stream.Events, io.Closer, error) {
	unpacked, err := archive.Unpack(a.In)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", stdin, err)
	}
	head := make([]byte, archive.SniffSize)
	n, err := io.ReadFull(unpacked, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, closing(unpacked, fmt.Errorf("%s: %w", stdin, err))
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), unpacked)
	if !recording.Is(head[:n]) && !archive.Is(head[:n]) {
		events, closer, err := openCapture(a, whole, stdin, o)
		if err != nil {
			return nil, nil, closing(unpacked, err)
		}
		return events, closers{closer, unpacked}, nil
	}
	kept, err := spoolStdin(whole)
	if closed := unpacked.Close(); err == nil && closed != nil {
		err = closing(kept, closed)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", stdin, err)
	}
	m, err := datadir.Find(kept, stdin, datadir.Options{Suffix: recording.Suffix})
	if err != nil {
		return nil, nil, closing(kept, notFound(stdin, err))
	}
	events, closer, err := readRecording(ctx, m, stdin, o)
	if err != nil {
		return nil, nil, closing(kept, err)
	}
	return events, closers{closer, kept}, nil
}

// spooled is standard input in a temporary file without a name. It is a file system of one file, named as standard input.
type spooled struct{ file *os.File }

func spoolStdin(r io.Reader) (s *spooled, err error) {
	f, err := os.CreateTemp("", "raftctl-message-")
	if err != nil {
		return nil, fmt.Errorf("temporary folder: %w; TMPDIR names another", err)
	}
	_ = os.Remove(f.Name()) // where an open file can't be removed, Close does it
	s = &spooled{f}
	if _, err := io.Copy(f, r); err != nil {
		return nil, closing(s, err)
	}
	return s, nil
}

// Open implements fs.FS.
func (s *spooled) Open(name string) (fs.File, error) {
	if name != stdin {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	return &spooledFile{io.NewSectionReader(s.file, 0, info.Size()), info}, nil
}

// Close frees the file.
func (s *spooled) Close() error {
	err := s.file.Close()
	_ = os.Remove(s.file.Name()) // which mostly is no more
	return err
}

// spooledFile is the file, open once.
type spooledFile struct {
	*io.SectionReader
	info fs.FileInfo
}

// Stat implements fs.File.
func (f *spooledFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *spooledFile) Close() error { return nil }
