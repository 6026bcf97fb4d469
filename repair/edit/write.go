package edit

import (
	"context"
	"errors"
	"sync"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/outlook"
	"github.com/raftctl/raftctl/repair/staging"
	"github.com/raftctl/raftctl/wal"
)

// Options say what a log is made of.
type Options struct {
	FS      vfs.FS
	Dir     string   // of the new log; it doesn't exist yet, but the folder above it does
	Source  *wal.Log // as it lies
	Changes *Changes
	Lost    []Range     // entries that the changes are to leave out
	Donors  []*wal.View // that entries are taken from, by their number less one

	// View, if not nil, is that of the source with the changes laid over it, as far as Lay shows them. It is not taken
	// if it is another's.
	View *wal.View

	// Unchanged, if not nil, is asked when all was read whether the source is still what it was.
	Unchanged func(ctx context.Context) error

	// Progress is told now and then what is being done, and how many bytes of how many of it are; it may be nil. It is
	// never called concurrently.
	Progress func(what string, done, total int64)
}

// Made is a log that was made.
type Made struct {
	Report *outlook.Report
	sums   *sums
}

// Make makes the log that changes lead to, synced, and proves it: it is read as a whole, nothing is wrong with it
// that wasn't wrong with the source, and its entries are those of source and donors.
func Make(ctx context.Context, o Options) (made *Made, err error) {
	m := &maker{Options: &o, laid: Lay(o.Source, o.Changes), sums: &sums{}}
	if m.log, err = m.laid.Log(o.Source); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.log.Close()) }()
	if o.Changes.Rewrite != nil {
		if m.view, err = m.viewOf(ctx); err != nil {
			return nil, err
		}
	}
	if err := m.write(ctx); err != nil {
		return nil, err
	}
	if o.Unchanged != nil {
		if err := o.Unchanged(ctx); err != nil {
			return nil, err
		}
	}
	log, err := m.openMade()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	report, err := m.prove(ctx, log)
	if err != nil {
		return nil, err
	}
	return &Made{report, m.sums}, nil
}

// viewOf returns the view of the source, as corrected.
func (m *maker) viewOf(ctx context.Context) (*wal.View, error) {
	if m.View != nil {
		if v := m.View.In(m.log); v != nil {
			return v, nil
		}
	}
	return m.log.View(ctx)
}

// openMade opens the new log, with what lies beside it as that will be.
func (m *maker) openMade() (*wal.Log, error) {
	made := m.Source.Member().Borrow()
	made.Snap = m.log.Member().Snap
	made.Log = datadir.Place{State: datadir.Present, FS: vfs.DirFS(m.FS, m.Dir), Path: ".", Name: m.Dir}
	made.Single, made.Archived = false, false
	return wal.OpenMember(made)
}

// maker makes a log.
type maker struct {
	*Options
	log    *wal.Log  // the source, as corrected
	view   *wal.View // of it; nil if nothing is written anew
	laid   *Overlay  // over the source
	sums   *sums
	lowest uint64 // of the indexes of entries that were written anew

	copied, toCopy int64 // bytes; guarded by sums' mutex
}

// write makes the log, synced. What is copied and what is written anew are made at the same time: the writer goes on
// behind the last segments that are copied, and needs no other.
func (m *maker) write(ctx context.Context) error {
	r := m.Changes.Rewrite
	var jobs []copyJob
	if r == nil || r.From != (Place{}) {
		jobs = m.copyJobs(r)
		if err := m.FS.MkdirAll(m.Dir, staging.DirMode); err != nil {
			return err
		}
	}
	if r == nil {
		if err := m.copySegments(ctx, jobs); err != nil {
			return err
		}
		return m.FS.SyncDir(m.Dir)
	}
	jobs, ahead := withHead(jobs)
	if err := m.copySegments(ctx, ahead); err != nil {
		return err
	}
	writer, err := m.open(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var copying sync.WaitGroup
	copying.Go(func() {
		if err := m.copySegments(ctx, jobs); err != nil {
			cancel(err)
		}
	})
	if err := m.rewrite(ctx, r, writer); err != nil {
		cancel(err)
	}
	copying.Wait()
	return context.Cause(ctx)
}

// withHead takes the last segments off a list that a writer needs to go on behind them: at least one with its head.
func withHead(list []copyJob) (others, last []copyJob) {
	const enough = 64 << 10 // bytes: a head is shorter by far
	n := len(list)
	for n > 0 {
		n--
		if list[n].size >= enough {
			break
		}
	}
	return list[:n], list[n:]
}

// rewrite writes records anew, behind what the writer has.
func (m *maker) rewrite(ctx context.Context, r *Rewrite, writer *wal.Writer) error {
	if r.Ordered {
		return errors.Join(wal.Copy(writer, prefetch(m.ordered(ctx))), writer.Close())
	}
	rewriter := newRewriter(r, m.log, m.view, m.Donors)
	err := wal.Copy(writer, prefetch(rewriter.records(ctx)))
	m.lowest = rewriter.lowest
	return errors.Join(err, writer.Close())
}

// open opens the new log behind what was copied of it. Until it is whole nobody relies on it: it is synced at the end,
// and not with every buffer.
func (m *maker) open(r *Rewrite) (*wal.Writer, error) {
	bulk := wal.WriterOptions{NoSync: true}
	if r.From != (Place{}) {
		writer, _, err := wal.OpenForAppend(m.FS, m.Dir, wal.AppendOptions{NoEntries: true, WriterOptions: bulk})
		return writer, err
	}
	metadata := []byte(r.Metadata)
	if len(metadata) == 0 {
		metadata = m.metadata()
	}
	if metadata == nil {
		return nil, errNoHead
	}
	o := wal.CreateOptions{RawMetadata: metadata, WriterOptions: bulk}
	if r.Begin == nil {
		if o.First = m.log.Segments()[0].Name; o.First.Seq == 0 {
			o.First.Index = 0 // whatever it says
		}
	}
	writer, err := wal.Create(m.FS, m.Dir, o)
	if err != nil || r.Begin == nil {
		return writer, err
	}
	err = errors.Join(writer.AppendRecord(wal.KindSnapshot, r.Begin.Snapshot), writer.AppendRecord(wal.KindState, r.Begin.State))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return writer, nil
}

// metadata returns that of the source, as it lies there.
func (m *maker) metadata() []byte {
	if m.view.MetadataPos == (wal.Position{}) {
		return nil
	}
	rec, err := m.log.ReadAt(m.view.MetadataPos)
	if err != nil || rec.Kind != wal.KindMetadata {
		return nil
	}
	return rec.Data
}
