package snapcmd

import (
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair/restore"
)

// stepBars shows a bar for each step that is long enough for one.
type stepBars struct {
	a    *ui.App
	name string
	step restore.Step
	bar  *ui.Progress
}

// set tells how far a step is.
func (s *stepBars) set(step restore.Step, done, total int64) {
	if step != s.step {
		s.bar.Done()
		s.step, s.bar = step, ui.NewProgress(s.a, string(step)+" "+s.name, total)
	}
	s.bar.Set(done)
}

func (s *stepBars) done() { s.bar.Done() }

func (o *restoreOptions) planOptions(
	a *ui.App, c *restore.Cluster, targets []restore.Target, s *restoreSource, bars *stepBars, again *rerun,
) restore.Options {
	as, _ := restore.ParseRelease(o.as) // checked; 0 where it isn't given
	ro := restore.Options{
		FS: a.FS, Base: s.Base, Cluster: c, Targets: targets, As: as,
		Bump: o.bump.by, BumpSeen: o.bump.auto, MarkCompacted: o.markCompacted, ClearAlarms: o.clearAlarms,
		SkipVerify: o.skipVerify, Rehearse: o.replay.rehearse, Progress: bars.set,
	}
	if again != nil {
		ro.Replay, ro.ReplayBytes = again.run, again.Bytes
		again.bar = bars.count(again.Range.First()-1, again.Range.Len())
	}
	return ro
}

// count returns what tells a bar the last entry that was applied, of n behind base.
func (s *stepBars) count(base, n uint64) func(index uint64) {
	return func(index uint64) {
		if s.step != restore.StepReplay {
			s.bar.Done()
			s.step, s.bar = restore.StepReplay, ui.NewCount(s.a, "replay", "entries", int64(n))
		}
		s.bar.Set(int64(index - base))
	}
}

// sayLeftovers tells of folders that a restore left when it was killed, or works in.
func (o *restoreOptions) sayLeftovers(a *ui.App, p *restore.Plan) {
	for _, dir := range p.Leftovers() {
		fmt.Fprintf(a.Err, "raftctl snapshot restore: %s is of a restore that was killed, or still runs; remove it "+
			"if none does\n", ui.Quote(o.shown(a, dir)))
	}
}
