package rows

import (
	"context"
	"sync"
)

// Pipeline renders batches, several at a time.
type Pipeline[T any, P Row[T]] struct {
	work    chan *Batch[T] // to be rendered
	ordered chan *Batch[T] // the same, in the order of the rows
	free    chan *Batch[T]
	wg      sync.WaitGroup
	batch   *Batch[T] // being filled
	ctx     context.Context
}

// Workers says who renders.
type Workers[T any] struct {
	N   int                    // how many at a time
	New func() func(*Batch[T]) // returns what renders a batch, for one worker alone
}

// Print prints the rows that read adds to the pipeline. It returns the error of writing, which is
// [ErrEnough] when the writer's limit is reached, of a batch, or else of read, whose context ends
// with the first of them.
func Print[T any, P Row[T]](
	ctx context.Context, w *Writer, workers Workers[T], read func(context.Context, *Pipeline[T, P]) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := start[T, P](ctx, workers)
	written := make(chan error, 1)
	go func() { written <- p.write(w, cancel) }()
	err := read(ctx, p)
	if flushed := p.Flush(); err == nil {
		err = flushed
	}
	p.close()
	if failed := <-written; failed != nil {
		return failed
	}
	return err
}

func start[T any, P Row[T]](ctx context.Context, workers Workers[T]) *Pipeline[T, P] {
	p := &Pipeline[T, P]{
		work: make(chan *Batch[T]), ordered: make(chan *Batch[T], 2*workers.N),
		free: make(chan *Batch[T], 4*workers.N+4), ctx: ctx,
	}
	for range workers.N {
		render := workers.New()
		p.wg.Go(func() {
			for b := range p.work {
				render(b)
				close(b.done)
			}
		})
	}
	return p
}

// Add hands a row over. The error is that of the context.
func (p *Pipeline[T, P]) Add(row *T) error {
	if P(row).Size() >= Large {
		return p.addLarge(row)
	}
	if p.batch == nil {
		p.batch = p.newBatch()
	}
	add[T, P](p.batch, row)
	if !p.batch.full() {
		return nil
	}
	return p.Flush()
}

// addLarge lets a row be rendered where the reader holds it, and waits for that: copies of it would
// take several times its size.
func (p *Pipeline[T, P]) addLarge(row *T) error {
	if err := p.Flush(); err != nil {
		return err
	}
	b := p.newBatch()
	b.Items = append(b.Items, *row)
	p.batch = b
	if err := p.Flush(); err != nil {
		return err
	}
	<-b.done // a worker has taken it
	return nil
}

func (p *Pipeline[T, P]) newBatch() *Batch[T] {
	var b *Batch[T]
	select {
	case b = <-p.free:
	default:
		b = new(Batch[T])
	}
	b.reset()
	return b
}

// Flush lets what was added be rendered and written.
func (p *Pipeline[T, P]) Flush() error {
	b := p.batch
	if b == nil || len(b.Items) == 0 {
		return p.ctx.Err()
	}
	p.batch = nil
	for _, c := range []chan *Batch[T]{p.ordered, p.work} {
		select {
		case c <- b:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
	return nil
}

// close ends the workers once everything that was added is rendered.
func (p *Pipeline[T, P]) close() {
	close(p.work)
	close(p.ordered)
	p.wg.Wait()
}

// recycle takes a batch back that is written.
func (p *Pipeline[T, P]) recycle(b *Batch[T]) {
	select {
	case p.free <- b:
	default: // enough of them
	}
}

// write writes what the workers rendered. At the first error, which ErrEnough is too, it calls stop,
// since reading on is of no use, and from then on only takes batches, so that nobody waits for it.
func (p *Pipeline[T, P]) write(w *Writer, stop context.CancelCauseFunc) (err error) {
	for b := range p.ordered {
		if err != nil {
			continue
		}
		select {
		case <-b.done:
			err = w.writeBatch(b.Out, b.lines, b.Marks)
			if err == nil {
				err = b.Err
			}
			p.recycle(b)
		case <-p.ctx.Done():
			err = p.ctx.Err()
		}
		if err != nil {
			stop(err)
		}
	}
	return err
}
