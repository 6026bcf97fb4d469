package metacmd

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/vfs"
)

// manDate is fixed, so that the same source gives the same pages.
var manDate = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func newMan(a *ui.App) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man [COMMAND…]",
		Short: "Print a command's manual page, or write those of all commands",
		Example: `  raftctl man wal dump | man -l -
  raftctl man --dir /usr/local/share/man/man1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" {
				if len(args) > 0 {
					return ui.Usagef(cmd, "--dir writes all pages; leave out %q", strings.Join(args, " "))
				}
				return writeManPages(a.FS, a.Path(dir), cmd.Root())
			}
			return printManPage(a, cmd, args)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "write the pages of all commands to this directory, which is created")
	return cmd
}

func manHeader() *doc.GenManHeader {
	date := manDate
	return &doc.GenManHeader{Section: "1", Source: "raftctl " + BuildVersion(), Manual: "raftctl", Date: &date}
}

// genMan writes the page of a command.
func genMan(cmd *cobra.Command, w io.Writer) error {
	long := cmd.Long
	defer func() { cmd.Long = long }()
	cmd.Long, cmd.DisableAutoGenTag = verbatimTables(long), true
	return doc.GenMan(cmd, manHeader(), w)
}

// verbatimTables indents the tables of a help text, which are the lines that are indented, as far as
// the generator wants it of text that is to stay as it is.
func verbatimTables(help string) string {
	var b strings.Builder
	for line := range strings.Lines(help) {
		if strings.HasPrefix(line, "  ") {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func printManPage(a *ui.App, cmd *cobra.Command, args []string) error {
	target, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return ui.Usagef(cmd, "unknown command %q", strings.Join(args, " "))
	}
	return genMan(target, a.Out)
}

// writeManPages writes the pages of a command and all below it.
func writeManPages(fsys vfs.FS, dir string, cmd *cobra.Command) error {
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := writeManPages(fsys, dir, c); err != nil {
			return err
		}
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	f, err := fsys.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(genMan(cmd, f), f.Close())
}
