package msgcmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/stat"
)

type statOptions struct {
	source sourceOptions
	output ui.Output
}

func newStat(a *ui.App) *cobra.Command {
	var o statOptions
	cmd := &cobra.Command{
		Use:   "stat SOURCE…",
		Short: "Summarise what members said: who, how much, how fast, and who was elected",
		Long: `Summarises the messages of members, by cluster: how many of each type went where and how many bytes they took; how
long appends, heartbeats, commits, proposals and reads took; the followers, the slowest first; elections, why
they were held and how they ended; snapshots; and what is missing.

` + sourceHelp + `

What several of them hold is counted in each; latencies are taken within one.

Latencies are what was seen where the capture was made, and grouped with an error of at most 7 %. The way
there and back is part of those seen at the machine that asks:

  append     entries are sent, until they are acknowledged
  heartbeat  a heartbeat is sent, until it is answered
  commit     an entry is first sent, until the leader tells that it is committed
  proposal   a follower passes a proposal on, until the leader tells that it is committed
  read       a follower asks for a read index, until it is told one
  election   votes are asked for, until the new leader speaks
  snapshot   a snapshot is sent, until it is acknowledged

Behind latencies stands how often they were of what length, from the shortest to the longest: each block is
twice as long as the one before.`,
		Example: `  raftctl message stat peers.pcap
  timeout 10 tcpdump -i any -w - tcp port 2380 | raftctl message stat - -o json | jq .latencies`,
		Args:    wantSources,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.source.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runStat(cmd.Context(), a, &o, args)
		},
	}
	o.output.Register(cmd)
	o.source.register(cmd, dirsForNames)
	return cmd
}

func runStat(ctx context.Context, a *ui.App, o *statOptions, sources []string) error {
	if err := o.source.learn(ctx, a); err != nil {
		return err
	}
	c := newClusters(func(*stream.Clusters, int) *stat.Gatherer { return stat.New() },
		(*stat.Gatherer).Add, (*stat.Gatherer).Join)
	if err := c.read(ctx, a, &o.source, sources); err != nil {
		return err
	}
	var all []*statPrinter
	for _, n := range c.numbers() {
		all = append(all, &statPrinter{
			a: a, s: c.list[n].Summary(), sources: sources, names: &o.source.names, title: title(&c.Clusters, n, &o.source.names),
			cluster: c.ID(n), members: c.Members(n),
		})
	}
	if err := writeClusters[*stats](a, &o.output, all); err != nil {
		return err
	}
	return statStatus(a, strings.Join(sources, ", "), all)
}

// statStatus returns the error that gives the exit status.
func statStatus(a *ui.App, sources string, all []*statPrinter) error {
	if len(all) == 0 {
		fmt.Fprintf(a.Err, "raftctl message stat: %s: no messages between members were found\n", ui.Printable(sources))
		return ui.ExitError{Status: ui.StatusPartial}
	}
	gaps := int64(0)
	for _, p := range all {
		gaps = max(gaps, p.gaps()) // one that may be of any cluster counts for all
	}
	if gaps == 0 {
		return nil
	}
	fmt.Fprintf(a.Err, "raftctl message stat: %s: %s %s: what was said there is not counted\n",
		ui.Printable(sources), ui.Count(gaps), ui.Plural(int(gaps), "gap"))
	return ui.ExitError{Status: ui.StatusPartial}
}
