package snapcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/raftctl/raftctl/cmd/raftctl/paths"
	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/logs"
	"github.com/raftctl/raftctl/repair/replay"
	"github.com/raftctl/raftctl/repair/restore"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

// replayFlags say which logs are replayed onto the base, and up to where.
type replayFlags struct {
	wal         []string
	until       string
	committed   bool
	uncommitted bool
	foreign     bool
	slack       time.Duration
	rehearse    bool

	target replay.Target
}

// defaultSlack is how exactly a moment has to be known.
const defaultSlack = time.Minute

func (o *replayFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.wal, "wal", nil, "replay the log at `PATH` onto the backup; several logs, of any members, may be given")
	f.StringVar(&o.until, "until", "end", "stop at `TARGET`: "+strings.Join(replay.Targets(), ", "))
	f.BoolVar(&o.committed, "committed-only", true, "stop at the last entry that is known to be committed")
	f.BoolVar(&o.uncommitted, "include-uncommitted", false,
		"go on to the end of the most advanced log, with entries that may never have been committed")
	f.BoolVar(&o.foreign, "force-foreign", false, "replay a log of which nothing shows that it is of the backup's cluster")
	f.DurationVar(&o.slack, "time-slack", defaultSlack, "how exactly the entry at --until time=… has to be known")
	f.BoolVar(&o.rehearse, "rehearse", false, "boot a copy of the result in process and read every key, before it gets its name")
	ui.CompleteWith(cmd, "until", replay.Targets())
}

// logs reports whether there is anything to replay.
func (o *restoreOptions) replays() bool { return len(o.replay.wal) > 0 || o.fromMember != "" }

// check decides what the flags mean.
func (o *replayFlags) check(cmd *cobra.Command, has bool) (err error) {
	changed := cmd.Flags().Changed
	if o.target, err = replay.ParseTarget(o.until); err != nil {
		return ui.Usagef(cmd, "--until: %w", err)
	}
	for _, name := range []string{"until", "committed-only", "include-uncommitted", "force-foreign", "time-slack"} {
		if changed(name) && !has {
			return ui.Usagef(cmd, "--%s needs a log: --wal PATH", name)
		}
	}
	for _, path := range o.wal {
		if path == "" {
			return ui.Usagef(cmd, "--wal is empty")
		}
	}
	switch {
	case o.uncommitted && changed("committed-only") && o.committed, !o.uncommitted && !o.committed:
		return ui.Usagef(cmd, "--committed-only and --include-uncommitted are each other's opposite: give one of them")
	case changed("time-slack") && o.target.Kind != replay.Time:
		return ui.Usagef(cmd, "--time-slack goes with --until time=…")
	case o.slack < 0:
		return ui.Usagef(cmd, "--time-slack %v, want 0s or more", o.slack)
	}
	return nil
}

// rerun is a replay that was planned.
type rerun struct {
	*replay.Plan
	sources  []*logs.Source
	fs       vfs.FS
	revision int64 // of the backup
	bar      func(index uint64)
	report   *replay.Report // once it has run
	behind   behind
}

// Close closes the logs.
func (r *rerun) Close() error {
	if r == nil {
		return nil
	}
	return logs.CloseAll(r.sources)
}

// roots are the folders that the logs belong to.
func (r *rerun) roots(a *ui.App) (dirs []string) {
	if r == nil {
		return nil
	}
	for _, s := range r.sources {
		if m := s.Log.Member(); !m.Archived {
			dirs = append(dirs, rootOf(a, m.Log.Name))
		}
	}
	return dirs
}

// planReplay opens the logs and checks them; nil if there are none.
func (o *restoreOptions) planReplay(ctx context.Context, a *ui.App, s *restoreSource) (*rerun, error) {
	if !o.replays() {
		return nil, nil
	}
	sources, err := o.openLogs(ctx, a, s)
	if err != nil {
		return nil, err
	}
	r := &rerun{sources: sources, fs: a.FS, revision: s.Revision}
	bar := &lateCount{a: a, name: "look ahead"}
	defer bar.Done()
	r.Plan, err = replay.NewPlan(ctx, replay.PlanOptions{
		Meta: &s.Meta, Members: &s.Members, Revision: s.Revision, Sources: sources, Target: o.replay.target,
		Uncommitted: o.replay.uncommitted, Foreign: o.replay.foreign, Slack: o.replay.slack, Progress: bar.set,
		Since: s.Since, Refusals: refusals(s),
	})
	if err != nil {
		return nil, errors.Join(o.replayError(err), r.Close())
	}
	return r, nil
}

// refusals are what puts may have been refused for. Where users can't be read, that may have been anything.
func refusals(s *restoreSource) replay.Refusals {
	users, err := s.Auth()
	full := slices.ContainsFunc(s.Alarms, func(a database.Alarm) bool { return a.Kind == database.AlarmNoSpace })
	return replay.Refusals{Full: full || err != nil, Users: users}
}

