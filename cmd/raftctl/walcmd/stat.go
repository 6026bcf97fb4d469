package walcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

type statOptions struct {
	source paths.Options
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
when its entries were written, entries and bytes by operation, the sizes of entries, the largest ones, and
the key prefixes that are written most. Entries that a later record overwrites are not counted. The membership is that of the
last committed entry, as far as the log tells.

` + pathHelp + `

Records carry no time: it is told from what entries hold, as 'raftctl wal dump --help' says of --time. Clocks
that most others contradict are named, with how far they are off.

The busiest prefixes are those of the part of a key up to its last slash. Where a log has more of
them than memory should hold, counts are estimates from above, marked with ~.

Payloads are those of etcd, unless --decode names another decoder:

` + decodersHelp(),
		Example: `  raftctl wal stat /var/lib/etcd
  raftctl wal stat /var/lib/etcd -o json | jq .operations`,
		Args:    o.source.Want(wantedPaths, 1, 1),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStat(cmd.Context(), a, &o, o.source.Paths(args)[0])
		},
	}
	o.source.Register(cmd)
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
	src, err := open(a, &o.source, path)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // opened for reading
	view, err := src.log.View(ctx)
	if err != nil {
		return pathErr.Error(path, err)
	}
	g := newGatherer(decoder, o)
	p := ui.NewProgress(a, "stat "+path, totalSize(src.log))
	err = g.gather(ctx, src.log, view, p)
	p.Done()
	if err != nil {
		return pathErr.Error(path, err)
	}
	s := g.result(path, src.log, view)
	err = o.output.Write(a.Out, s, func() error { return s.print(a.Text(), a.Screen()) })
	if err == nil && s.Damage > 0 {
		fmt.Fprintf(a.Err, "raftctl wal stat: %s: damage in %d %s; see: %s\n",
			path, s.Damage, ui.Plural(s.Damage, "place"), o.source.Command("wal verify", path))
		return ui.ExitError{Status: ui.StatusDamage}
	}
	return err
}
