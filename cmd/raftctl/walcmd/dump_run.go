package walcmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// dumper prints the records of one log after the other.
type dumper struct {
	a       *ui.App
	o       *dumpOptions
	decoder decode.Decoder
	name    string // of the log, where there are several
	log     *wal.Log
	view    *wal.View       // nil: every entry counts as live
	who     *decode.Members // who may have proposed entries; nil: it isn't shown
	times   *decode.Times   // when entries were written; nil: it isn't shown

	out      *rows.Writer
	render   renderer // for what is around the records
	progress *ui.Progress
	entries  int // that were read

	end       wal.Position // behind the last record that was read
	following bool         // reading what a running etcd adds
	partial   bool
}

func newDumper(a *ui.App, o *dumpOptions, decoder decode.Decoder) *dumper {
	d := &dumper{a: a, o: o, decoder: decoder, out: rows.NewWriter(a.Out)}
	d.out.Limit, d.out.Live, d.out.Tail.Size = o.limit, o.follow, o.last
	if frame := o.output.Frame(); frame != nil {
		d.out.Separator = frame.Before
	}
	return d
}

// dump prints one log.
func (d *dumper) dump(ctx context.Context, path string) (err error) {
	src, err := open(d.a, &d.o.source, path)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // opened for reading
	d.log = src.log
	if err = d.survey(ctx, path); err != nil {
		return err
	}
	if err = d.readAhead(ctx, path); err != nil {
		return pathErr.Error(path, err)
	}
	d.render = d.newRenderer()
	if _, err := d.out.Write(d.render.start(d.out.Shown)); err != nil {
		return err
	}
	damage := d.out.Marks
	if a := d.a; a.Width == 0 && !d.o.follow { // on a terminal the records show it
		d.progress = ui.NewProgress(a, "dump "+path, totalSize(d.log))
	}
	err = d.records(ctx)
	d.progress.Done()
	if n := d.out.Marks - damage; n > 0 {
		fmt.Fprintf(d.a.Err, "raftctl wal dump: %s: damage in %d %s; see: %s\n",
			path, n, ui.Plural(n, "place"), d.o.source.Command("wal verify", path))
	}
	if flushed := d.out.FlushTail(); err == nil {
		err = flushed
	}
	return err
}

// survey finds out which entries are live.
func (d *dumper) survey(ctx context.Context, path string) error {
	d.view = nil
	view, err := d.log.View(ctx)
	if errors.Is(err, wal.ErrTooManyEvents) {
		fmt.Fprintf(d.a.Err, "raftctl wal dump: %s: %v: overwritten entries are shown as well\n", path, err)
		d.partial = true
		return nil
	}
	if err != nil {
		return pathErr.Error(path, err)
	}
	d.view = view
	return nil
}

// readAhead reads the log for what columns say that depend on all of it.
func (d *dumper) readAhead(ctx context.Context, path string) (err error) {
	if d.o.who {
		if d.who, err = proposers(ctx, d.log, d.view); err != nil {
			return err
		}
	}
	if d.o.time {
		p := ui.NewProgress(d.a, "times of "+path, totalSize(d.log))
		defer p.Done()
		d.times, err = entryTimes(ctx, d.log, d.view, p)
	}
	return err
}

// records prints what passes of the log, and of what is added to it if that is wanted.
func (d *dumper) records(ctx context.Context) error {
	read := d.printAll
	if d.o.last > 0 && d.view != nil && d.view.Sound {
		read = d.printLast
	}
	if err := read(ctx); err != nil || !d.o.follow {
		return err
	}
	if err := d.out.FlushTail(); err != nil {
		return err
	}
	d.following, d.view, d.out.Tail.Size = true, nil, 0
	return d.print(ctx, d.log.Follow(ctx, d.end, followInterval))
}

func (d *dumper) printAll(ctx context.Context) error {
	return d.print(ctx, d.log.Records(wal.Inspect))
}

