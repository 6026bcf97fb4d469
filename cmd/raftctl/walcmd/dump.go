package walcmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/logrow"
)

type dumpOptions struct {
	source   paths.Options
	filter   filter
	decode   decodeOptions
	output   ui.Output
	limit    int
	last     int
	raw      bool
	physical bool
	follow   bool
	who      bool
	time     bool
}

func newDump(a *ui.App) *cobra.Command {
	var o dumpOptions
	cmd := &cobra.Command{
		Use:   "dump PATH…",
		Short: "Print what a log holds",
		Long: `Prints the log as a member would see it: its metadata, the entries that no later record overwrites,
the snapshots and the last hard state, in the order of the log. Damage is shown where it lies, and
what comes behind it as well. With --physical, every record is shown as it lies on disk.

` + pathHelp + `

Payloads are those of etcd, unless --decode names another decoder:

` + decodersHelp() + `
Passwords, tokens and Kubernetes Secrets are hidden unless --show-secrets is given, and so is what by
its key, its field's name or its look is a secret in other values.

Records carry no time. --time tells what the entries do: leases that Kubernetes' nodes and leaders renew,
what is created, reported and changed, each by a clock of its own, and when the servers were started that
proposed them. Times are shown with how far they may be off, and clocks that most others contradict are left
out; 'raftctl wal stat' names them. Without leases, there is but a time before which nothing was written.

Operations for --op. In a transaction either branch counts: which one ran is not in the log.

` + opsHelp() + `
The fields for --where are those of the JSON; what a record doesn't have is "", 0 or empty:

` + logrow.Table.Help(),
		Example: `  raftctl wal dump /var/lib/etcd --op delete_range --key /registry/pods/
  raftctl wal dump /var/lib/etcd --where 'op == "put" && size > 100000' --last 20
  raftctl wal dump backup.tar.zst/etcd-1 --index 800..900 -o jsonl | jq .request
  raftctl wal dump /var/lib/etcd --follow --last 10`,
		Args: o.source.Want(wantedPaths, 1, -1),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			return o.check(cmd, o.source.Paths(args))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDump(cmd.Context(), a, &o, o.source.Paths(args))
		},
	}
	o.source.Register(cmd)
	o.filter.register(cmd)
	o.decode.register(cmd)
	o.output.Register(cmd)
	fl := cmd.Flags()
	fl.IntVar(&o.limit, "limit", 0, "end after `N` records")
	fl.IntVar(&o.last, "last", 0, "only the last `N` records that pass the filters")
	fl.BoolVar(&o.raw, "raw", false, "show the data of entries as bytes: hex in the table, data_base64 in JSON")
	fl.BoolVar(&o.physical, "physical", false, "show every record as it lies, with offset, length, padding and CRC")
	fl.BoolVar(&o.who, "who", false, "show who proposed an entry: the member by the ID of the request, its name where the log tells, and when its process was started")
	fl.BoolVar(&o.time, "time", false, "show when an entry was written, as far as what the log holds tells; reads the log once more")
	fl.BoolVarP(&o.follow, "follow", "f", false, "keep printing as a running etcd writes")
	return cmd
}

// check refuses flags that contradict each other.
func (o *dumpOptions) check(cmd *cobra.Command, paths []string) error {
	for name, n := range map[string]int{"limit": o.limit, "last": o.last} {
		if cmd.Flags().Changed(name) && n < 1 {
			return ui.Usagef(cmd, "--%s %d, want 1 or more", name, n)
		}
	}
	switch {
	case o.limit > 0 && o.last > 0:
		return ui.Usagef(cmd, "--limit and --last exclude each other")
	case o.who && !o.decode.isEtcd():
		return ui.Usagef(cmd, "--who reads the IDs of etcd's requests, and --decode %s none", o.decode.spec)
	case o.time && !o.decode.isEtcd():
		return ui.Usagef(cmd, "--time reads etcd's requests, and --decode %s none", o.decode.spec)
	case o.time && o.follow:
		return ui.Usagef(cmd, "--time is told by what follows an entry, and --follow shows it before")
	case o.follow && len(paths) > 1:
		return ui.Usagef(cmd, "--follow goes with one PATH, got %d", len(paths))
	case o.follow && o.output.Frame() != nil && !o.output.Frame().Endless():
		return ui.Usagef(cmd, "--follow has no end, which -o %s needs; take -o jsonl", o.output.String())
	}
	if err := o.decode.check(cmd); err != nil {
		return err
	}
	return o.filter.prepare(cmd, o)
}

func runDump(ctx context.Context, a *ui.App, o *dumpOptions, paths []string) (err error) {
	decoder, err := o.decode.decoder(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, decoder.Close()) }()
	d := newDumper(a, o, decoder)
	for _, path := range paths {
		if len(paths) > 1 {
			d.name = path
		}
		if err = d.dump(ctx, path); err != nil {
			break
		}
	}
	if err := rows.Ended(err, d.finish()); err != nil {
		return err
	}
	d.explainNothing()
	switch {
	case d.out.Marks > 0:
		return ui.ExitError{Status: ui.StatusDamage}
	case d.partial:
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}
