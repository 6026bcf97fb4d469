package main

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manDate is fixed, so that the same source gives the same pages.
var manDate = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func newMan(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man [COMMAND…]",
		Short: "Print a command's manual page, or write those of all commands",
		Example: `  raftctl man wal dump | man -l -
  raftctl man --dir /usr/local/share/man/man1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" {
				return writeManPages(cmd, a.path(dir), args)
			}
			return printManPage(a, cmd, args)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "write the pages of all commands to this directory, which is created")
	return cmd
}

func manHeader() *doc.GenManHeader {
	date := manDate
	return &doc.GenManHeader{Section: "1", Source: "raftctl " + buildVersion(), Manual: "raftctl", Date: &date}
}

func printManPage(a *app, cmd *cobra.Command, args []string) error {
	target, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return usagef(cmd, "unknown command %q", strings.Join(args, " "))
	}
	target.DisableAutoGenTag = true
	return doc.GenMan(target, manHeader(), a.out)
}

func writeManPages(cmd *cobra.Command, dir string, args []string) error {
	if len(args) > 0 {
		return usagef(cmd, "--dir writes all pages; leave out %q", strings.Join(args, " "))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cmd.Root().DisableAutoGenTag = true
	return doc.GenManTree(cmd.Root(), manHeader(), dir)
}
