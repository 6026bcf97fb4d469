package walcmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair"
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
entries are taken from other members or left out, and what these say. Nothing is written then. With
--output a new data directory is made; with --in-place the log is replaced, and the original kept
beside it, from where 'raftctl undo' puts it back. The source is never changed by a byte.

PATH is a data directory, a wal directory, one segment, or an archive of these (tar, perhaps
compressed with zstd, gzip, s2 or snappy); a path may lead on into an archive. Of an archive or one
segment only a copy can be repaired, with --output.

Of all that helps, what loses the least is chosen, and then what changes the least:

` + remediesHelp() + `
Entries that are missing are taken from members of the same cluster, which --from names: their data
directories, or logs. They may be damaged too.

An entry that is known to be committed, or is intact, is never dropped unless --accept-loss is given;
the plan says which ones these are. What more than one correction would explain is never guessed.

A plan can be written to a file with --plan, looked at, and executed later with --apply: exactly that
is done then, and only if the files are still what they were.

The exit status is 0 where there is nothing to do, or it is done; 1 where there is something to do; 5
where that loses committed entries, or nothing helps; 4 where a running process holds what would be
replaced.`,
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
	f.StringVar(&o.planFile, "plan", "", "write the plan to `FILE`, which doesn't exist yet")
	f.StringVar(&o.applyFile, "apply", "", "do what the plan in `FILE` says, and nothing else; PATH may be left out")
	f.BoolVar(&o.acceptLoss, "accept-loss", false, "lose committed entries, if nothing else helps")
	f.Uint64Var(&o.cutAfter, "cut-after", 0, "end the log behind entry `INDEX`")
	f.UintSliceVar(&o.neutralise, "neutralise", nil, "put an empty entry in the place of entry `INDEX`; may be given several times")
	f.Lookup("neutralise").DefValue = "" // not "[]", which means nothing to anybody
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

const remedyColumn = 18

func (o *repairOptions) wantPath(cmd *cobra.Command, args []string) error {
	if o.applyFile != "" && len(args) == 0 {
		return nil
	}
	return o.source.Want(wantedPaths, 1, 1)(cmd, args)
}

// check decides what the flags mean. Nothing is opened yet.
func (o *repairOptions) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	for _, name := range []string{"output", "plan", "apply", "start"} {
		if changed(name) && cmd.Flag(name).Value.String() == "" {
			return ui.Usagef(cmd, "--%s is empty", name)
		}
	}
	switch {
	case ui.IsForm(o.out):
		return ui.Usagef(cmd, "--output is the directory to make; the form of the result is -o %s (./%[1]s if you mean a directory)", o.out)
	case o.out != "" && o.inPlace:
		return ui.Usagef(cmd, "--output and --in-place: give one of them")
	case o.applyFile != "" && o.out == "" && !o.inPlace:
		return ui.Usagef(cmd, "--apply needs to know where to: --output DIR or --in-place")
	case o.yes && !o.inPlace:
		return ui.Usagef(cmd, "--yes is about --in-place")
	case changed("cut-after") && o.cutAfter == 0:
		return ui.Usagef(cmd, "--cut-after 0: entries begin with 1")
	case o.cutAfter > 0 && len(o.neutralise) > 0:
		return ui.Usagef(cmd, "--cut-after and --neutralise: do one, and then the other on the result")
	}
	if o.applyFile == "" {
		return nil
	}
	for _, name := range []string{"plan", "from", "accept-loss", "cut-after", "neutralise", "start"} {
		if changed(name) {
			return ui.Usagef(cmd, "--%s makes a plan, and --apply has one", name)
		}
	}
	return nil
}
