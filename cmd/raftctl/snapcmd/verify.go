package snapcmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/verdict"
)

type verifyOptions struct {
	source paths.Options
	output ui.Output
}

func newVerify(a *ui.App) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify PATH…",
		Short: "Check every byte of a database or a .snap file, and whether a member's files fit together",
		Long: `Reads every byte of a database and reports all that is not as a healthy etcd leaves it: its pages, the
sha256 behind it, the history of every key, and whether what etcd keeps beside the keys agrees with
itself. Of a data directory, checks the database, every .snap file, and the log against the database:
whether etcd will start on them, or end with "failed to find database snapshot file".

` + pathHelp + `

The verdict is "ok", "problem", or "unchecked" where something could not be checked; the exit status
is 0, 1 or 3. A path that can't be read doesn't keep the others from being checked; the exit status is
then that of the error, unless another one has a problem. Findings of a class that repeat are told once;
-o json lists up to 100 of each. The log has a check of its own: raftctl wal verify.`,
		Example: `  raftctl snapshot verify backup.db              # is this backup restorable?
  raftctl snapshot verify /var/lib/etcd          # do database, .snap files and log fit together?
  raftctl snapshot verify -o json backup.db.zst | jq .findings`,
		Args: o.source.Want(wantedPaths, 1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVerify(cmd.Context(), a, &o, o.source.Paths(args))
		},
	}
	o.source.Register(cmd)
	o.output.Register(cmd)
	return cmd
}

func runVerify(ctx context.Context, a *ui.App, o *verifyOptions, names []string) error {
	var all []*verified
	for _, name := range names {
		v := newVerified(a, &o.source, name)
		err := v.verify(ctx)
		if err != nil && (ctx.Err() != nil || len(names) == 1) {
			return err
		}
		v.err = err
		if err := v.tell(o, len(names) > 1, len(all) > 0); err != nil {
			return err
		}
		all = append(all, v)
	}
	if err := writeReports(a, &o.output, all); err != nil {
		return err
	}
	return verdictStatus(ctx, all)
}

// tell prints what is for people: a report, below its title where there are several, or why there is
// none.
func (v *verified) tell(o *verifyOptions, titled, behind bool) error {
	if v.err != nil {
		fmt.Fprintf(v.a.Err, "raftctl snapshot verify: %s\n", ui.OneLine(v.err))
		return nil
	}
	if o.output.Frame() != nil {
		return nil
	}
	if titled {
		gap := ""
		if behind {
			gap = "\n"
		}
		if _, err := fmt.Fprintf(v.a.Text(), "%s%s\n", gap, v.path); err != nil {
			return err
		}
	}
	return v.print()
}

// verdictStatus returns the error that gives the exit status: a problem anywhere outweighs what could
// not be read, and that what could not be checked.
func verdictStatus(ctx context.Context, all []*verified) error {
	status := ui.StatusOK
	for _, v := range all {
		switch {
		case v.err != nil:
			if status == ui.StatusOK || status == ui.StatusPartial {
				status = ui.StatusOf(ctx, v.err)
			}
		case v.verdict == verdict.Problem:
			return ui.ExitError{Status: ui.StatusDamage}
		case v.verdict == verdict.Unchecked && status == ui.StatusOK:
			status = ui.StatusPartial
		}
	}
	if status == ui.StatusOK {
		return nil
	}
	return ui.ExitError{Status: status}
}
