package msgcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
)

type checkOptions struct {
	source    sourceOptions
	output    ui.Output
	tla       string // a file for a trace; empty: none
	overwrite bool
}

func newCheck(a *ui.App) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check SOURCE…",
		Short: "Hold what members said against the rules of Raft",
		Long: `Reads the messages of members and holds them against the rules of Raft, and of etcd's use of it:

` + rulesHelp() + `

` + sourceHelp + `

Several sources are captures at several machines, say. As clocks differ, what was said before what is told within
each of them only. Where there are messages of several clusters, each of these is judged by itself.

Evidence may begin anywhere, and parts of it may be missing. What needs a message that is missing can't be
checked, and is no violation: the table says how often, and why. "Given" is what holds if all was right
before the evidence began. Who is a voter follows from a snapshot that is sent, or from an election, where
the messages between all members are seen and there are three at least; a recording tells it if its recorder knew,
and --data-dir tells it from the log of a member, in which changes of the membership are looked up, too. What that member acknowledged must then be in its log. The log must be read
after the capture.

A violation is shown with the two messages that prove it. Of each rule, the first 100 are listed.

--tla FILE also writes a run of the TLA+ specification of etcd's raft that explains the messages, as a trace that
Traceetcdraft.tla of etcd-io/raft takes: docs/messages.md says what is in it, and how TLC is run on it.

The verdict is "ok", "problem", or "unchecked" where something could not be checked; the exit status is 0, 1
or 3. A rule that nothing was held against is "unchecked", and the whole still ok if others were.`,
		Example: `  tcpdump -i any -w - tcp port 2380 | raftctl message check -
  raftctl message check peers.pcap --data-dir /var/lib/etcd
  raftctl message check peers.pcap -o json | jq '.rules[] | select(.verdict == "problem")'`,
		Args:    wantSources,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCheck(cmd.Context(), a, &o, args)
		},
	}
	o.output.Register(cmd)
	cmd.Flags().StringVar(&o.tla, "tla", "", "write a trace for the TLA+ specification of etcd's raft to `FILE`")
	cmd.Flags().BoolVar(&o.overwrite, "overwrite", false, "replace FILE of --tla if it exists")
	o.source.register(cmd, "take the membership from the log in this data `DIR`, and hold what its member acknowledged against it")
	return cmd
}

// check refuses flags that make no sense.
func (o *checkOptions) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("tla") && o.tla == "" {
		return ui.Usagef(cmd, "--tla is empty")
	}
	if o.overwrite && o.tla == "" {
		return ui.Usagef(cmd, "--overwrite goes with --tla")
	}
	return o.source.check(cmd)
}

// rulesHelp lists the rules.
func rulesHelp() string {
	var b strings.Builder
	for _, r := range check.Rules() {
		fmt.Fprintf(&b, "  %-16s %s\n", r.Name, r.Doc)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func runCheck(ctx context.Context, a *ui.App, o *checkOptions, sources []string) (err error) {
	if o.tla != "" {
		if err := vacant(a, o.tla, o.overwrite); err != nil {
			return err
		}
	}
	if err := o.source.learn(ctx, a); err != nil {
		return err
	}
	logs, err := openLogs(ctx, a, o.source.dataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	begin := func(c *stream.Clusters, n int) *judged {
		known := logs.options(c, n)
		if len(o.source.dataDir) == 0 {
			known.Known = o.source.members
		}
		return o.judge(known)
	}
	c := newClusters(begin, (*judged).add, (*judged).join)
	logs.unite(&c.Clusters)
	if err := c.read(ctx, a, &o.source, sources); err != nil {
		return err
	}
	var all []*checkPrinter
	for _, n := range c.numbers() {
		all = append(all, &checkPrinter{
			a: a, report: c.list[n].checker.Report(), sources: sources, names: &o.source.names, title: title(&c.Clusters, n, &o.source.names),
			cluster: c.ID(n), members: c.Members(n),
		})
	}
	if err := writeClusters[*checked](a, &o.output, all); err != nil {
		return err
	}
	if err := o.writeTrace(a, c); err != nil {
		return err
	}
	return checkStatus(a, all)
}

// checkStatus returns the error that gives the exit status: a problem anywhere outweighs what could not be checked.
func checkStatus(a *ui.App, all []*checkPrinter) error {
	status := ui.StatusOK
	for _, p := range all {
		switch p.report.Verdict {
		case verdict.Problem:
			return ui.ExitError{Status: ui.StatusDamage}
		case verdict.Unchecked:
			status = ui.StatusPartial
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(a.Err, "raftctl message check: no messages between members were found")
		status = ui.StatusPartial
	}
	if status == ui.StatusOK {
		return nil
	}
	return ui.ExitError{Status: status}
}
