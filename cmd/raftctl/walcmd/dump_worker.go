package walcmd

import (
	"runtime"

	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// record is a row of a dump.
type record struct {
	wal.Record
	live bool
}

// Size returns how many bytes the record aliases.
func (r *record) Size() int { return len(r.Data) }

// Keep copies them to buf.
func (r *record) Keep(buf []byte) {
	if r.Data != nil {
		copy(buf, r.Data)
		r.Data = buf
	}
}

// workers returns how many goroutines render.
func (o *dumpOptions) workers() int {
	if o.decode.sequential() {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// newWorker returns a function that filters and renders batches. It marks places of damage.
func (d *dumper) newWorker(decoder decode.Decoder) func(*rows.Batch[record]) {
	r := logrow.NewRow(logrow.Options{
		Decoder: decoder, Style: d.o.decode.style, Path: d.name, Physical: d.o.physical, Raw: d.o.raw, Who: d.who, Times: d.times,
	})
	render := d.newRenderer()
	return func(b *rows.Batch[record]) {
		for i := range b.Items {
			rec := &b.Items[i]
			if rec.Kind == wal.KindDamage {
				b.Marks++
			}
			r.Set(&rec.Record)
			r.Live = rec.live
			r.Foreign = d.view != nil && d.view.Foreign(rec.Pos)
			ok, err := d.o.filter.passes(r)
			if err == nil && ok {
				b.Out = render.line(b.Out, r)
				b.EndLine()
			}
			if err == nil && r.Failed != nil { // what the line says then is of no use
				err = r.Failed
				if ok {
					b.DropLine()
				}
			}
			if b.Err = err; err != nil {
				b.Marks += damages(b.Items[i+1:])
				return
			}
		}
	}
}

// damages returns how many places of damage are among records.
func damages(records []record) (n int) {
	for i := range records {
		if records[i].Kind == wal.KindDamage {
			n++
		}
	}
	return n
}
