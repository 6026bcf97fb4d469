package msgcmd

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode/stream"
)

// dumper prints the events of sources.
type dumper struct {
	a    *ui.App
	o    *dumpOptions
	out  *rows.Writer
	gaps bool // there was one, shown or not
	seen int  // events that were looked at
}

func newDumper(a *ui.App, o *dumpOptions) *dumper {
	d := &dumper{a: a, o: o, out: rows.NewWriter(a.Out)}
	d.out.Limit = o.limit
	if frame := o.output.Frame(); frame != nil {
		d.out.Separator = frame.Before
	}
	return d
}

// dump prints the events of sources, in the order of time.
func (d *dumper) dump(ctx context.Context, sources []string) (err error) {
	events, closer, err := d.o.source.open(ctx, d.a, sources)
	if err != nil {
		return err
	}
	defer func() {
		if failed := closer.Close(); err == nil {
			err = failed
		}
	}()
	d.out.Live = slices.Contains(sources, stdin) || d.o.source.follow
	if _, err := d.out.Write(d.newRenderer().start()); err != nil {
		return err
	}
	workers := rows.Workers[msgrow.Item]{N: runtime.GOMAXPROCS(0), New: d.newWorker}
	return rows.Print(ctx, d.out, workers, func(ctx context.Context, p *pipeline) error {
		return d.read(ctx, p, events)
	})
}

// pipeline renders events.
type pipeline = rows.Pipeline[msgrow.Item, *msgrow.Item]

// read hands the events to the pipeline that may have to be printed.
func (d *dumper) read(ctx context.Context, p *pipeline, events stream.Events) error {
	names := &d.o.source.names
	var item msgrow.Item // one for all: Add copies it
	return d.o.source.hand(ctx, events, func(e *stream.Event) error {
		d.seen++
		d.gaps = d.gaps || e.Kind == stream.KindGap
		if !d.o.filter.wants(e, names) {
			return nil
		}
		item = msgrow.NewItem(e, names)
		if err := p.Add(&item); err != nil {
			return err
		}
		if d.out.Live && (d.o.source.follow || d.a.Now().Sub(e.Time) < live) {
			return p.Flush()
		}
		return nil
	})
}

// live is how old an event is at most that is shown at once, as it is of a capture under way.
const live = 10 * time.Second

// newWorker returns a function that filters and renders batches.
func (d *dumper) newWorker() func(*rows.Batch[msgrow.Item]) {
	r := msgrow.NewRow(msgrow.Options{Style: d.o.style, Entries: d.o.shown})
	render := d.newRenderer()
	return func(b *rows.Batch[msgrow.Item]) {
		for i := range b.Items {
			r.Set(&b.Items[i])
			ok, err := d.o.filter.passes(r)
			if err != nil {
				b.Err = err
				return
			}
			if ok {
				b.Out = render.line(b.Out, r)
				b.EndLine()
			}
		}
	}
}

// finish writes what comes behind the last event.
func (d *dumper) finish() error {
	if _, err := d.out.Write(d.newRenderer().finish(d.out.Shown)); err != nil {
		return err
	}
	return d.out.Flush()
}

// explainNothing says how much was looked at where nothing was shown.
func (d *dumper) explainNothing() {
	if d.out.Shown > 0 {
		return
	}
	if d.seen == 0 {
		fmt.Fprintln(d.a.Err, "raftctl message dump: no traffic between members was found")
		return
	}
	fmt.Fprintf(d.a.Err, "raftctl message dump: nothing matches; %s %s looked at\n", ui.Count(d.seen), ui.Plural(d.seen, "event"))
	if w := d.o.filter.condition; w != nil {
		for _, name := range w.Unseen() {
			fmt.Fprintf(d.a.Err, "raftctl message dump: none of the events that --where looked at has %s\n", name)
		}
	}
}
