package msgcmd

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
)

// flushInterval is how often what was recorded goes to the file.
const flushInterval = 200 * time.Millisecond

// heardSource is where events come from that are recorded.
type heardSource interface {
	// run hands events to emit until ctx ends, or it can't go on.
	run(ctx context.Context, emit func(*stream.Event) bool) error
	close() error   // what is open, if run is not called
	String() string // says what is recorded
	conns() string  // says on how many connections that was; may be empty
}

// recorder writes events into a recording.
type recorder struct {
	a       *ui.App
	dir     string
	w       *recording.Writer
	counts  [stream.KindGap + 1]int64
	failure atomic.Pointer[error]
}

func newRecorder(a *ui.App, o *recordOptions) (*recorder, error) {
	w, aside, err := recording.Continue(a.Path(o.output), recording.Metadata{Start: a.Now()},
		recording.Options{Keep: o.keep, FS: a.FS})
	if err != nil {
		return nil, err
	}
	if aside != "" {
		fmt.Fprintf(a.Err, "%s is damaged; it is put aside as %s, and a new one begun\n", ui.Quote(o.output), ui.Quote(aside))
	}
	return &recorder{a: a, dir: o.output, w: w}, nil
}

func (r *recorder) say(s heardSource) {
	fmt.Fprintf(r.a.Err, "recording into %s %s; Ctrl-C ends it\n", ui.Quote(r.dir), s)
}

// run records until ctx ends. That is no error; one of writing is.
func (r *recorder) run(ctx context.Context, s heardSource) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		defer cancel()
		r.flush(ctx)
	}()
	err := s.run(ctx, func(e *stream.Event) bool { return r.add(e, cancel) })
	cancel()
	<-flushed
	if failed := r.failure.Load(); failed != nil {
		err = *failed
	}
	err = errors.Join(err, r.w.Close())
	fmt.Fprintln(r.a.Err, r.summary(s))
	return err
}

// flush writes now and then what was recorded, until ctx ends or that fails.
func (r *recorder) flush(ctx context.Context) {
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.w.Flush(); err != nil {
			r.failure.Store(&err)
			return
		}
	}
}

// add records an event. After an error nothing more is, and the recording ends.
func (r *recorder) add(e *stream.Event, cancel func()) bool {
	if err := r.w.Append(e); err != nil {
		r.failure.Store(&err)
		cancel()
		return false
	}
	r.counts[e.Kind]++
	return true
}

// summary says what was recorded, and what to type next.
func (r *recorder) summary(s heardSource) string {
	text := fmt.Sprintf("recorded %s, %s, %s and %s%s", counted(r.counts[stream.KindMessage], "message"),
		counted(r.counts[stream.KindExchange], "exchange"), counted(r.counts[stream.KindLinkHeartbeat], "link heartbeat"),
		counted(r.counts[stream.KindGap], "gap"), s.conns())
	return text + "\n  raftctl message dump " + ui.Quote(r.dir)
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
