package walcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
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

// source is an open log and where its snapshot files are.
type source struct {
	log     *wal.Log
	snapFS  fs.FS // nil if unknown
	snapDir string
}

// Close closes the log.
func (s *source) Close() error { return s.log.Close() }

// open opens the log at a path that the user gave.
func (o *sourceOptions) open(a *ui.App, name string) (*source, error) {
	logPath := name
	if o.walDir != "" {
		logPath = o.walDir
	}
	log, err := openLog(a, logPath)
	if err != nil {
		return nil, err
	}
	s := &source{log: log}
	if fsys, dir, ok := log.SnapDir(); ok {
		s.snapFS, s.snapDir = fsys, dir
	}
	if o.walDir != "" && name != o.walDir {
		if s.snapFS, s.snapDir, err = findSnapDir(a, name); err != nil {
			return nil, errors.Join(err, log.Close())
		}
	}
	return s, nil
}

// openLog opens a log by its path. Package wal gets the whole file system, since what belongs to a
// log may lie beside it.
func openLog(a *ui.App, name string) (*wal.Log, error) {
	fsys, inner, err := a.Locate(name)
	if err != nil {
		return nil, err
	}
	log, err := wal.Open(fsys, inner)
	if err != nil {
		if text, ok := strings.CutPrefix(err.Error(), inner+": "); ok { // the user knows it by another name
			return nil, renamedError{strings.ReplaceAll(text, " in "+inner, " in "+name), err}
		}
		return nil, err
	}
	return log, nil
}

// renamedError is an error under a shorter text.
type renamedError struct {
	text string
	err  error
}

func (e renamedError) Error() string { return e.text }
func (e renamedError) Unwrap() error { return e.err }

// findSnapDir returns where the snapshot files of a data directory are.
func findSnapDir(a *ui.App, dataDir string) (fs.FS, string, error) {
	fsys, inner, err := a.Locate(dataDir)
	if err != nil {
		return nil, "", err
	}
	for _, sub := range []string{"member/snap", "snap"} {
		dir := path.Join(inner, sub)
		if info, err := fs.Stat(fsys, dir); err == nil && info.IsDir() {
			return fsys, dir, nil
		}
	}
	return nil, "", ui.UsageError{Err: fmt.Errorf("%s: no member/snap in it, want the data directory that goes with --wal-dir", dataDir)}
}

// pathError says which path an error is about, and what to do next.
func pathError(name string, err error) error {
	switch {
	case errors.Is(err, wal.ErrNoLog):
		return fmt.Errorf("%s: %w; want a data directory, a wal directory, a segment or an archive", name, err)
	case errors.Is(err, wal.ErrSeveralLogs):
		return fmt.Errorf("%s: %w; add one of them to the path", name, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w; run as the user that owns it", name, err)
	}
	var usage ui.UsageError
	if errors.As(err, &usage) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
