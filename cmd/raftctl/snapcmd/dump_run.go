package snapcmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/keyrow"
	"github.com/raftctl/raftctl/snapshot/bolt"
	"github.com/raftctl/raftctl/snapshot/database"
)

// dumper prints what a database holds.
type dumper struct {
	a      *ui.App
	o      *dumpOptions
	db     *database.DB
	out    *rows.Writer
	render renderer // for what is around the rows
	read   int      // rows that were read
	damage damageTold
	bar    *lateBar
}

func newDumper(a *ui.App, o *dumpOptions, db *database.DB) *dumper {
	d := &dumper{a: a, o: o, db: db, out: rows.NewWriter(a.Out)}
	d.out.Limit = o.limit
	if frame := o.output.Frame(); frame != nil {
		d.out.Separator = frame.Before
	}
	d.render = d.newRenderer()
	return d
}

// print prints the rows.
func (d *dumper) print(ctx context.Context) error {
	d.bar = &lateBar{a: d.a, name: "dump " + d.db.Name()}
	defer d.bar.Done()
	items, err := d.items(ctx)
	if err != nil {
		return err
	}
	if _, err := d.out.Write(d.render.start()); err != nil {
		return err
	}
	workers := rows.Workers[keyrow.Item]{N: runtime.GOMAXPROCS(0), New: d.newWorker}
	return rows.Print(ctx, d.out, workers,
		func(ctx context.Context, p *rows.Pipeline[keyrow.Item, *keyrow.Item]) error {
			for item, err := range items {
				if err != nil {
					if err := d.damage.take(ctx, err); err != nil {
						return err
					}
					continue
				}
				d.read++
				if err := p.Add(item); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
}

// items yields what is to be printed, with what damage there is on the way.
func (d *dumper) items(ctx context.Context) (iter.Seq2[*keyrow.Item, error], error) {
	o := d.o
	q := database.Query{Revision: o.rev, Prefix: []byte(o.prefix), Progress: d.bar.Set}
	if key := o.key + o.history; key != "" {
		q.Key = []byte(key)
	}
	switch {
	case o.bucket != "" && o.bucket != keyBucket:
		return d.bucket(ctx)
	case o.scan:
		return changes(d.db.Scan(ctx, q)), nil
	case o.history != "" || o.bucket == keyBucket:
		return changes(d.db.History(ctx, q)), nil
	}
	return states(d.db.Keys(ctx, q)), nil
}

// states makes rows of the keys in a state.
func states(keys iter.Seq2[*database.KeyValue, error]) iter.Seq2[*keyrow.Item, error] {
	return func(yield func(*keyrow.Item, error) bool) {
		item := &keyrow.Item{Kind: keyrow.KindKey}
		for kv, err := range keys {
			if err == nil {
				item.KeyValue = *kv
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// changes makes rows of the changes of keys.
func changes(list iter.Seq2[*database.Change, error]) iter.Seq2[*keyrow.Item, error] {
	return func(yield func(*keyrow.Item, error) bool) {
		item := &keyrow.Item{Kind: keyrow.KindChange}
		for c, err := range list {
			if err == nil {
				item.KeyValue, item.Revision, item.Deleted = c.KeyValue, c.Revision, c.Tombstone
				item.Unproven = c.Unproven
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// bucket makes rows of the items of a bucket.
func (d *dumper) bucket(ctx context.Context) (iter.Seq2[*keyrow.Item, error], error) {
	names, err := d.db.Buckets()
	if !slices.Contains(names, d.o.bucket) {
		if err != nil {
			return nil, err
		}
		return nil, ui.UsageError{Err: fmt.Errorf("no bucket %q, there are %s", d.o.bucket, strings.Join(names, ", "))}
	}
	return func(yield func(*keyrow.Item, error) bool) {
		item := &keyrow.Item{Kind: keyrow.KindItem, Bucket: d.o.bucket}
		for i, err := range d.db.Bucket(ctx, d.o.bucket) {
			item.Key, item.Value = i.Key, i.Value
			if !yield(item, err) {
				return
			}
		}
	}, nil
}

// newWorker returns a function that filters and renders batches.
func (d *dumper) newWorker() func(*rows.Batch[keyrow.Item]) {
	r := &keyrow.Row{Style: d.o.values.style}
	render := d.newRenderer()
	return func(b *rows.Batch[keyrow.Item]) {
		for i := range b.Items {
			r.Set(&b.Items[i])
			if d.o.condition != nil {
				ok, err := d.o.condition.Match(r)
				if b.Err = err; err != nil {
					return
				}
				if !ok {
					continue
				}
			}
			b.Out = render.line(b.Out, r)
			b.EndLine()
		}
	}
}

// finish writes what stands behind the last row.
func (d *dumper) finish() error {
	if _, err := d.out.Write(d.render.finish(d.out.Shown)); err != nil {
		return err
	}
	return d.out.Flush()
}

// explainNothing says that no row matched, and why that may be.
func (d *dumper) explainNothing() {
	if d.out.Shown > 0 || !d.o.isSet() {
		return
	}
	switch {
	case d.read == 0 && d.o.history != "":
		fmt.Fprintln(d.a.Err, "raftctl snapshot dump: no change of the key is there; those up to the compacted revision are gone")
		return
	case d.read == 0:
		fmt.Fprintln(d.a.Err, "raftctl snapshot dump: no such key")
		return
	}
	fmt.Fprintf(d.a.Err, "raftctl snapshot dump: nothing matches; %s %s looked at\n",
		ui.Count(d.read), ui.Plural(d.read, "row"))
	if w := d.o.condition; w != nil {
		for _, name := range w.Unseen() {
			fmt.Fprintf(d.a.Err, "raftctl snapshot dump: none of the rows that --where looked at has %s\n", name)
		}
	}
}

// explainDamage says what was passed over, and ends with its status.
func (d *dumper) explainDamage(path string) error {
	return d.damage.explain(d.a, "dump", path, &d.o.source)
}

// damageTold collects what could not be read on the way.
type damageTold struct {
	first []error // some of them
	n     int
}

// toldDamage is how many places of damage are told one by one.
const toldDamage = 5

// take notes an error that is about damage, and returns any other.
func (t *damageTold) take(ctx context.Context, err error) error {
	_, page := errors.AsType[*bolt.CorruptError](err)
	_, record := errors.AsType[*database.RecordError](err)
	if ctx.Err() != nil || !page && !record && !errors.Is(err, database.ErrDamaged) {
		return err
	}
	if t.n++; t.n <= toldDamage {
		t.first = append(t.first, err)
	}
	return nil
}

// explain says what was passed over. It returns the error that gives the exit status.
func (t *damageTold) explain(a *ui.App, verb, path string, o *paths.Options) error {
	if t.n == 0 {
		return nil
	}
	for _, err := range t.first {
		fmt.Fprintf(a.Err, "raftctl snapshot %s: %s: %s\n", verb, ui.Quote(path), ui.OneLine(err))
	}
	fmt.Fprintf(a.Err, "raftctl snapshot %s: %s: damage in %d %s, and keys may be missing; see: %s\n",
		verb, ui.Quote(path), t.n, ui.Plural(t.n, "place"), o.Command("snapshot verify", path))
	return ui.ExitError{Status: ui.StatusDamage}
}
