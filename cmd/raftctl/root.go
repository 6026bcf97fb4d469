package main

import (
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "raftctl",
		Short: "See into, trust and explain the Raft log of etcd",
		Long: `raftctl reads the Raft log of etcd 3.4 to 3.7: a data directory, a wal directory, one segment,
or an archive of these. It only reads: it takes no lock, and is safe on the directory of a running etcd.`,
		Example: `  raftctl wal stat /var/lib/etcd
  raftctl wal dump /var/lib/etcd --op delete_range --key /registry/pods/
  raftctl wal verify /var/lib/etcd`,
		Version:           buildVersion(),
		Args:              unknownSubcommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(a.in)
	root.SetOut(helpWriter{a.out})
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usagef(cmd, "%w", err) })
	root.SetHelpTemplate(root.HelpTemplate() + exitCodesLine)
	root.SetVersionTemplate(versionLine())
	root.SetHelpCommand(newHelp())
	root.AddCommand(newWAL(a), newVersion(a), newCompletion(a), newMan(a), newExitCodes())
	return root
}

// newGroup returns a command that only holds others.
func newGroup(use, short, long string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args:  unknownSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef(cmd, "a command is missing, want one of %s", strings.Join(subcommands(cmd), ", "))
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// unknownSubcommand refuses arguments of a command that only holds others.
func unknownSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef(cmd, "unknown command %q (did you mean %q?)", args[0], near[0])
	}
	return usagef(cmd, "unknown command %q, want one of %s", args[0], strings.Join(subcommands(cmd), ", "))
}

func subcommands(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.Runnable() && !c.Hidden && c.Name() != "help" {
			names = append(names, c.Name())
		}
	}
	return names
}

// noArgs refuses all arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd, "unexpected argument %q", args[0])
	}
	return nil
}

// newHelp returns a help command that refuses what it doesn't know.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND…]",
		Short: "Explain a command or a topic",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef(cmd.Root(), "no help on %q", strings.Join(args, " "))
			}
			target.InitDefaultHelpFlag() // it is listed among the flags
			return target.Help()
		},
	}
}

// newExitCodes returns a help topic: a command that can't be run.
func newExitCodes() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "The exit status of every command",
		Long:  exitCodesHelp,
	}
}

// helpWriter is where cobra writes help texts: it would report a closed pipe.
type helpWriter struct{ w io.Writer }

func (h helpWriter) Write(b []byte) (int, error) {
	n, err := h.w.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		return len(b), nil
	}
	return n, err
}
