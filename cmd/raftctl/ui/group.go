package ui

import (
	"strings"

	"github.com/spf13/cobra"
)

// NewGroup returns a command that only holds others: a noun.
func NewGroup(use, short, long string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args:  UnknownSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return Usagef(cmd, "a command is missing, want one of %s", strings.Join(subcommands(cmd), ", "))
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// UnknownSubcommand refuses arguments of a command that only holds others.
func UnknownSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return Usagef(cmd, "unknown command %q (did you mean %q?)", args[0], near[0])
	}
	return Usagef(cmd, "unknown command %q, want one of %s", args[0], strings.Join(subcommands(cmd), ", "))
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

// NoArgs refuses all arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usagef(cmd, "unexpected argument %q", args[0])
	}
	return nil
}
