package walcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/metacmd"
	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/repair/staging"
	"github.com/raftctl/raftctl/wal"
)

// repairing is one run of the command.
type repairing struct {
	a      *ui.App
	o      *repairOptions
	path   string
	member *repair.Member
	at     change.Place // of the member's files; zero where only a copy can be made
	plan   *repair.Plan
	result *repair.Result // nil: nothing was written
}

func runRepair(cmd *cobra.Command, a *ui.App, o *repairOptions, args []string) (err error) {
	ctx := cmd.Context()
	r := &repairing{a: a, o: o}
	if err := r.open(ctx, args); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.member.Close()) }()
	if err := r.checkTarget(cmd); err != nil {
		return err
	}
	if err := r.makePlan(ctx); err != nil {
		return err
	}
	if o.planFile != "" {
		if err := writePlan(a, o.planFile, r.plan); err != nil {
			return err
		}
	}
	if err := r.apply(ctx); err != nil {
		return err
	}
	if err := o.output.Write(a.Out, r.json(), r.print); err != nil {
		return err
	}
	return r.status()
}

// open reads the plan, if there is one, and opens the member.
func (r *repairing) open(ctx context.Context, args []string) (err error) {
	if r.o.applyFile != "" {
		if r.plan, err = readPlan(r.a, r.o.applyFile); err != nil {
			return err
		}
	}
	if err := r.checkVacant(); err != nil {
		return err
	}
	switch {
	case len(args) > 0 || r.o.source.WalDir != "":
		r.path = r.o.source.Paths(args)[0]
	default:
		r.path, r.o.source.WalDir = r.plan.Source.Path, r.plan.Source.WalDir
	}
	stages := ui.NewStages(r.a)
	defer stages.Done()
	r.member, err = repair.Open(ctx, r.path, repair.OpenOptions{WalDir: r.o.source.WalDir, Dir: r.a.Dir,
		Progress: func(done, total int64) { stages.Set("read "+r.path, done, total) },
		Unpacked: func(done, total int64) { stages.Set("unpack "+r.path, done, total) },
	})
	if err != nil && ctx.Err() == nil {
		// A log is what is wanted, and not just any part of a member.
		if _, noLog := datadir.FindPath(r.path, datadir.Options{WalDir: r.o.source.WalDir, Dir: r.a.Dir}); noLog != nil {
			err = noLog
		}
	}
	return pathErr.Error(r.path, err)
}

// checkVacant refuses places where something lies before anything is read. Whoever writes there looks again.
func (r *repairing) checkVacant() error {
	if r.o.planFile != "" {
		if _, err := r.a.FS.Stat(r.a.Path(r.o.planFile)); err == nil {
			return planExists(r.o.planFile)
		}
	}
	if r.o.out == "" {
		return nil
	}
	return r.told(staging.CheckVacant(r.a.FS, r.a.Path(r.o.out), ""))
}

// told says of an error about the result's place what to do.
func (r *repairing) told(err error) error {
	if occupied, ok := errors.AsType[*staging.OccupiedError](err); ok {
		return ui.UsageError{Err: fmt.Errorf("%s: %s: name another", ui.Quote(r.o.out), occupied.Why)}
	}
	if unfit, ok := errors.AsType[*change.UnfitError](err); ok {
		return fmt.Errorf("%w; --output DIR makes the result elsewhere", unfit)
	}
	if errors.Is(err, vfs.ErrLocked) {
		return fmt.Errorf("%w; stop the etcd that runs on it first", err)
	}
	if half, ok := errors.AsType[*change.HalfDoneError](err); ok {
		return fmt.Errorf("%w: %s", half, r.o.source.Command("undo", r.path))
	}
	return err
}

// checkTarget finds out where the member's files lie, and refuses results that can't lie where they are asked for.
func (r *repairing) checkTarget(cmd *cobra.Command) (err error) {
	place := r.member.Place
	if r.member.Log == nil {
		return pathErr.Error(r.path, cmp.Or(r.member.LogErr, place.Log.Err, error(datadir.ErrNoLog)))
	}
	if place.Archived || place.Single {
		if r.o.inPlace {
			what := "lies in an archive, which is never changed"
			if !place.Archived {
				what = "is one segment; the directory that it lies in can be repaired in place"
			}
			return ui.Usagef(cmd, "%s %s: give --output DIR", ui.Quote(r.path), what)
		}
		if _, ok := wal.ParseSegmentName(path.Base(place.Log.Path)); place.Single && r.o.out != "" && !ok {
			return ui.Usagef(cmd, "%s: a log is made of segments under the names that etcd gives, such as %v: rename it", ui.Quote(r.path),
				wal.SegmentName{})
		}
		return nil
	}
	walDir := r.o.source.WalDir
	if walDir != "" {
		walDir = r.a.Path(walDir)
	}
	if r.at, err = change.Locate(r.a.FS, r.a.Path(r.path), walDir); err != nil {
		return err
	}
	if r.o.out == "" {
		return nil
	}
	out := paths.Real(r.a.Path(r.o.out))
	for _, dir := range []string{r.at.DataDir, r.at.Log, r.at.Snap} {
		if dir != "" && staging.Within(out, paths.Real(dir)) != "" {
			return ui.Usagef(cmd, "%s lies in what is repaired, which is never written to", ui.Quote(r.o.out))
		}
	}
	return nil
}

