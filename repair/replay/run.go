package replay

import (
	"context"
	"errors"
	"iter"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Options describe a replay.
type Options struct {
	// Dir is the folder with the database, which is changed. If the replay fails it is of no use any more.
	Dir string

	// Target says where to stop. What a moment comes to is for the caller to find: a [Time] is not taken.
	Target Target

	// Entries yields the entries behind the last one that the database has applied, in order and without a
	// gap. One is valid until the next.
	Entries iter.Seq2[wal.LiveEntry, error]

	FS vfs.FS // that Dir is in; nil: the machine's

	// Progress, if not nil, is told the last entry that was applied, every so often.
	Progress func(index uint64)
}

// Run applies entries to a database up to a target. What it has written is not synced.
//
// The error is a [*TargetError] for a target that can't be reached, a [*kv.EntryError] for an entry that
// can't be applied, an error that Entries yields, or that of the context.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.FS == nil {
		o.FS = vfs.OS
	}
	if o.Target.Kind == "" {
		o.Target.Kind = End
	}
	failed := make(chan error, 1)
	store, err := kv.Open(o.Dir, kv.Options{
		KeepMembers: true, NoSync: true, WaitCompaction: true, QuotaBytes: -1,
		Fatal: func(err error) { failed <- err },
	})
	if err != nil {
		return nil, err
	}
	r := &run{Options: o, store: store, report: new(Report)}
	done := make(chan error, 1)
	go func() { done <- r.apply(ctx) }()
	// A store whose database can't be written may never return from what it does.
	select {
	case err = <-done:
	case err = <-failed:
	}
	return r.report, err
}

// run is one replay.
type run struct {
	Options

	store   *kv.Store
	report  *Report
	tally   decode.Tally
	request decode.Request
	batch   batch
	deletes *deletes // of a BeforeDelete
}

// apply applies the entries and closes the store.
func (r *run) apply(ctx context.Context) (err error) {
	defer func() {
		r.deletes.close()
		err = errors.Join(err, r.store.Close())
	}()
	r.report.Before = r.state()
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.applyAll(ctx); err != nil {
		return err
	}
	if r.deletes != nil {
		return r.goBack()
	}
	r.report.Ops = r.tally.Ops()
	r.report.After = r.state()
	return r.Target.checkReached(r.report.After)
}

func (r *run) state() State {
	kv := r.store.KV()
	return State{r.store.Applied(), kv.Rev(), max(0, kv.FirstRev())}
}

// begin refuses a target that lies behind the database.
func (r *run) begin() error {
	if r.Target.Kind == Time {
		return errors.New("a moment is no target of a replay")
	}
	if err := r.Target.checkAhead(r.report.Before); err != nil {
		return err
	}
	if r.Target.Kind == BeforeDelete {
		var err error
		r.deletes, err = newDeletes(r.store, r.Target.Key)
		return err
	}
	return nil
}

// progressEvery is how many entries are read between two calls of Progress.
const progressEvery = 1024

// applyAll applies entries up to the target.
func (r *run) applyAll(ctx context.Context) error {
	if r.reached() {
		return nil
	}
	for e, err := range r.Entries {
		if err != nil {
			return errors.Join(err, r.flush())
		}
		if r.Target.Kind == Term && e.Term > r.Target.N {
			break
		}
		if err := r.take(e.Entry); err != nil {
			return err
		}
		if e.Index%progressEvery == 0 {
			if r.Progress != nil {
				r.Progress(e.Index)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if r.reached() {
			break
		}
	}
	return errors.Join(r.flush(), ctx.Err())
}

// take applies an entry, now or with those that follow.
func (r *run) take(e *raftpb.Entry) error {
	known := decode.Payload(&r.request, e) == nil
	if r.deletes != nil && (!known || r.deletes.mayDelete(&r.request)) {
		return r.applyAlone(e)
	}
	r.count(e)
	r.batch.add(e)
	if r.batch.full() || r.mayReach() {
		return r.flush()
	}
	return nil
}

// count counts an entry that r.request was decoded from.
func (r *run) count(e *raftpb.Entry) {
	r.tally.Add(e.ID(), &r.request)
	if r.request.AboutCluster() {
		r.report.Ignored++
	}
}

// applyAlone applies an entry that may delete one of the keys, and asks whether it did.
func (r *run) applyAlone(e *raftpb.Entry) error {
	if err := r.flush(); err != nil {
		return err
	}
	if r.request.Op != decode.OpLeaseRevoke || r.deletes.leaseHolds(&r.request) {
		if err := r.deletes.mark(); err != nil {
			return err
		}
	}
	r.batch.add(e)
	if err := r.flush(); err != nil {
		return err
	}
	r.settle(Deletion{ID: e.ID(), Op: r.request.Op})
	r.count(e)
	return nil
}

// flush applies the entries that were put off.
func (r *run) flush() error {
	_, err := r.store.Apply(r.batch.entries)
	r.batch.clear()
	return err
}

// mayReach reports whether the entries that were put off may reach the target: an entry makes one revision at
// most.
func (r *run) mayReach() bool {
	n := len(r.batch.entries)
	switch r.Target.Kind {
	case Index:
		return r.batch.entries[n-1].Index >= r.Target.N
	case Revision:
		return r.store.KV().Rev()+int64(n) >= int64(r.Target.N)
	}
	return false
}

// reached reports whether no further entry is to be applied.
func (r *run) reached() bool {
	switch r.Target.Kind {
	case Index:
		return r.store.Applied().Index >= r.Target.N
	case Revision:
		return r.store.KV().Rev() >= int64(r.Target.N)
	}
	return false
}
