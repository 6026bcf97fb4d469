package ui

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/raftctl/raftctl/internal/vfs"
)

// App is what a command may use of the world around it. Tests pass in what they want to see or to
// fail; NewApp returns the process's own.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	Dir      string // relative paths begin here; empty: the process's own directory
	Root     string // where the machine's well-known folders are looked for; empty: its root
	Width    int    // columns of the terminal that Out is; 0: Out is no terminal
	OutPipe  bool   // Out is a pipe: perhaps to a pager, which has the terminal then
	ErrTerm  bool   // Err is a terminal
	Color    bool   // Out may be coloured
	ASCII    bool   // people who read Out and Err see ASCII only

	FS      vfs.FS                              // what commands that write write to
	Now     func() time.Time                    // the clock
	Confirm func(question string) (bool, error) // asks the user: see [AskOn]

	Getenv    func(name string) string                                   // the environment
	AskSecret func(ctx context.Context, question string) (string, error) // asks for a password: see [AskSecretOn]
}

// NewApp returns an App of the process's own streams, file system and clock.
func NewApp() *App {
	a := &App{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, FS: vfs.OS, Now: time.Now, Getenv: os.Getenv}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		a.Width = fallbackWidth
		if w, _, err := term.GetSize(fd); err == nil && w > 0 {
			a.Width = w
		}
		a.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if info, err := os.Stdout.Stat(); err == nil {
		a.OutPipe = info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
	}
	if ASCIILocale(os.Getenv) {
		a.SetASCII()
	}
	a.ErrTerm = term.IsTerminal(int(os.Stderr.Fd()))
	a.Confirm, a.AskSecret = Refuse, RefuseSecret
	if a.ErrTerm && term.IsTerminal(int(os.Stdin.Fd())) {
		a.Confirm = AskOn(a.In, a.Err)
		a.AskSecret = AskSecretOn(os.Stdin, a.Err)
	}
	return a
}

// fallbackWidth is for a terminal that doesn't tell its width.
const fallbackWidth = 80

// Path returns a path that the process can open.
func (a *App) Path(name string) string {
	if a.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.Dir, name)
}