func (r *repairing) makePlan(ctx context.Context) (err error) {
	if r.plan != nil {
		return nil
	}
	if s := r.o.start; s != "" && r.member.Report != nil && r.member.Report.Outlook(s) == nil {
		return ui.UsageError{Err: fmt.Errorf("--start %s: no such release is known; want one of %s", s, r.releases())}
	}
	stages := ui.NewStages(r.a)
	defer stages.Done()
	o := repair.PlanOptions{Donors: r.o.from, Dir: r.a.Dir, AcceptLoss: r.o.acceptLoss, CutAfter: r.o.cutAfter, Start: r.o.start,
		Store: r.o.planFile != "", Progress: func(done, total int64) { stages.Set("read "+r.path+" as corrected", done, total) }}
	for _, index := range r.o.neutralise {
		o.Neutralise = append(o.Neutralise, uint64(index))
	}
	r.plan, err = repair.NewPlan(ctx, r.member, o)
	_, none := errors.AsType[*repair.NoEntryError](err)
	_, foreign := errors.AsType[*logs.ForeignError](err)
	if none || foreign {
		return ui.UsageError{Err: r.named(err)}
	}
	return r.named(err)
}

// releases are the minor releases that are known.
func (r *repairing) releases() string {
	var list []string
	for i := range r.member.Report.Outlooks {
		if name := r.member.Report.Outlooks[i].Read.To; !slices.Contains(list, name) && strings.Count(name, ".") == 1 {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}

// named says which path an error is about.
func (r *repairing) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", ui.Quote(r.path), err)
}

// apply does what the plan says, where the user asks for that and there is something to do.
func (r *repairing) apply(ctx context.Context) (err error) {
	if r.o.out == "" && !r.o.inPlace || !r.applies() {
		return nil
	}
	if err := r.confirm(); err != nil {
		return err
	}
	o := repair.ApplyOptions{FS: r.a.FS, InPlace: r.o.inPlace, At: r.at, Dir: r.a.Dir, Now: r.a.Now(),
		Version: metacmd.BuildVersion(), Command: r.commandLine("--in-place")}
	if r.o.out != "" {
		o.Output, o.Command = r.a.Path(r.o.out), r.commandLine("--output", paths.Typed(r.o.out))
	}
	stages := ui.NewStages(r.a)
	o.Progress = stages.Set
	r.result, err = r.plan.Apply(ctx, r.member, o)
	stages.Done()
	if changed, ok := errors.AsType[*repair.ChangedError](err); ok && r.o.applyFile != "" {
		return fmt.Errorf("%w: %s", changed, r.o.source.Command("wal repair", r.path, "--plan", "NEW"))
	}
	return r.told(err)
}

// applies reports whether the plan changes anything. One that may not be executed, or that can't be, does where it was made
// before: that it isn't is an error then.
func (r *repairing) applies() bool {
	switch r.plan.Status {
	case repair.StatusRepair, repair.StatusLossy:
		return true
	case repair.StatusHealthy, repair.StatusBeside:
		return false
	}
	return r.o.applyFile != ""
}

// confirm asks before something is replaced, where somebody is there to be asked, and shows the plan for that.
func (r *repairing) confirm() error {
	if !r.o.inPlace || r.o.yes {
		return nil
	}
	if r.a.ErrTerm {
		if err := r.tell(r.a.Err).planned(); err != nil {
			return err
		}
	}
	ok, err := r.a.Confirm(fmt.Sprintf("Replace the log of %s? The original is kept.", ui.Quote(r.path)))
	if err == nil && !ok {
		fmt.Fprintln(r.a.Err, "raftctl wal repair: nothing was changed")
		err = ui.ExitError{Status: ui.StatusRefused}
	}
	return err
}

// status returns the error that gives the exit status.
func (r *repairing) status() error {
	switch r.plan.Status {
	case repair.StatusHealthy:
		return nil
	case repair.StatusNone, repair.StatusLoss:
		return ui.ExitError{Status: ui.StatusRefused}
	}
	if r.result != nil {
		return nil
	}
	return ui.ExitError{Status: ui.StatusDamage}
}

// flags are those that decide what is done.
func (r *repairing) flags() (list []string) {
	for _, f := range r.o.from {
		list = append(list, "--from", paths.Typed(f))
	}
	if r.o.acceptLoss {
		list = append(list, "--accept-loss")
	}
	if r.o.cutAfter > 0 {
		list = append(list, "--cut-after", fmt.Sprint(r.o.cutAfter))
	}
	for _, index := range r.o.neutralise {
		list = append(list, "--neutralise", fmt.Sprint(index))
	}
	if r.o.start != "" {
		list = append(list, "--start", r.o.start)
	}
	if r.o.applyFile != "" {
		list = append(list, "--apply", paths.Typed(r.o.applyFile))
	}
	return list
}

// commandLine is the command with the flags that decide what is done, and others.
func (r *repairing) commandLine(more ...string) string {
	return r.o.source.Command("wal repair", r.path, append(r.flags(), more...)...)
}
