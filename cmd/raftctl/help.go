package main

import (
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

const exitCodesHelp = `Exit status of every command:

    0  healthy, or done
    1  damage or a difference was found
    3  not everything could be checked: the result is partial, and says what was left out
    4  in use by a running process
    5  refused: going on could lose committed data; the message names the flag that it takes
    6  I/O or internal error
   64  usage: wrong arguments, or a path that holds no log or state
  130  interrupted

A path that doesn't exist or can't be read is an I/O error (6). 2 is never used: it is what a crash
of the program itself gives. A verdict is never 0 by omission.`

// exitCodesLine ends every help text.
const exitCodesLine = `
Exit status: 0 healthy or done, 1 damage or a difference, 3 not everything checked, 4 in use,
5 refused, 6 I/O error, 64 usage, 130 interrupted. See 'raftctl help exit-codes'.
`

// newHelp returns a help command that refuses what it doesn't know.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND…]",
		Short: "Explain a command or a topic",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return ui.Usagef(cmd.Root(), "no help on %q", strings.Join(args, " "))
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