// openLogs opens the logs that are given, and the member's own.
func (o *restoreOptions) openLogs(ctx context.Context, a *ui.App, s *restoreSource) ([]*logs.Source, error) {
	names := o.replay.wal
	if o.fromMember != "" && s.ownLog {
		names = append([]string{o.fromMember}, names...)
	}
	bars := &stepBars{a: a}
	defer bars.done()
	known := map[*datadir.Member]*database.Members{}
	sources, err := logs.OpenAll(ctx, names, logs.Options{Dir: a.Dir, Database: true, Progress: bars.log,
		Applied: func(name string, m *datadir.Member) (id raftpb.EntryID) {
			// What a database that can't be read would tell is not needed: it would only tell more.
			id, known[m], _ = appliedBy(ctx, a, m, name)
			return id
		}})
	if err != nil {
		return nil, err
	}
	for _, l := range sources {
		// Another member's database, or another cluster's, tells nothing of this log.
		if db := known[l.Log.Member()]; db == nil || !db.Knows(l.View.Metadata.NodeID) {
			l.Applied = raftpb.EntryID{}
		}
	}
	if o.fromMember != "" {
		sources[0].Applied = raftpb.EntryID{Term: s.Meta.Term, Index: s.Meta.ConsistentIndex}
	}
	return sources, nil
}

// run replays onto the copy of the base in a folder. Where there is nothing to replay, the copy stays as it
// is, to the byte.
func (r *rerun) run(ctx context.Context, dir string) (out restore.Replayed, err error) {
	out.Revision = r.revision
	last := r.Base.Index
	if r.Range.Len() > 0 {
		r.report, err = r.Run(ctx, r.fs, dir, r.bar)
		if err != nil {
			return out, err
		}
		out.Revision, last = r.report.After.Revision, r.report.After.Applied.Index
	}
	r.behind, err = r.countBehind(ctx, last)
	out.Seen = out.Revision + int64(r.behind.writes)
	return out, err
}

// behind are the entries that were left out at the end.
type behind struct {
	committed, uncommitted uint64
	missing                uint64 // in none of the logs, or not intact
	writes                 uint64 // those of all that may have made a revision
}

// countBehind counts the entries behind the last one that was applied.
func (r *rerun) countBehind(ctx context.Context, last uint64) (b behind, err error) {
	var request decode.Request
	for end := max(r.Commit.Index, r.End.Index); last < end; {
		rest, err := r.Behind(last)
		if err != nil {
			return b, err
		}
		for e, err := range rest.Entries(ctx) {
			if err != nil {
				return b, err
			}
			b.count(&request, e, r.Commit.Index)
		}
		at := rest.Last()
		next := r.Gap(at, end)
		if b.missing += next - at; next == last { // not told
			b.missing, next = b.missing+end-next, end
		}
		last = next
	}
	b.writes += b.missing
	return b, ctx.Err()
}

func (b *behind) count(request *decode.Request, e wal.LiveEntry, commit uint64) {
	if e.Index <= commit {
		b.committed++
	} else {
		b.uncommitted++
	}
	if decode.Payload(request, e.Entry) != nil || request.MayWrite() {
		b.writes++
	}
}

// replayError adds to an error the flag by which the user may go on.
func (o *restoreOptions) replayError(err error) error {
	if gap, ok := errors.AsType[*logs.GapError](err); ok {
		return &restore.RefusedError{Err: fmt.Errorf("%w; --until index=%d stops before them", err, gap.HeldTo)}
	}
	if damage, ok := errors.AsType[*logs.DamageError](err); ok {
		return &restore.DamageError{Err: fmt.Errorf("%w; --until index=%d stops before them", err, damage.HeldTo)}
	}
	if _, ok := errors.AsType[*logs.ConflictError](err); ok {
		return &restore.DamageError{Err: err}
	}
	if slack, ok := errors.AsType[*replay.SlackError](err); ok {
		hint := fmt.Sprintf("--until index=%d takes the first of them", slack.Moment.Index)
		if width, known := slack.Moment.Width(); known {
			hint += fmt.Sprintf(", --time-slack %v too", width.Round(time.Second)+time.Second)
		}
		return &restore.RefusedError{Err: fmt.Errorf("%w; %s", err, hint)}
	}
	if target, ok := errors.AsType[*replay.TargetError](err); ok {
		if target.Uncommitted {
			err = fmt.Errorf("%w; --include-uncommitted goes on to the end of the log", err)
		}
		return ui.UsageError{Err: fmt.Errorf("--until %w", err)}
	}
	if isA[*logs.ForeignError](err) || isA[*replay.ForeignError](err) {
		return &restore.RefusedError{Err: fmt.Errorf("%w; --force-foreign takes it all the same", err)}
	}
	if entry, ok := errors.AsType[*kv.EntryError](err); ok && !errors.Is(err, kv.ErrFailed) {
		return &restore.DamageError{Err: fmt.Errorf("%w; --until index=%d stops before it", err, entry.ID.Index-1)}
	}
	return err
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// lateCount is a progress of entries whose number is told with the first call.
type lateCount struct {
	a    *ui.App
	name string
	bar  *ui.Progress
}

func (l *lateCount) set(done, total uint64) {
	if l.bar == nil {
		l.bar = ui.NewCount(l.a, l.name, "entries", int64(total))
	}
	l.bar.Set(int64(done))
}

// Done removes the bar.
func (l *lateCount) Done() { l.bar.Done() }

// showCommand is the command that shows an entry of one of the logs.
func (r *rerun) showCommand(index uint64) string {
	for _, s := range r.sources {
		if v := s.View; v.First.Index <= index && index <= v.Last.Index {
			return ui.CommandLine("raftctl", "wal", "dump", paths.Typed(s.Name), "--index", fmt.Sprint(index), "--who")
		}
	}
	return ""
}
