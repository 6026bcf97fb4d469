package msgcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/datadir"
)

// looksRecorded reports whether a source is a recording by its first bytes, or a directory, which can be nothing else.
// A compressed one doesn't show before it is opened. What can be read but once, as a pipe, is not looked at.
func looksRecorded(a *ui.App, name string) (bool, error) {
	f, err := openFile(a, name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err == nil && info.IsDir(), err
	}
	head := make([]byte, 1<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return recording.Is(head[:n]), nil
}

// followInterval is how often a recording that is being written is looked at.
const followInterval = 200 * time.Millisecond

// openRecording opens a recording.
func openRecording(ctx context.Context, a *ui.App, name string, o *sourceOptions) (stream.Events, io.Closer, error) {
	m, err := datadir.FindPath(name, datadir.Options{Dir: a.Dir, Suffix: recording.Suffix})
	if err != nil {
		return nil, nil, notFound(name, err)
	}
	return readRecording(ctx, m, name, o)
}

// notFound is the error where no recording was found.
func notFound(name string, err error) error {
	if errors.Is(err, datadir.ErrNoLog) {
		return ui.UsageError{Err: fmt.Errorf("%s: no recording in it; want %s", ui.Quote(name), wantedSources)}
	}
	return fmt.Errorf("%s: %w", ui.Quote(name), err)
}

// readRecording opens the recording that was found.
func readRecording(ctx context.Context, m *datadir.Member, name string, o *sourceOptions) (stream.Events, io.Closer, error) {
	r, err := recording.OpenMember(m, name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ui.Quote(name), err)
	}
	known, err := r.Metadata()
	if err != nil {
		return nil, nil, closing(r, fmt.Errorf("%s: %w", ui.Quote(name), err))
	}
	for _, m := range known.Members {
		o.names.Set(m.ID, m.Name)
	}
	if cs, at, ok := known.ConfState(); ok {
		if o.members == nil {
			o.members = map[string]check.Membership{}
		}
		o.members[name] = check.Membership{Members: &cs, At: at}
	}
	if o.follow {
		return r.Follow(ctx, followInterval), r, nil
	}
	return r.Events(), r, nil
}
