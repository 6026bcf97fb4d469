package walcmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/metacmd"
	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/repair/change"
	"github.com/raftctl/raftctl/repair/staging"
)

type repairOptions struct {
	source     paths.Options
	output     ui.Output
	from       []string
	out        string
	planFile   string
	applyFile  string
	inPlace    bool
	yes        bool
	acceptLoss bool
	cutAfter   uint64
	neutralise []uint
	start      string
}

func newRepair(a *ui.App) *cobra.Command {
	var o repairOptions
	cmd := &cobra.Command{
		Use:   "repair PATH",
		Short: "Make a log that boots out of a damaged one, or show what that takes and costs",
		Long: `Shows what can be done about a log that is damaged, and what it costs: which bytes are corrected, which
entries are taken from other members or left out, and what these say. Nothing is written. With --output a
new data directory is made; with --in-place the log is replaced, and the original kept beside it, from where
'raftctl undo' puts it back.

` + pathHelp + `

Of all that helps, what loses the least is chosen, and then what changes the least:
` + remediesHelp() + `
Entries that are missing are taken from members of the same cluster, which --from names: their data
directories, or logs.

An entry that is known to be committed is never dropped unless --accept-loss is given; the plan says which
ones these are. What more than one correction would explain is never guessed.

A plan can be written to a file with --plan, looked at, and executed later with --apply: exactly that is done
then, if the files are still what they were.

The exit status is 0 where there is nothing to do, or it is done; 1 where there is something to do; 5 where
that loses committed entries, or nothing helps.`,
		Example: `  raftctl wal repair /var/lib/etcd
  raftctl wal repair /var/lib/etcd --from /mnt/m2/etcd --from /mnt/m3/etcd
  raftctl wal repair /var/lib/etcd --output /var/lib/etcd.new
  raftctl wal repair /var/lib/etcd --in-place --yes
  raftctl wal repair /var/lib/etcd --plan plan.json; raftctl wal repair --apply plan.json --in-place`,
		Args:    o.wantPath,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.check(cmd) },
		RunE:    func(cmd *cobra.Command, args []string) error { return runRepair(cmd, a, &o, args) },
	}
	o.register(cmd)
	return cmd
}

func (o *repairOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	o.source.Register(cmd)
	f.StringArrayVar(&o.from, "from", nil, "take missing entries from another member at `PATH`; may be given several times")
	f.StringVar(&o.out, "output", "", "make a new data directory at `DIR`, or a log where PATH is only that")
	f.BoolVar(&o.inPlace, "in-place", false, "replace the log; the original is kept beside it")
	f.StringVar(&o.planFile, "plan", "", "write the plan to `FILE`")
	f.StringVar(&o.applyFile, "apply", "", "do what the plan in `FILE` says, and nothing else")
	f.BoolVar(&o.acceptLoss, "accept-loss", false, "lose committed entries, if nothing else helps")
	f.Uint64Var(&o.cutAfter, "cut-after", 0, "end the log behind entry `INDEX`")
	f.UintSliceVar(&o.neutralise, "neutralise", nil, "put an empty entry in the place of entry `INDEX`")
	f.StringVar(&o.start, "start", "", "make a log that etcd `RELEASE` starts on, such as 3.7")
	f.BoolVar(&o.yes, "yes", false, "don't ask before --in-place")
	o.output.RegisterAs(cmd, "format")
}

// remediesHelp lists the remedies.
func remediesHelp() string {
	var b strings.Builder
	for _, r := range repair.Remedies() {
		lines := ui.Indented(r.Doc, remedyColumn, 100)
		fmt.Fprintf(&b, "  %-*s%s", remedyColumn-2, r.Name, lines[remedyColumn:])
	}
	return b.String()
}

const remedyColumn = 16

func (o *repairOptions) wantPath(cmd *cobra.Command, args []string) error {
	if o.applyFile != "" && len(args) == 0 {
		return nil
	}
	return o.source.Want(wantedPaths, 1, 1)(cmd, args)
}

// check decides what the flags mean. Nothing is opened yet.
func (o *repairOptions) check(cmd *cobra.Command) error {
	switch {
	case ui.IsForm(o.out):
		return ui.Usagef(cmd, "--output is the directory to make; the form of the result is -o %s (./%[1]s if you mean a directory)", o.out)
	case o.out != "" && o.inPlace:
		return ui.Usagef(cmd, "--output and --in-place: give one of them")
	case o.applyFile != "" && o.out == "" && !o.inPlace:
		return ui.Usagef(cmd, "--apply needs to know where to: --output DIR or --in-place")
	case o.yes && !o.inPlace:
		return ui.Usagef(cmd, "--yes is about --in-place")
	}
	if o.applyFile == "" {
		return nil
	}
	for _, name := range []string{"plan", "from", "accept-loss", "cut-after", "neutralise", "start"} {
		if cmd.Flags().Changed(name) {
			return ui.Usagef(cmd, "--%s makes a plan, and --apply has one", name)
		}
	}
	return nil
}

