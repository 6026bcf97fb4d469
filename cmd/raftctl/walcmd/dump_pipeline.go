package walcmd

import (
	"context"
	"runtime"
	"sync"

	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// Decoding and rendering cost several times what reading does, and records don't depend on each
// other. So a dump is three steps: one goroutine reads records into batches, some filter and render
// batches, and one writes the results in the order of the log.

const (
	batchRecords = 1024
	batchBytes   = 256 << 10 // of data, without large records
	largeRecord  = 1 << 20   // bytes of data from which on a record is rendered where it lies
	maxKept      = 8 << 20   // bytes of output that a batch keeps room for
)

// batch is a run of records and what they look like.
type batch struct {
	records []wal.Record
	live    []bool
	data    []byte // what the records' Data point into, once the batch is sealed
	sizes   []int  // of the records' data

	alias bool // a single record, whose Data is the reader's own

	out   []byte
	lines []line
	err   error
	done  chan struct{} // closed when out is complete
}

// line is a rendered record.
type line struct {
	end    int // in batch.out
	damage int // places of damage in the batch up to and including this line
}

// add copies a record to the batch.
func (b *batch) add(rec *wal.Record, live bool) {
	b.records = append(b.records, *rec)
	b.live = append(b.live, live)
	b.data = append(b.data, rec.Data...)
	b.sizes = append(b.sizes, len(rec.Data))
}

func (b *batch) full() bool { return len(b.records) >= batchRecords || len(b.data) >= batchBytes }

// seal lets the records point into the batch's own data, which doesn't move any more.
func (b *batch) seal() {
	if b.alias {
		return
	}
	off := 0
	for i, size := range b.sizes {
		if b.records[i].Data != nil {
			b.records[i].Data = b.data[off : off+size : off+size]
		}
		off += size
	}
}

// dropLast takes the last line back, if there is one.
func (b *batch) dropLast(ok bool) {
	if !ok {
		return
	}
	b.lines = b.lines[:len(b.lines)-1]
	b.out = b.out[:0]
	if n := len(b.lines); n > 0 {
		b.out = b.out[:b.lines[n-1].end]
	}
}

func (b *batch) reset() {
	b.records, b.live, b.data, b.sizes = b.records[:0], b.live[:0], b.data[:0], b.sizes[:0]
	b.out, b.lines, b.err, b.done = b.out[:0], b.lines[:0], nil, make(chan struct{})
	b.alias = false
	if cap(b.out) > maxKept {
		b.out = nil
	}
}

// damage returns how many places of damage are in the batch.
func (b *batch) damage() (n int) {
	for i := range b.records {
		if b.records[i].Kind == wal.KindDamage {
			n++
		}
	}
	return n
}

// pipeline renders batches, several at a time.
type pipeline struct {
	work    chan *batch // to be rendered
	ordered chan *batch // the same, in the order of the log
	free    chan *batch
	wg      sync.WaitGroup
	batch   *batch // being filled
	ctx     context.Context
}

// start starts workers that render with the function that newWorker returns, each with its own.
func startPipeline(ctx context.Context, workers int, newWorker func() func(*batch)) *pipeline {
	p := &pipeline{
		work: make(chan *batch), ordered: make(chan *batch, 2*workers), free: make(chan *batch, 4*workers+4),
		ctx: ctx,
	}
	for range workers {
		render := newWorker()
		p.wg.Go(func() {
			for b := range p.work {
				render(b)
				close(b.done)
			}
		})
	}
	return p
}

// add hands a record over. The error is that of the context.
func (p *pipeline) add(rec *wal.Record, live bool) error {
	if len(rec.Data) >= largeRecord {
		return p.addLarge(rec, live)
	}
	if p.batch == nil {
		p.batch = p.newBatch()
	}
	p.batch.add(rec, live)
	if !p.batch.full() {
		return nil
	}
	return p.flush()
}

// addLarge lets a record be rendered where the reader holds it, and waits for that: copies of it would
// take several times its size.
func (p *pipeline) addLarge(rec *wal.Record, live bool) error {
	if err := p.flush(); err != nil {
		return err
	}
	b := p.newBatch()
	b.records, b.live, b.alias = append(b.records, *rec), append(b.live, live), true
	p.batch = b
	if err := p.flush(); err != nil {
		return err
	}
	<-b.done // a worker has taken it
	return nil
}

func (p *pipeline) newBatch() *batch {
	var b *batch
	select {
	case b = <-p.free:
	default:
		b = new(batch)
	}
	b.reset()
	return b
}

// flush lets what was added be rendered and written.
func (p *pipeline) flush() error {
	b := p.batch
	if b == nil || len(b.records) == 0 {
		return p.ctx.Err()
	}
	p.batch = nil
	b.seal()
	for _, c := range []chan *batch{p.ordered, p.work} {
		select {
		case c <- b:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
	return nil
}

// close ends the workers once everything that was added is rendered.
func (p *pipeline) close() {
	close(p.work)
	close(p.ordered)
	p.wg.Wait()
}

// recycle takes a batch back that is written.
func (p *pipeline) recycle(b *batch) {
	select {
	case p.free <- b:
	default: // enough of them
	}
}

// workers returns how many goroutines render.
func (o *dumpOptions) workers() int {
	if o.decode.sequential() {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// newWorker returns a function that filters and renders batches.
func (d *dumper) newWorker(decoder decode.Decoder) func(*batch) {
	r := where.NewRow(where.Options{
		Decoder: decoder, Style: d.o.decode.style, Path: d.name, Physical: d.o.physical, Raw: d.o.raw, Who: d.who,
	})
	render := d.newRenderer()
	return func(b *batch) {
		damage := 0
		for i := range b.records {
			rec := &b.records[i]
			if rec.Kind == wal.KindDamage {
				damage++
			}
			r.Set(rec)
			r.Live = b.live[i]
			r.Foreign = d.view != nil && d.view.Foreign(rec.Pos)
			ok, err := d.o.filter.passes(r)
			if err == nil && ok {
				b.out = render.line(b.out, r)
				b.lines = append(b.lines, line{len(b.out), damage})
			}
			if err == nil && r.Failed != nil { // what the line says then is of no use
				err = r.Failed
				b.dropLast(ok)
			}
			if b.err = err; err != nil {
				return
			}
		}
	}
}
