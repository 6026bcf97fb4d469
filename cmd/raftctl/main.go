package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
)

func main() {
	// A closed pipe then shows as EPIPE from the write, which run takes for a quiet end.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { // a second signal ends the process at once
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, ui.NewApp(), os.Args[1:]))
}

// run runs one command line and returns the exit status. What went wrong is one line on a.Err.
func run(ctx context.Context, a *ui.App, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	status := ui.StatusOf(ctx, err)
	_, said := errors.AsType[ui.ExitError](err)
	switch {
	case status == ui.StatusOK || said:
	case status == ui.StatusInterrupted:
		fmt.Fprintln(a.Err, "raftctl: interrupted")
	default:
		fmt.Fprintf(a.Err, "%s: %s\n", cmd.CommandPath(), ui.OneLine(err))
	}
	return status
}