// repairing is one run of the command.
type repairing struct {
	a      *ui.App
	o      *repairOptions
	path   string
	member *repair.Member
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
	switch {
	case len(args) > 0 || r.o.source.WalDir != "":
		r.path = r.o.source.Paths(args)[0]
	default:
		r.path, r.o.source.WalDir = r.plan.Source.Path, r.plan.Source.WalDir
	}
	bars := &bars{a: r.a}
	defer bars.done()
	r.member, err = repair.Open(ctx, r.path, repair.OpenOptions{WalDir: r.o.source.WalDir, Dir: r.a.Dir,
		Progress: func(done, total int64) { bars.set("read "+r.path, done, total) }})
	return pathErr.Error(r.path, err)
}

func (r *repairing) makePlan(ctx context.Context) (err error) {
	if r.plan != nil {
		return nil
	}
	o := repair.PlanOptions{Donors: r.o.from, Dir: r.a.Dir, AcceptLoss: r.o.acceptLoss, CutAfter: r.o.cutAfter, Start: r.o.start,
		Store: r.o.planFile != ""}
	for _, index := range r.o.neutralise {
		o.Neutralise = append(o.Neutralise, uint64(index))
	}
	r.plan, err = repair.NewPlan(ctx, r.member, o)
	if err != nil {
		return fmt.Errorf("%s: %w", ui.Quote(r.path), err)
	}
	r.plan.Source.WalDir = r.o.source.WalDir
	return nil
}

// apply does what the plan says, where the user asks for that.
func (r *repairing) apply(ctx context.Context) error {
	if r.o.out == "" && !r.o.inPlace {
		return nil
	}
	if r.o.applyFile == "" && r.plan.Status != repair.StatusRepair && r.plan.Status != repair.StatusLossy {
		return nil // the report says why
	}
	if r.o.inPlace && r.member.Place.Archived {
		return ui.UsageError{Err: fmt.Errorf("%s lies in an archive, which is never changed: give --output DIR", ui.Quote(r.path))}
	}
	o := repair.ApplyOptions{FS: r.a.FS, InPlace: r.o.inPlace, Now: r.a.Now(), Version: metacmd.BuildVersion(),
		Command: r.commandLine()}
	if r.o.out != "" {
		o.Output = r.a.Path(r.o.out)
	}
	if !r.member.Place.Archived {
		var err error
		dir, walDir := r.a.Path(r.path), ""
		if r.o.source.WalDir != "" {
			walDir = r.a.Path(r.o.source.WalDir)
		}
		if o.At, err = change.Locate(r.a.FS, dir, walDir); err != nil {
			return err
		}
	}
	if err := r.confirm(); err != nil {
		return err
	}
	var err error
	r.result, err = r.plan.Apply(ctx, r.member, o)
	if occupied, ok := errors.AsType[*staging.OccupiedError](err); ok {
		return ui.UsageError{Err: fmt.Errorf("%s: %s: name another", ui.Quote(r.o.out), occupied.Why)}
	}
	return err
}

// confirm asks before something is replaced, where somebody is there to be asked.
func (r *repairing) confirm() error {
	if !r.o.inPlace || r.o.yes {
		return nil
	}
	ok, err := r.a.Confirm(fmt.Sprintf("replace the log of %s (the original is kept)?", ui.Quote(r.path)))
	if err == nil && !ok {
		err = errors.New("nothing was changed")
	}
	return err
}

// status returns the error that gives the exit status.
func (r *repairing) status() error {
	status := ui.StatusOK
	switch r.plan.Status {
	case repair.StatusHealthy:
	case repair.StatusNone, repair.StatusLoss:
		status = ui.StatusRefused
	default:
		if r.result == nil {
			status = ui.StatusDamage
		}
	}
	if status == ui.StatusOK {
		return nil
	}
	return ui.ExitError{Status: status}
}

// commandLine is the command with the flags that decide what is done.
func (r *repairing) commandLine() string {
	var flags []string
	for _, f := range r.o.from {
		flags = append(flags, "--from", f)
	}
	if r.o.acceptLoss {
		flags = append(flags, "--accept-loss")
	}
	if r.o.cutAfter > 0 {
		flags = append(flags, "--cut-after", fmt.Sprint(r.o.cutAfter))
	}
	for _, index := range r.o.neutralise {
		flags = append(flags, "--neutralise", fmt.Sprint(index))
	}
	if r.o.start != "" {
		flags = append(flags, "--start", r.o.start)
	}
	if r.o.applyFile != "" {
		flags = append(flags, "--apply", r.o.applyFile)
	}
	return r.o.source.Command("wal repair", r.path, flags...)
}


// bars shows how far one step after the other is.
type bars struct {
	a    *ui.App
	what string
	bar  *ui.Progress
}

func (b *bars) set(what string, done, total int64) {
	if what != b.what {
		b.done()
		b.what, b.bar = what, ui.NewProgress(b.a, what, total)
	}
	b.bar.Set(done)
}

func (b *bars) done() { b.bar.Done() }
