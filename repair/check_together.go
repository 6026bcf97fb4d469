package repair

import (
	"context"
	"fmt"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/crosscheck"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/wal"
)

// checkTogether sets log, .snap files and database against each other.
func (x *examination) checkTogether(ctx context.Context) {
	in := &crosscheck.Input{Files: x.Files, Missing: x.Place.Database.State == datadir.Missing}
	if r := x.DatabaseReport; r != nil {
		if members, err := x.db.Members(); err == nil {
			in.Database = &crosscheck.Database{Meta: r.Meta, Members: *members}
		}
	}
	if r := x.Report; r != nil {
		in.Starts = Starts(r)
		if in.View = r.View; r.View != nil {
			x.followMembers(ctx, in)
		}
	}
	if n := x.newest; n != nil {
		in.Store, in.Conf = &n.members, &n.conf
	}
	if missing := missingOf(in); missing != "" {
		x.unchecked(CheckTogether, "", fmt.Sprintf("without %s nothing tells whether the files fit together", missing))
		x.unchecked(CheckMembers, "", fmt.Sprintf("without %s nothing tells whether all have the same members", missing))
	}
	for _, f := range crosscheck.Check(in) {
		x.add(Finding{Class: string(f.Class), Severity: f.Severity, Check: checkOfFile(f.Class), File: f.File,
			Evidence: f.Evidence, Advice: f.Advice})
	}
}

// missingOf names what there is nothing to compare with.
func missingOf(in *crosscheck.Input) string {
	switch {
	case in.View == nil && in.Database == nil:
		return "the log and the database"
	case in.View == nil:
		return "the log"
	case in.Database == nil:
		return "the database"
	}
	return ""
}

func checkOfFile(c crosscheck.Class) Check {
	switch c {
	case crosscheck.ClassMembers, crosscheck.ClassRemoved, crosscheck.ClassStore:
		return CheckMembers
	}
	return CheckTogether
}

// Starts returns what the releases start from that get through starting; where none does, what those
// start from that read the log.
func Starts(r *outlook.Report) (list []crosscheck.Start) {
	var all []crosscheck.Start
	for _, o := range outlook.Fold(r.Outlooks) {
		if o.Read.Action == wal.ActionRefuses || o.Read.Action == wal.ActionUnknown {
			continue
		}
		s := crosscheck.Start{Releases: o.Read.Releases(), Entry: o.Read.Start}
		all = append(all, s)
		if o.Action != wal.ActionRefuses {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return all
	}
	return list
}

// followMembers follows the members up to where the database has come. The log is read again if the
// database is ahead of it, as that of a running etcd may be by now, or if what was kept of it doesn't tell.
func (x *examination) followMembers(ctx context.Context, in *crosscheck.Input) {
	if in.Database == nil {
		return
	}
	index, log := in.Database.Meta.ConsistentIndex, x.Log
	if index > in.View.LastIndex() && !x.Place.Single {
		again, err := wal.Open(x.Log.FS(), x.Log.Dir())
		if err != nil {
			return // it was read before: what is known of it counts
		}
		defer func() { _ = again.Close() }() // opened for reading
		view, err := again.View(ctx)
		if err != nil {
			return
		}
		in.View, log = view, again
	}
	replay := func(upTo uint64) (*raftpb.ConfState, error) {
		if in.View == x.Report.View {
			if cs, ok := crosscheck.ReplayKept(x.Report, upTo); ok {
				return cs, nil
			}
		}
		return crosscheck.Replay(ctx, log, in.View, upTo)
	}
	var err error
	in.Replay, err = replay(index)
	if commit := in.View.State.Commit; err == nil && in.Database.Meta.Term == 0 && commit > index {
		in.Later, err = replay(commit)
	}
	if err != nil {
		x.unchecked(CheckMembers, "wal", fmt.Sprintf("the members were not compared with those of the log: %v", err))
	}
}
