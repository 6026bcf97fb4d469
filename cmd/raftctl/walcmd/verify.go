package walcmd

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

type verifyOptions struct {
	source sourceOptions
	output ui.Output
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

PATH is a data directory, a wal directory, one segment, or an archive of these. Nothing is written
and no lock is taken. Where the .snap files lie beside the log, they are checked too; the database is
not opened.

The verdict is "ok", "problem", or "unchecked" where something could not be checked; the exit status
is 0, 1 or 3.`,
		Example: `  raftctl wal verify /var/lib/etcd
  raftctl wal verify --deep -o json member.tar.zst | jq .findings`,
		Args: wantPaths(&o.source, 1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVerify(cmd.Context(), a, &o, o.source.paths(args))
		},
	}
	o.source.register(cmd)
	o.output.Register(cmd)
	cmd.Flags().BoolVar(&o.deep, "deep", false, "decode the payload of every entry as well")
	return cmd
}

// verified is the outcome for one path.
type verified struct {
	path   string
	report *outlook.Report
}

func runVerify(ctx context.Context, a *ui.App, o *verifyOptions, paths []string) error {
	var all []verified
	for _, path := range paths {
		report, err := verifyPath(ctx, a, o, path)
		if err != nil {
			return pathError(path, err)
		}
		v := verified{path, report}
		if o.output.Frame() == nil {
			if err := printReport(a.Text(), v, len(paths) > 1); err != nil {
				return err
			}
		}
		all = append(all, v)
	}
	if err := writeReports(a.Out, &o.output, all); err != nil {
		return err
	}
	return verdictStatus(all)
}

func verifyPath(ctx context.Context, a *ui.App, o *verifyOptions, path string) (*outlook.Report, error) {
	src, err := o.source.open(a, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }() // opened for reading
	var opts outlook.Options
	if o.source.walDir != "" && path != o.source.walDir {
		opts.Member, err = datadir.FindPath(path, datadir.Options{WalDir: o.source.walDir, Dir: a.Dir})
		if err != nil {
			return nil, err
		}
		defer func() { _ = opts.Member.Close() }() // opened for reading
	}
	if o.deep {
		opts.Verify.Deep = deepCheck()
	}
	p := ui.NewProgress(a, "verify "+path, totalSize(src.log))
	opts.Verify.Progress = p.Set
	report, err := outlook.Examine(ctx, src.log, opts)
	p.Done()
	return report, err
}

// deepCheck returns a function that decodes payloads, and may be called by several goroutines.
func deepCheck() func(*raftpb.Entry) error {
	requests := sync.Pool{New: func() any { return new(decode.Request) }}
	return func(e *raftpb.Entry) error {
		r := requests.Get().(*decode.Request)
		defer requests.Put(r)
		err := decode.Payload(r, e)
		if err == nil {
			return nil
		}
		// The finding names the entry already.
		return renamedError{strings.TrimPrefix(err.Error(), "entry "+e.ID().String()+": "), err}
	}
}

func totalSize(log *wal.Log) (size int64) {
	for _, s := range log.Segments() {
		size += s.Size
	}
	return size
}

// verdictStatus returns the error that gives the exit status: a problem anywhere outweighs what
// could not be checked.
func verdictStatus(all []verified) error {
	has := func(v wal.Verdict) bool {
		return slices.ContainsFunc(all, func(p verified) bool { return p.report.Verdict == v })
	}
	switch {
	case has(wal.VerdictProblem):
		return ui.ExitError{Status: ui.StatusDamage}
	case has(wal.VerdictUnchecked):
		return ui.ExitError{Status: ui.StatusPartial}
	}
	return nil
}
