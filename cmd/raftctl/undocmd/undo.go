// Package undocmd holds `raftctl undo`, which takes back a change in place.
package undocmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/metacmd"
	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/change"
)

type options struct {
	source     paths.Options
	list       bool
	dryRun     bool
	yes        bool
	acceptLoss bool
	output     ui.Output
}

// New returns the command.
func New(a *ui.App) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "undo DIR",
		Short: "Put back what was there before the last change in place",
		Long: `Puts back the log, and the names of the .snap files, that were there before the last change in place,
such as one of 'wal repair --in-place', that isn't undone yet. The log that it takes out is kept beside, as
wal.undone-…; undo again takes back the change before. An undo itself can't be undone: what it took out can be
put back by hand, or made again.

DIR is a data directory, its member folder or a folder of segments. What was done there is on record in
DIR/raftctl-changes.jsonl, or beside a lone log; --list shows it.

Before anything moves, every file of the original is compared with its sha256 on record. If one differs, nothing
is undone (1). If etcd has written to the log since the change, undoing that would lose what it wrote, and its
database may be ahead of the original: that is refused (5) without --accept-loss. A log or database that a running
process holds is left alone (4).

It asks before it does it, on a terminal; without one, --yes is needed. It may be interrupted anywhere, by kill -9
too: either log is in place then, and undo goes on when it is run again. So it does with a change that was
interrupted.`,
		Example: `  raftctl undo /var/lib/etcd --list
  raftctl undo /var/lib/etcd --dry-run
  raftctl undo /var/lib/etcd --yes
  raftctl undo /var/lib/etcd --wal-dir /disk2/wal`,
		Args: o.source.Want("a data directory or a folder of segments", 1, 1),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if o.list && (o.dryRun || o.yes || o.acceptLoss) {
				return ui.Usagef(cmd, "--list changes nothing, and goes with no flag about that")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.list {
				return runList(a, &o, o.source.Paths(args)[0])
			}
			return run(cmd.Context(), a, &o, o.source.Paths(args)[0])
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.list, "list", false, "list the changes on record, and change nothing")
	f.BoolVar(&o.dryRun, "dry-run", false, "check what would be put back, and change nothing")
	f.BoolVar(&o.yes, "yes", false, "don't ask")
	f.BoolVar(&o.acceptLoss, "accept-loss", false, "undo it also where etcd has written to the log since")
	o.source.Register(cmd)
	o.output.Register(cmd)
	return cmd
}

// locate finds the member.
func (o *options) locate(a *ui.App, name string) (change.Place, error) {
	if info, err := a.FS.Stat(a.Path(name)); err == nil && !info.IsDir() {
		return change.Place{}, ui.UsageError{Err: fmt.Errorf("%s is no directory, want a data directory or a folder of segments",
			ui.Quote(name))}
	}
	wal := ""
	if o.source.WalDir != "" {
		wal = a.Path(o.source.WalDir)
	}
	at, err := change.Locate(a.FS, a.Path(name), wal)
	if err != nil {
		return at, err
	}
	if _, err = a.FS.Stat(a.Path(name)); errors.Is(err, fs.ErrNotExist) {
		// A change that was interrupted may have left no log, but there is the record of it.
		if _, known := a.FS.Stat(at.Audit()); known == nil {
			return at, nil
		}
	}
	return at, err
}

func run(ctx context.Context, a *ui.App, o *options, name string) error {
	at, err := o.locate(a, name)
	if err != nil {
		return err
	}
	bar := &compared{a: a, name: name}
	u, err := change.PlanUndo(ctx, change.UndoOptions{FS: a.FS, Place: at, AcceptLoss: o.acceptLoss,
		Command: o.commandLine(name), Version: metacmd.BuildVersion(), Now: a.Now(), Progress: bar.set})
	bar.done()
	if err != nil {
		return o.explain(a, name, err)
	}
	defer func() { _ = u.Close() }() // nothing is written to what it holds
	r := newReport(a, o, name, u)
	if o.dryRun {
		return o.dry(a, r)
	}
	if err := o.undo(ctx, a, u); err != nil {
		return o.explain(a, name, err)
	}
	r.Undone = true
	return o.output.Write(a.Out, r, func() error { return r.print(a) })
}

// dry shows what would be undone.
func (o *options) dry(a *ui.App, r *report) error {
	if err := o.output.Write(a.Out, r, func() error { return r.print(a) }); err != nil {
		return err
	}
	if r.Loss != nil && !o.acceptLoss {
		return ui.ExitError{Status: ui.StatusRefused}
	}
	return nil
}

// undo asks, and does it.
func (o *options) undo(ctx context.Context, a *ui.App, u *change.Undo) error {
	refused := u.Loss != nil && !o.acceptLoss // Run says so
	if !o.yes && !refused {
		ok, err := a.Confirm(fmt.Sprintf("Put back %s, and keep the log in place as %s?", ui.Quote(shown(a, u.Original)),
			ui.Quote(shown(a, u.UndoneTo))))
		if err != nil {
			return err
		}
		if !ok {
			fmt.Fprintln(a.Err, "raftctl undo: nothing was undone")
			return ui.ExitError{Status: ui.StatusRefused}
		}
	}
	return u.Run(ctx)
}

// explain makes an error one that says what to do.
func (o *options) explain(a *ui.App, name string, err error) error {
	if altered, ok := errors.AsType[*change.AlteredError](err); ok {
		fmt.Fprintf(a.Err, "raftctl undo: %s: %s; nothing was undone\n", shown(a, altered.File), altered.Why)
		return ui.ExitError{Status: ui.StatusDamage}
	}
	if other, ok := errors.AsType[*change.OtherLogError](err); ok {
		log := shown(a, other.Changed)
		return ui.UsageError{Err: fmt.Errorf("the last change was one of another log, which was %s then; name it: '%s'",
			ui.Quote(log), ui.CommandLine("raftctl", "undo", paths.Typed(name), "--wal-dir", log))}
	}
	if errors.Is(err, vfs.ErrLocked) {
		return fmt.Errorf("%w; stop the etcd that runs on it", err)
	}
	if errors.Is(err, change.ErrNothing) {
		return ui.UsageError{Err: fmt.Errorf("%s: %w; '%s' lists what was done", ui.Quote(name), change.ErrNothing,
			o.source.Command("undo", name, "--list"))}
	}
	if refused, ok := errors.AsType[*change.RefusedError](err); ok {
		return fmt.Errorf("%w; '%s' takes it out all the same, and keeps it beside", refused,
			o.source.Command("undo", name, "--accept-loss"))
	}
	return err
}

// commandLine is what is put on record.
func (o *options) commandLine(name string) string {
	var flags []string
	if o.acceptLoss {
		flags = append(flags, "--accept-loss")
	}
	return o.source.Command("undo", name, flags...)
}

// shown returns a path as the user would type it.
func shown(a *ui.App, path string) string {
	if a.Dir == "" {
		return path
	}
	return strings.TrimPrefix(path, strings.TrimSuffix(a.Dir, "/")+"/")
}

// compared shows how much of the logs is compared.
type compared struct {
	a     *ui.App
	name  string
	total int64
	bar   *ui.Progress
}

func (c *compared) set(done, total int64) {
	if total != c.total {
		c.done()
		c.total, c.bar = total, ui.NewProgress(c.a, "compare "+c.name, total)
	}
	c.bar.Set(done)
}

func (c *compared) done() { c.bar.Done() }
