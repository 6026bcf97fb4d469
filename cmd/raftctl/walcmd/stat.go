package walcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

type statOptions struct {
	source sourceOptions
	decode decodeOptions
	output ui.Output
	top    int
}

func newStat(a *ui.App) *cobra.Command {
	var o statOptions
	cmd := &cobra.Command{
		Use:   "stat PATH",
		Short: "Summarise a log: whose it is, what it holds, what fills it",
		Long: `Summarises a log: member and cluster, the membership, segments, terms, the hard state, snapshots,
entries and bytes by operation, the sizes of entries, the largest ones, and the key prefixes that are
written most. Entries that a later record overwrites are not counted.

` + pathHelp + `

The busiest prefixes are those of the part of a key up to its last slash. Where a log has more of
them than memory should hold, counts are estimates from above, marked with ~.

Payloads are those of etcd, unless --decode names another decoder:

` + decodersHelp(),
		Example: `  raftctl wal stat /var/lib/etcd
  raftctl wal stat /var/lib/etcd -o json | jq .operations`,
		Args:    wantPaths(&o.source, 1, 1),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStat(cmd.Context(), a, &o, o.source.paths(args)[0])
		},
	}
	o.source.register(cmd)
	o.decode.register(cmd)
	o.output.Register(cmd)
	cmd.Flags().IntVar(&o.top, "top", 10, "how many of the largest entries and busiest prefixes are listed")
	return cmd
}

func (o *statOptions) check(cmd *cobra.Command) error {
	if o.top < 0 {
		return ui.Usagef(cmd, "--top %d, want 0 or more", o.top)
	}
	return o.decode.check(cmd)
}

func runStat(ctx context.Context, a *ui.App, o *statOptions, path string) (err error) {
	decoder, err := o.decode.decoder(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, decoder.Close()) }()
	src, err := o.source.open(a, path)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // opened for reading
	view, err := src.log.View(ctx)
	if err != nil {
		return pathError(path, err)
	}
	g := newGatherer(decoder, o)
	p := ui.NewProgress(a, "stat "+path, totalSize(src.log))
	err = g.gather(ctx, src.log, view, p)
	p.Done()
	if err != nil {
		return pathError(path, err)
	}
	s := g.result(path, src.log, view)
	err = o.output.Write(a.Out, s, func() error { return s.print(a.Text(), a.Screen()) })
	if err == nil && s.Damage > 0 {
		fmt.Fprintf(a.Err, "raftctl wal stat: %s: damage in %d %s; see: %s\n",
			path, s.Damage, ui.Plural(s.Damage, "place"), o.source.command("verify", path))
		return ui.ExitError{Status: ui.StatusDamage}
	}
	return err
}

// gatherer counts what a log holds, in bounded memory.
type gatherer struct {
	o        *statOptions
	row      *where.Row
	segments map[string]*segmentStat
	ops      map[string]*opStat
	largest  []largeEntry
	prefixes heavyHitters
	sizes    [64]int64 // entries whose size has that many bits
	members  membership
	damage   int
}

func newGatherer(decoder decode.Decoder, o *statOptions) *gatherer {
	return &gatherer{
		o: o, row: where.NewRow(where.Options{Decoder: decoder, Style: o.decode.style}),
		segments: map[string]*segmentStat{}, ops: map[string]*opStat{}, members: membership{},
	}
}

func (g *gatherer) gather(ctx context.Context, log *wal.Log, view *wal.View, p *ui.Progress) error {
	n, done := 0, int64(0)
	for rec, err := range log.Records(wal.Inspect) {
		if err != nil {
			return err
		}
		done += rec.Len
		if n++; n%pollEvery == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.Set(done)
		}
		g.segment(rec)
		if rec.Kind == wal.KindDamage {
			g.damage++
			continue
		}
		g.row.Set(rec)
		switch {
		case g.row.Bad != nil:
		case rec.Kind == wal.KindSnapshot && g.row.Snapshot.ConfState != nil && g.row.Snapshot.Index <= view.State.Commit:
			g.members.restore(g.row.Snapshot.ConfState)
		case rec.Kind == wal.KindEntry && view.Live(rec.Pos, rec.ID.Index):
			if err := g.entry(rec.ID.Index <= view.State.Commit); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (g *gatherer) segment(rec *wal.Record) {
	s := g.segments[rec.Pos.Segment]
	if s == nil {
		s = &segmentStat{}
		g.segments[rec.Pos.Segment] = s
	}
	if s.Used = rec.Pos.Off + rec.Len; rec.Kind != wal.KindDamage {
		s.Records++
	}
	if rec.Kind != wal.KindEntry || rec.ID.Index == 0 {
		return
	}
	s.Entries++
	if s.First == 0 || rec.ID.Index < s.First {
		s.First = rec.ID.Index
	}
	s.Last = max(s.Last, rec.ID.Index)
}

func (g *gatherer) entry(committed bool) error {
	p := g.row.Request()
	if g.row.Failed != nil {
		return g.row.Failed
	}
	size := int64(len(g.row.Entry.Data))
	op := g.ops[string(p.Op)]
	if op == nil {
		op = &opStat{Op: string(p.Op)}
		g.ops[op.Op] = op
	}
	op.Entries++
	op.Bytes += size
	g.sizes[bits(size)]++
	g.keepLargest(p, size)
	g.countWrites(p)
	if committed {
		g.members.apply(g.row)
	}
	return nil
}
