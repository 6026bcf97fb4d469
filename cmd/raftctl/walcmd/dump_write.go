package walcmd

import (
	"context"
	"errors"
)

// errEnough ends a dump when --limit is reached.
var errEnough = errors.New("enough")

// write writes what the pipeline rendered. At the first error, which errEnough is too, it calls stop,
// since reading on is of no use, and from then on only takes batches, so that nobody waits for it.
func (d *dumper) write(p *pipeline, stop context.CancelCauseFunc) (err error) {
	for b := range p.ordered {
		if err != nil {
			continue
		}
		select {
		case <-b.done:
			err = d.writeBatch(b)
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

func (d *dumper) writeBatch(b *batch) error {
	if d.o.limit == 0 && d.tail.size == 0 && len(d.render.separator(d.shown)) == 0 {
		return d.writeWhole(b)
	}
	from := 0
	for _, l := range b.lines {
		text := b.out[from:l.end]
		from = l.end
		if d.tail.size > 0 {
			d.tail.push(text)
			continue
		}
		if err := d.writeLine(text); err != nil {
			return err
		}
		if d.shown == d.o.limit {
			d.damage += l.damage
			return errEnough
		}
	}
	return d.finishBatch(b)
}

// writeWhole writes all lines of a batch at once.
func (d *dumper) writeWhole(b *batch) error {
	d.shown += len(b.lines)
	if _, err := d.out.Write(b.out); err != nil {
		return err
	}
	return d.finishBatch(b)
}

func (d *dumper) finishBatch(b *batch) error {
	d.damage += b.damage()
	if b.err == nil && d.o.follow {
		return d.out.Flush()
	}
	return b.err
}

func (d *dumper) writeLine(text []byte) error {
	if _, err := d.out.Write(d.render.separator(d.shown)); err != nil {
		return err
	}
	d.shown++
	_, err := d.out.Write(text)
	return err
}

// flushTail writes the last records, and from then on every record as it comes.
func (d *dumper) flushTail() error {
	for line := range d.tail.all() {
		if err := d.writeLine(line); err != nil {
			return err
		}
	}
	d.tail = ring{size: d.o.last}
	return d.out.Flush()
}

// finish writes what stands behind the last record, and says so where there was none.
func (d *dumper) finish() error {
	if d.render == nil {
		return nil
	}
	if _, err := d.out.Write(d.render.finish(d.shown)); err != nil {
		return err
	}
	return d.out.Flush()
}
