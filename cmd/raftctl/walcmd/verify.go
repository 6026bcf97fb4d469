package walcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

type verifyOptions struct {
	source paths.Options
	output ui.Output
	decode decodeOptions
	deep   bool
}

func newVerify(a *ui.App) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify PATH…",
		Short: "Check every byte of a log, and tell what etcd would do with it",
		Long: `Reads every byte of a log and reports all that is not as a healthy etcd leaves it, the range of
entries that is intact, and what etcd itself would do, release by release: boot, boot and silently
drop the end, refuse, or end on an entry that it applies, in its own words, and what to do then.

` + pathHelp + `

Where the .snap files lie beside the log, they are checked too; the database is not opened.

Where something is wrong, it says what to do next: whether to start etcd, and what that would cut off;
how to copy the files first; and for each finding, the command that looks around it. Findings of a
class that repeat are told once; -o json lists up to 100 of each.

The verdict is "ok", "problem", or "unchecked" where something could not be checked; the exit status
is 0, 1 or 3. A path that can't be read doesn't keep the others from being checked; the exit status is
then that of the error, unless another one has a problem.

With --deep, payloads are those of etcd, unless --decode names another decoder:

` + decodersHelp(),
		Example: `  raftctl wal verify /var/lib/etcd
  raftctl wal verify --deep -o json member.tar.zst | jq .findings`,
		Args: o.source.Want(wantedPaths, 1, -1),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("decode") && !o.deep {
				return ui.Usagef(cmd, "--decode says how --deep reads payloads; add --deep")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVerify(cmd.Context(), a, &o, o.source.Paths(args))
		},
	}
	o.source.Register(cmd)
	o.decode.registerSpec(cmd)
	o.output.Register(cmd)
	cmd.Flags().BoolVar(&o.deep, "deep", false, "decode the payload of every entry as well")
	return cmd
}

// verified is the outcome for one path.
type verified struct {
	path   string
	report *outlook.Report // nil: it could not be read
	member *datadir.Member // where the files lie, which are closed
	err    error           // why
}

func runVerify(ctx context.Context, a *ui.App, o *verifyOptions, paths []string) (err error) {
	decoder, err := o.decode.decoder(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, decoder.Close()) }()
	all, told := make([]verified, 0, len(paths)), false
	for _, path := range paths {
		v := verified{path: path}
		v.err = v.verify(ctx, a, o, decoder)
		if v.err != nil && (ctx.Err() != nil || len(paths) == 1) {
			return v.err
		}
		title := ""
		if len(paths) > 1 {
			title = path
		}
		if told && title != "" {
			title = "\n" + title
		}
		told = told || v.err == nil
		if err := v.tell(a, o, title); err != nil {
			return err
		}
		all = append(all, v)
	}
	if err := writeReports(a.Out, &o.output, all); err != nil {
		return err
	}
	return verdictStatus(ctx, all)
}

// tell prints what is for people: a report below its title, or why there is none.
func (v *verified) tell(a *ui.App, o *verifyOptions, title string) error {
	if v.err != nil {
		fmt.Fprintf(a.Err, "raftctl wal verify: %s\n", ui.OneLine(v.err))
		return nil
	}
	if o.output.Frame() != nil {
		return nil
	}
	p := reportPrinter{w: a.Text(), app: a, report: v.report, advice: &adviser{
		app: a, source: &o.source, path: v.path, report: v.report, member: v.member,
	}}
	return p.print(title)
}

// verify reads the log at the path.
func (v *verified) verify(ctx context.Context, a *ui.App, o *verifyOptions, decoder decode.Decoder) error {
	src, err := open(a, &o.source, v.path)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // opened for reading
	v.member = src.log.Member()
	var opts outlook.Options
	if o.source.WalDir != "" && v.path != o.source.WalDir {
		opts.Member, err = datadir.FindPath(v.path, datadir.Options{WalDir: o.source.WalDir, Dir: a.Dir})
		if err != nil {
			return err
		}
		defer func() { _ = opts.Member.Close() }() // opened for reading
	}
	var check *deepCheck
	if o.deep {
		check = newDeepCheck(decoder, o.decode.sequential())
		opts.Verify.Deep = check.entry
	}
	p := ui.NewProgress(a, "verify "+v.path, totalSize(src.log))
	opts.Verify.Progress = p.Set
	v.report, err = outlook.Examine(ctx, src.log, opts)
	p.Done()
	if err == nil && check != nil {
		err = check.failed
	}
	return pathErr.Error(v.path, err)
}

func totalSize(log *wal.Log) (size int64) {
	for _, s := range log.Segments() {
		size += s.Size
	}
	return size
}

// verdictStatus returns the error that gives the exit status: a problem anywhere outweighs what could
// not be read, and that what could not be checked.
func verdictStatus(ctx context.Context, all []verified) error {
	status := ui.StatusOK
	for _, v := range all {
		switch {
		case v.err != nil:
			if status == ui.StatusOK || status == ui.StatusPartial {
				status = ui.StatusOf(ctx, v.err)
			}
		case v.report.Verdict == wal.VerdictProblem:
			return ui.ExitError{Status: ui.StatusDamage}
		case v.report.Verdict == wal.VerdictUnchecked && status == ui.StatusOK:
			status = ui.StatusPartial
		}
	}
	if status == ui.StatusOK {
		return nil
	}
	return ui.ExitError{Status: status}
}
