package msgcmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/rows"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/cmd/raftctl/where/msgrow"
	"github.com/raftctl/raftctl/decode"
)

type dumpOptions struct {
	source  sourceOptions
	filter  filter
	output  ui.Output
	limit   int
	entries string
	style   decode.Style

	shown decode.Values // of entries
}

func newDump(a *ui.App) *cobra.Command {
	var o dumpOptions
	cmd := &cobra.Command{
		Use:   "dump SOURCE…",
		Short: "Print what members said to each other, a line a message",
		Long: `Prints the messages that members of etcd 3.4 to 3.7 exchanged, in the order of time, with what else goes over
their connections: the requests that are not Raft's, and gaps, where something is missing.

` + sourceHelp + `

Times are in UTC. Members are named by their IDs, or by their names once the capture tells them, as entries and
lists of members do; --data-dir tells them from a member's log. The columns of a message say who sends to
whom, the type, the sender's term and, as TERM/INDEX, what it is about: App 4/17 follows the entry of index 17
and term 4. Link heartbeats, which every stream has each two seconds, are shown with --type link_heartbeat.

What TLS hides is a gap, unless --tls-keylog has the secrets of its sessions. The exit status is 3 if there is
any gap.

Passwords, tokens and Kubernetes Secrets are hidden unless --show-secrets is given.

The fields for --where are those of the JSON; what an event doesn't have is "", 0 or empty:

` + msgrow.Table.Help(),
		Example: `  tcpdump -i any -w - tcp port 2380 | raftctl message dump -
  raftctl message dump peers.pcapng.zst --type vote,vote_resp,pre_vote
  raftctl message dump peers.pcap --from m1 --to m3 --index 4000..4100 --entries full
  raftctl message dump talk --follow --type vote,vote_resp
  raftctl message dump peers.pcap --where 'entries.exists(e, e.op == "delete_range")' -o jsonl | jq .entries`,
		Args: wantSources,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if o.source.follow && len(args) > 1 {
				return ui.Usagef(cmd, "--follow goes with one SOURCE, got %d", len(args))
			}
			return o.check(cmd)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDump(cmd.Context(), a, &o, args)
		},
	}
	o.source.register(cmd, dirsForNames)
	o.filter.register(cmd)
	o.output.Register(cmd)
	fl := cmd.Flags()
	fl.BoolVarP(&o.source.follow, "follow", "f", false, "keep printing as a recording is written")
	fl.IntVar(&o.limit, "limit", 0, "end after `N` lines")
	fl.StringVar(&o.entries, "entries", "short", "how much of entries is shown, as `HOW`: none, short or full")
	fl.BoolVar(&o.style.ShowSecrets, "show-secrets", false, "show passwords, tokens and other secrets, also in values")
	ui.CompleteWith(cmd, "entries", []string{"none", "short", "full"})
	return cmd
}

// check refuses flags that make no sense.
func (o *dumpOptions) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("limit") && o.limit < 1 {
		return ui.Usagef(cmd, "--limit %d, want 1 or more", o.limit)
	}
	values, err := decode.ParseValues(o.entries)
	if err != nil {
		return ui.Usagef(cmd, "--entries %q, want none, short or full", o.entries)
	}
	o.shown, o.style.Values = values, values
	if f := o.output.Frame(); o.source.follow && f != nil && !f.Endless() {
		return ui.Usagef(cmd, "--follow has no end, which -o %s needs; take -o jsonl", o.output.String())
	}
	if err := o.source.check(cmd); err != nil {
		return err
	}
	return o.filter.prepare(cmd)
}

func runDump(ctx context.Context, a *ui.App, o *dumpOptions, sources []string) error {
	d := newDumper(a, o)
	if err := o.source.learn(ctx, a); err != nil {
		return err
	}
	if err := rows.Ended(d.dump(ctx, sources), d.finish()); err != nil {
		return err
	}
	d.explainNothing()
	if d.gaps {
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}
