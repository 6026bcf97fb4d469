package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/snapshot"
	"github.com/raftctl/raftctl/wal"
)

type verifyOptions struct {
	source sourceOptions
	output output
	deep   bool
}

func newWALVerify(a *app) *cobra.Command {
	o := verifyOptions{output: outputTable}
	cmd := &cobra.Command{
		Use:   "verify PATH…",
		Short: "Check every byte of a log, and tell what etcd would do with it",
		Long: `Reads every byte of a log and reports all that is not as a healthy etcd leaves it, the range of
entries that is intact, and what etcd itself would do with the log: boot, boot and silently drop the
end, or refuse, in its own words.

PATH is a data directory, a wal directory, one segment, or an archive of these. Nothing is written
and no lock is taken. Where the .snap files lie beside the log, they are checked too.

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
	addOutput(cmd, &o.output)
	cmd.Flags().BoolVar(&o.deep, "deep", false, "decode the payload of every entry as well")
	return cmd
}

// verified is the outcome for one path.
type verified struct {
	path   string
	report *wal.Report
}

func runVerify(ctx context.Context, a *app, o *verifyOptions, paths []string) error {
	var all []verified
	for _, path := range paths {
		report, err := verifyPath(ctx, a, o, path)
		if err != nil {
			return pathError(path, err)
		}
		v := verified{path, report}
		if o.output == outputTable {
			if err := printReport(a.out, v, len(paths) > 1); err != nil {
				return err
			}
		}
		all = append(all, v)
	}
	if o.output != outputTable {
		if err := writeReports(a.out, o.output, all); err != nil {
			return err
		}
	}
	return verdictStatus(all)
}

func verifyPath(ctx context.Context, a *app, o *verifyOptions, path string) (*wal.Report, error) {
	src, err := o.source.open(a, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = src.Close() }() // opened for reading
	opts := wal.VerifyOptions{}
	if o.deep {
		opts.Deep = deepCheck()
	}
	bad := src.checkSnapshots(&opts)
	p := newProgress(a, "verify "+path, totalSize(src.log))
	opts.Progress = p.set
	report, err := src.log.Verify(ctx, opts)
	p.done()
	if err != nil {
		return nil, err
	}
	report.Findings = append(report.Findings, bad...)
	return report, nil
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

// checkSnapshots reads the .snap files beside the log, if their place is known. It sets the options
// to those that are intact, and returns findings on the others.
func (s *source) checkSnapshots(opts *wal.VerifyOptions) (bad []wal.Finding) {
	if s.snapFS == nil {
		return nil
	}
	ids, err := snapshot.List(s.snapFS, s.snapDir)
	if err != nil {
		return nil // verify then says that the snapshots were not checked
	}
	intact := make([]raftpb.EntryID, 0, len(ids))
	for _, id := range ids {
		_, err := snapshot.Read(s.snapFS, s.snapDir, id)
		if err == nil {
			intact = append(intact, id)
			continue
		}
		f := wal.Finding{
			Class:    "snapshot_corrupt",
			Severity: wal.SeverityWarning,
			Pos:      wal.Position{Segment: snapshot.FileName(id)},
			Evidence: err.Error(),
		}
		var corrupt *snapshot.CorruptError
		if errors.As(err, &corrupt) {
			f.Pos.Off, f.Evidence = corrupt.Off, corrupt.Err.Error()
		}
		bad = append(bad, f)
	}
	opts.Snapshots = intact
	return bad
}

// verdictStatus returns the error that gives the exit status: a problem anywhere outweighs what
// could not be checked.
func verdictStatus(all []verified) error {
	has := func(v wal.Verdict) bool {
		return slices.ContainsFunc(all, func(p verified) bool { return p.report.Verdict == v })
	}
	switch {
	case has(wal.VerdictProblem):
		return silentError{statusDamage}
	case has(wal.VerdictUnchecked):
		return silentError{statusPartial}
	}
	return nil
}

func printReport(w io.Writer, v verified, named bool) error {
	r := v.report
	if named {
		if _, err := fmt.Fprintf(w, "%s\n", v.path); err != nil {
			return err
		}
	}
	kv := newFacts(w)
	kv.add("verdict", "%s", r.Verdict)
	if r.Last.Index > 0 {
		kv.add("entries", "%d..%d, last of term %d, committed up to %d",
			r.First.Index, r.Last.Index, r.Last.Term, r.Commit())
	} else {
		kv.add("entries", "none")
	}
	if r.Intact.Last > 0 {
		kv.add("intact", "%d..%d", r.Intact.First, r.Intact.Last)
	}
	kv.add("read", "%d records, %s", r.Records, formatSize(r.Bytes))
	label := "outlook"
	for _, o := range wal.FoldOutlooks(r.Outlooks) {
		kv.add(label, "%s", o.String())
		label = ""
	}
	if err := kv.flush(); err != nil {
		return err
	}
	return printFindings(w, r)
}

func printFindings(w io.Writer, r *wal.Report) error {
	n := len(r.Findings)
	if n == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\n%d %s\n", n, plural(n, "finding")); err != nil {
		return err
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "  %-7s  %s: %v: %s\n", f.Severity, f.Class, f.Pos, f.Evidence); err != nil {
			return err
		}
	}
	for _, class := range slices.Sorted(maps.Keys(r.Omitted)) {
		if _, err := fmt.Fprintf(w, "  %d more of class %s\n", r.Omitted[class], class); err != nil {
			return err
		}
	}
	return nil
}
