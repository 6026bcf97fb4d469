package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	// A closed pipe then shows as EPIPE from the write, which run takes for a quiet end.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { // a second signal ends the process at once
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, newApp(), os.Args[1:]))
}

// app is what a command may use of the world around it.
type app struct {
	in       io.Reader
	out, err io.Writer
	dir      string // relative paths begin here; empty: the process's own directory
	width    int    // columns of the terminal that out is; 0: out is no terminal
	errTerm  bool   // err is a terminal
	color    bool   // out may be coloured
}

func newApp() *app {
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		a.width = fallbackWidth
		if w, _, err := term.GetSize(fd); err == nil && w > 0 {
			a.width = w
		}
		a.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	a.errTerm = term.IsTerminal(int(os.Stderr.Fd()))
	return a
}

// fallbackWidth is for a terminal that doesn't tell its width.
const fallbackWidth = 80

// run runs one command line and returns the exit status. What went wrong is one line on a.err.
func run(ctx context.Context, a *app, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	status := statusOf(ctx, err)
	var silent silentError
	switch {
	case status == statusOK || errors.As(err, &silent):
	case status == statusInterrupted:
		fmt.Fprintln(a.err, "raftctl: interrupted")
	default:
		fmt.Fprintf(a.err, "%s: %s\n", cmd.CommandPath(), oneLine(err))
	}
	return status
}
