// Package paths holds what commands on a member's files have in common: how a path is named on the
// command line, how what is wrong with it is told, and how a command line is put that goes on from there.
package paths

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
)

// Options says where a member's files lie, beside the paths that are given.
type Options struct {
	WalDir string // the dedicated wal directory; empty if there is none
}

// Register adds the flag to a command.
func (o *Options) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.WalDir, "wal-dir", "", "the dedicated wal `DIR`, where etcd was started with one; PATH is then the data directory and may be left out")
}

// Want checks the number of arguments; without a bound if most is negative. With --wal-dir there is at
// most one, and it may be left out. What says what is missing.
func (o *Options) Want(what string, least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case slices.Contains(args, "") || o.WalDir == "" && cmd.Flags().Changed("wal-dir"):
			return ui.Usagef(cmd, "a path is empty")
		case o.WalDir != "" && len(args) > 1:
			return ui.Usagef(cmd, "--wal-dir goes with one PATH, got %d", len(args))
		case o.WalDir != "":
			return nil
		case len(args) < least:
			return ui.Usagef(cmd, "PATH is missing: %s", what)
		case most >= 0 && len(args) > most:
			return ui.Usagef(cmd, "unexpected argument %q", args[most])
		}
		return nil
	}
}

// Paths returns the paths to open.
func (o *Options) Paths(args []string) []string {
	if o.WalDir != "" && len(args) == 0 {
		return []string{o.WalDir}
	}
	return args
}

// Command returns the command line of another command, such as "wal verify", on the same files.
func (o *Options) Command(command, path string, flags ...string) string {
	words := append([]string{"raftctl"}, strings.Fields(command)...)
	words = append(append(words, flags...), Typed(path))
	if o.WalDir != "" {
		words = append(words, "--wal-dir", o.WalDir)
	}
	return ui.CommandLine(words...)
}

// Typed returns a path as an argument that no command takes for a flag.
func Typed(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}

// Wanted says what a command takes, and where to go with other things.
type Wanted struct {
	Paths string                             // what it takes, as in "want a data directory or …"
	Else  func(c datadir.Content) (s string) // what to do with a file of another content; empty: nothing
}

// Error says which path an error is about, and what to do next.
func (w *Wanted) Error(name string, err error) error {
	if several, ok := errors.AsType[*datadir.SeveralLogsError](err); ok {
		return severalError{name, several}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, datadir.ErrNoSnap):
		return ui.UsageError{Err: err}
	case errors.Is(err, datadir.ErrNoLog), errors.Is(err, datadir.ErrNoState):
		return fmt.Errorf("%s: %w%s", ui.Quote(name), err, w.hint(err))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w; run as the user that owns it", ui.Quote(name), err)
	}
	return fmt.Errorf("%s: %w", ui.Quote(name), err)
}

// hint says what to give instead of a path that doesn't hold what is wanted, unless the error does.
func (w *Wanted) hint(err error) string {
	content, ok := errors.AsType[*datadir.ContentError](err)
	if !ok {
		return "; want " + w.Paths
	}
	if s := w.Else(content.Content); s != "" {
		return "; " + s
	}
	switch content.Content {
	case datadir.ContentHTML:
		return ", as a download that failed leaves it; want " + w.Paths
	case datadir.ContentLFS, datadir.ContentXZ, datadir.ContentBzip2, datadir.ContentZip:
		return "" // it says how
	}
	return "; want " + w.Paths
}

// maxSeveral is how many logs are listed of those among which one is to be chosen.
const maxSeveral = 8

// severalError lists the logs below a path as they can be typed.
type severalError struct {
	path string
	err  *datadir.SeveralLogsError
}

// Error formats the error.
func (e severalError) Error() string {
	names, more := e.err.Names, ""
	if len(names) > maxSeveral {
		names, more = names[:maxSeveral], " …"
	}
	return fmt.Sprintf("%s: %s (%d), name one of: %s", ui.Quote(e.path), e.err.Several(),
		len(e.err.Names), ui.CommandLine(names...)+more)
}

// Unwrap returns the error without the path.
func (e severalError) Unwrap() error { return e.err }
