package walcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/wal"
)

// sourceOptions says where a log lies.
type sourceOptions struct {
	walDir string
}

func (o *sourceOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.walDir, "wal-dir", "", "the dedicated wal `DIR`, where etcd was started with one; PATH is then the data directory and may be left out")
}

// wantPaths checks the number of arguments. With --wal-dir there is at most one, and it may be left
// out.
func wantPaths(o *sourceOptions, least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case slices.Contains(args, "") || o.walDir == "" && cmd.Flags().Changed("wal-dir"):
			return ui.Usagef(cmd, "a path is empty")
		case o.walDir != "" && len(args) > 1:
			return ui.Usagef(cmd, "--wal-dir goes with one PATH, got %d", len(args))
		case o.walDir != "":
			return nil
		case len(args) < least:
			return ui.Usagef(cmd, "PATH is missing: a data directory, a wal directory, a segment or an archive")
		case most >= 0 && len(args) > most:
			return ui.Usagef(cmd, "unexpected argument %q", args[most])
		}
		return nil
	}
}

// paths returns the paths to open.
func (o *sourceOptions) paths(args []string) []string {
	if o.walDir != "" && len(args) == 0 {
		return []string{o.walDir}
	}
	return args
}

// pathHelp says in help texts what PATH is.
const pathHelp = `PATH is a data directory, a wal directory, one segment, or an archive of these (tar, perhaps
compressed with zstd, gzip, s2 or snappy); a path may lead on into an archive. Nothing is written and
no lock is taken, so that the directory of a running etcd is fine. A compressed archive is unpacked
into an unnamed file in the temporary folder (TMPDIR, or /tmp), which takes the size of its segments.`

// command returns the command line of another verb on the same log.
func (o *sourceOptions) command(verb, path string, flags ...string) string {
	words := append([]string{"raftctl", "wal", verb}, flags...)
	words = append(words, typed(path))
	if o.walDir != "" {
		words = append(words, "--wal-dir", o.walDir)
	}
	return ui.CommandLine(words...)
}

// typed returns a path as an argument that no command takes for a flag.
func typed(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}

// source is an open log and where its snapshot files are.
type source struct {
	log     *wal.Log
	snapFS  fs.FS // nil if unknown
	snapDir string
}

// Close closes the log.
func (s *source) Close() error { return s.log.Close() }

// open opens the log at a path that the user gave. What is wrong is told with that path.
func (o *sourceOptions) open(a *ui.App, name string) (*source, error) {
	m, err := datadir.FindPath(name, datadir.Options{WalDir: o.walDir, Dir: a.Dir})
	if err != nil {
		return nil, pathError(name, err)
	}
	log, err := wal.OpenMember(m)
	if err != nil {
		return nil, pathError(name, err)
	}
	s := &source{log: log}
	if m.Snap.State == datadir.Present {
		s.snapFS, s.snapDir = m.Snap.FS, m.Snap.Path
	}
	return s, nil
}

// pathError says which path an error is about, and what to do next.
func pathError(name string, err error) error {
	if several, ok := errors.AsType[*datadir.SeveralLogsError](err); ok {
		return severalError{name, several}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, datadir.ErrNoSnap):
		return ui.UsageError{Err: err}
	case errors.Is(err, wal.ErrNoLog):
		return fmt.Errorf("%s: %w%s", ui.Quote(name), err, wanted(err))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w; run as the user that owns it", ui.Quote(name), err)
	}
	return fmt.Errorf("%s: %w", ui.Quote(name), err)
}

// wanted says what to give instead of a path that holds no log, unless the error does.
func wanted(err error) string {
	const paths = "a data directory, a wal directory, a segment or an archive"
	content, ok := errors.AsType[*datadir.ContentError](err)
	if !ok {
		return "; want " + paths
	}
	switch content.Content {
	case datadir.ContentSnapshot:
		return "; 'raftctl wal verify' on its data directory checks it"
	case datadir.ContentDatabase:
		return "; 'etcdutl snapshot status' reads it"
	case datadir.ContentHTML:
		return ", as a download that failed leaves it; want " + paths
	case datadir.ContentLFS, datadir.ContentXZ, datadir.ContentBzip2, datadir.ContentZip:
		return "" // it says how
	}
	return "; want " + paths
}

// maxSeveral is how many logs are listed of those among which one is to be chosen.
const maxSeveral = 8

// severalError lists the logs below a path as they can be typed.
type severalError struct {
	path string
	err  *datadir.SeveralLogsError
}

func (e severalError) Error() string {
	names, more := e.err.Names, ""
	if len(names) > maxSeveral {
		names, more = names[:maxSeveral], " …"
	}
	return fmt.Sprintf("%s: %v (%d), name one of: %s", ui.Quote(e.path), datadir.ErrSeveralLogs,
		len(e.err.Names), ui.CommandLine(names...)+more)
}

func (e severalError) Unwrap() error { return e.err }