// printLast collects the last records that pass in the tail, reading from the last segment backwards
// until there are enough.
func (d *dumper) printLast(ctx context.Context) error {
	var tails []rows.Ring // the last segment's first
	var end wal.Position
	left := d.o.last
	for i := len(d.log.Segments()) - 1; i >= 0 && left > 0; i-- {
		d.out.Tail = rows.Ring{Size: left}
		if err := d.print(ctx, d.log.SegmentRecords(i)); err != nil {
			return err
		}
		if len(tails) == 0 {
			end = d.end
		}
		tails, left = append(tails, d.out.Tail), left-d.out.Tail.Len()
	}
	d.out.Tail, d.end = rows.Ring{Size: d.o.last}, end
	for _, tail := range slices.Backward(tails) {
		for line := range tail.All() {
			d.out.Tail.Push(line)
		}
	}
	return nil
}

// followInterval is how often a running etcd's log is looked at.
const followInterval = 200 * time.Millisecond

// print prints the records that pass.
func (d *dumper) print(ctx context.Context, records iter.Seq2[*wal.Record, error]) error {
	workers := rows.Workers[record]{N: d.o.workers(), New: func() func(*rows.Batch[record]) {
		return d.newWorker(d.decoder)
	}}
	return rows.Print(ctx, d.out, workers, func(ctx context.Context, p *pipeline) error {
		return d.read(ctx, p, records)
	})
}

// pipeline renders records.
type pipeline = rows.Pipeline[record, *record]

// read hands the records to the pipeline that may have to be printed.
func (d *dumper) read(ctx context.Context, p *pipeline, records iter.Seq2[*wal.Record, error]) error {
	for rec, err := range polled(ctx, records, d.progress) {
		if err != nil {
			return err
		}
		if rec.Kind == wal.KindEntry {
			d.entries++
		}
		if d.o.follow && rec.Kind == wal.KindDamage && rec.Damage.Class == wal.ClassTorn {
			continue // being written
		}
		d.end = wal.Position{Segment: rec.Pos.Segment, Off: rec.Pos.Off + rec.Len}
		live, ok := d.wanted(rec)
		if !ok {
			continue
		}
		if err := p.Add(&record{*rec, live}); err != nil {
			return err
		}
		if d.following {
			if err := p.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// wanted tells from the outside of a record whether it may be shown, and whether it is live.
func (d *dumper) wanted(rec *wal.Record) (live, ok bool) {
	if rec.Kind != wal.KindEntry {
		return true, d.o.physical || d.logical(rec)
	}
	if d.o.filter.index.IsSet && rec.ID.Index > 0 && !d.o.filter.index.Has(rec.ID.Index) {
		return false, false
	}
	live = d.view == nil || rec.ID.Index == 0 || d.view.Live(rec.Pos, rec.ID.Index)
	return live, live || d.o.physical
}

// logical reports whether a record that is no entry belongs to the logical log. What is the last hard
// state isn't known of a log that is being written; its hard states are shown if they are asked for.
func (d *dumper) logical(rec *wal.Record) bool {
	if d.view != nil {
		return d.view.Shows(rec)
	}
	switch rec.Kind {
	case wal.KindCRC:
		return false
	case wal.KindState:
		return !d.following || slices.Contains(d.o.filter.kinds, "state")
	case wal.KindMetadata:
		return !d.following
	}
	return true
}

// explainNothing says that no record matched, and why that may be.
func (d *dumper) explainNothing() {
	if d.out.Shown > 0 || d.o.follow || !d.o.filter.isSet() {
		return
	}
	fmt.Fprintf(d.a.Err, "raftctl wal dump: no record matches; %s %s looked at\n",
		ui.Count(d.entries), entriesOf(d.entries))
	if w := d.o.filter.condition; w != nil {
		for _, name := range w.Unseen() {
			fmt.Fprintf(d.a.Err, "raftctl wal dump: none of the records that --where looked at has %s\n", name)
		}
	}
}

func entriesOf(n int) string {
	if n == 1 {
		return "entry"
	}
	return "entries"
}

// finish writes what stands behind the last record, and says so where there was none.
func (d *dumper) finish() error {
	if d.render == nil {
		return nil
	}
	if _, err := d.out.Write(d.render.finish(d.out.Shown)); err != nil {
		return err
	}
	return d.out.Flush()
}
