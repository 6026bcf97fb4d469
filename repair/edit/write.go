package edit

import (
	"context"
	"errors"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/repair/outlook"
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
		if m.view, err = m.log.View(ctx); err != nil {
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

// write makes the log, synced.
func (m *maker) write(ctx context.Context) error {
	r := m.Changes.Rewrite
	if r == nil || r.From != (Place{}) {
		if err := m.copySegments(ctx, r); err != nil {
			return err
		}
	}
	if r == nil {
		return m.FS.SyncDir(m.Dir)
	}
	writer, err := m.open(r)
	if err != nil {
		return err
	}
	if r.Ordered {
		return errors.Join(wal.Copy(writer, m.ordered(ctx)), writer.Close())
	}
	rewriter := newRewriter(r, m.log, m.view, m.Donors)
	err = wal.Copy(writer, rewriter.records(ctx))
	m.lowest = rewriter.lowest
	return errors.Join(err, writer.Close())
}

// open opens the new log behind what was copied of it.
func (m *maker) open(r *Rewrite) (*wal.Writer, error) {
	if r.From != (Place{}) {
		writer, _, err := wal.OpenForAppend(m.FS, m.Dir, wal.AppendOptions{NoEntries: true})
		return writer, err
	}
	metadata := []byte(r.Metadata)
	if len(metadata) == 0 {
		metadata = m.metadata()
	}
	if metadata == nil {
		return nil, errNoHead
	}
	o := wal.CreateOptions{RawMetadata: metadata}
	if r.Begin == nil {
		o.First = m.log.Segments()[0].Name
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
