package snapcmd

import (
	"fmt"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/repair/restore"
)

// stepBars shows a bar for each step that is long enough for one.
type stepBars struct {
	a     *ui.App
	name  string
	title string // of the bar
	bar   *ui.Progress
}

// set tells how far a step is.
func (s *stepBars) set(step restore.Step, done, total int64) {
	s.show(string(step)+" "+s.name, done, func(title string) *ui.Progress { return ui.NewProgress(s.a, title, total) })
}

// log tells how much of a log is read.
func (s *stepBars) log(name string, done, total int64) {
	s.show("read log "+name, done, func(title string) *ui.Progress { return ui.NewProgress(s.a, title, total) })
}

// show sets the bar of a title, which begins with the first call.
func (s *stepBars) show(title string, done int64, begin func(title string) *ui.Progress) {
	if title != s.title {
		s.bar.Done()
		s.title, s.bar = title, begin(title)
	}
	s.bar.Set(done)
}

func (s *stepBars) done() { s.bar.Done() }

func (o *restoreOptions) planOptions(
	a *ui.App, c *restore.Cluster, targets []restore.Target, s *restoreSource, again *rerun,
) restore.Options {
	as, _ := restore.ParseRelease(o.as) // checked; 0 where it isn't given
	ro := restore.Options{
		FS: a.FS, Base: s.Base, Cluster: c, Targets: targets, As: as,
		Bump: o.bump.by, BumpSeen: o.bump.auto, MarkCompacted: o.markCompacted, ClearAlarms: o.clearAlarms,
		SkipVerify: o.skipVerify, Rehearse: o.replay.rehearse,
	}
	if again != nil {
		ro.Replay, ro.ReplayBytes = again.run, again.Bytes
	}
	return ro
}

// count returns what tells a bar the last entry that was applied, of n behind base.
func (s *stepBars) count(base, n uint64) func(index uint64) {
	return func(index uint64) {
		s.show(string(restore.StepReplay), int64(index-base), func(title string) *ui.Progress {
			return ui.NewCount(s.a, title, "entries", int64(n))
		})
	}
}

// sayLeftovers tells of folders that a restore left when it was killed, or works in.
func (o *restoreOptions) sayLeftovers(a *ui.App, p *restore.Plan) {
	for _, dir := range p.Leftovers() {
		fmt.Fprintf(a.Err, "raftctl snapshot restore: %s is of a restore that was killed, or still runs; remove it "+
			"if none does\n", ui.Quote(o.shown(a, dir)))
	}
}
