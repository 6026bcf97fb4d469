package ui

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/raftctl/raftctl/internal/display"
)

// Progress shows how far a long read has come: a bar on a terminal, else a line now and then.
// All of it goes to the error stream.
type Progress struct {
	bar       *mpb.Bar
	container *mpb.Progress

	w     io.Writer
	name  string
	unit  string // what is counted; empty: bytes
	total int64
	mu    sync.Mutex
	start time.Time
	last  time.Time
	now   func() time.Time
}

// progressInterval is how often a line is written where there is no terminal.
const progressInterval = 10 * time.Second

// Less than these is too little for a bar: it would be gone before it is seen.
const (
	smallRead  = 256 << 20
	smallCount = 50_000
)

// NewProgress begins to show a read of total bytes. It returns nil, which shows nothing, where Out
// is a pipe and Err a terminal: a pager may have that.
func NewProgress(a *App, name string, total int64) *Progress {
	p := newProgress(a, name, total)
	if p == nil || !a.ErrTerm || total < smallRead {
		return p
	}
	p.addBar(decor.CountersKibiByte("% .1f / % .1f"), decor.AverageSpeed(decor.SizeB1024(0), "% .1f"))
	return p
}

// NewCount is NewProgress for what is counted in another unit, such as entries.
func NewCount(a *App, name, unit string, total int64) *Progress {
	p := newProgress(a, name, total)
	if p == nil {
		return nil
	}
	p.unit = unit
	if a.ErrTerm && total >= smallCount {
		p.addBar(decor.CountersNoUnit("%d / %d "+unit), decor.AverageSpeed(0, "%.0f/s"))
	}
	return p
}

func newProgress(a *App, name string, total int64) *Progress {
	if a.OutPipe && a.ErrTerm {
		return nil
	}
	p := &Progress{w: a.Err, name: Printable(name), total: total, now: a.Now}
	p.start = p.now()
	p.last = p.start
	return p
}

func (p *Progress) addBar(counters, speed decor.Decorator) {
	p.container = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(60))
	p.bar = p.container.AddBar(p.total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(counters),
		mpb.AppendDecorators(speed, decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)))
}

// Set tells how much is done. A nil Progress shows nothing.
func (p *Progress) Set(done int64) {
	if p == nil {
		return
	}
	if p.bar != nil {
		p.bar.SetCurrent(done)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.last) < progressInterval {
		return
	}
	p.last = now
	rate := float64(done) / now.Sub(p.start).Seconds()
	left := time.Duration(0)
	if rate > 0 {
		left = time.Duration(float64(p.total-done) / rate * float64(time.Second)).Round(time.Second)
	}
	if p.unit != "" {
		fmt.Fprintf(p.w, "%s: %d of %d %s, %.0f/s, %v left\n", p.name, done, p.total, p.unit, rate, left)
		return
	}
	fmt.Fprintf(p.w, "%s: %s of %s, %s/s, %v left\n",
		p.name, display.FormatSize(done), display.FormatSize(p.total), display.FormatSize(int64(rate)), left)
}

// Done removes the bar, whether the end was reached or not.
func (p *Progress) Done() {
	if p == nil || p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.container.Wait()
}
