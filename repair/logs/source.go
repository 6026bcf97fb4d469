package logs

import (
	"context"
	"errors"
	"fmt"

	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// Options say where logs lie, and what is told while they are read.
type Options struct {
	// WalDir is the directory of segments where etcd was started with a dedicated one. The path that is
	// opened is then the data directory.
	WalDir string

	// Dir is the directory that relative paths start from; the process's own by default.
	Dir string

	// Database says that the member's database is wanted too: see [Source.Log]'s Member. It is unpacked
	// where the member lies in an archive.
	Database bool

	// Applied, if not nil, tells the last entry that a member's database has applied, for [Source.Applied].
	// It is asked before the log is read: what a running etcd applies meanwhile would be missing in the log.
	Applied func(name string, m *datadir.Member) raftpb.EntryID

	// Progress is called now and then with the number of bytes of a log that were read so far, and of how
	// many.
	Progress func(name string, done, total int64)
}

// Source is one log, open and read once.
type Source struct {
	Name   string // as it is told to the user: the path
	Log    *wal.Log
	View   *wal.View
	Report *wal.Report // what is wrong with the log

	// Applied is the last entry that the member's database has applied, as its consistent index and term
	// tell; zero if it is not known. It may be ahead of the commit that the log knows, and is taken as
	// committed. It is set before Join. Without a term, as etcd 3.4 leaves it, it counts only if nothing is
	// wrong with the log.
	Applied raftpb.EntryID

	spans  []span
	holes  []hole
	states []stateMark
	known  []Mark // entries that are known to be committed
	prints *prints
	voted  electorate

	ords      map[string]int  // the order of the segments' files
	snapshots map[uint64]bool // the indexes of the snapshot records
}

// Open opens the log at a path of the machine and reads it: a data directory, a wal directory, one segment,
// or an archive of these.
func Open(ctx context.Context, name string, o Options) (*Source, error) {
	m, err := datadir.FindPath(name, datadir.Options{WalDir: o.WalDir, Dir: o.Dir, Database: o.Database})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var applied raftpb.EntryID
	if o.Applied != nil {
		applied = o.Applied(name, m)
	}
	log, err := wal.OpenMember(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s, err := New(ctx, name, log, o)
	if err != nil {
		return nil, err
	}
	s.Applied = applied
	return s, nil
}

// OpenAll opens the logs at several paths. A path that holds several logs, as an archive of all members
// does, stands for all of them.
func OpenAll(ctx context.Context, names []string, o Options) ([]*Source, error) {
	var all []*Source
	for i := 0; i < len(names); i++ {
		s, err := Open(ctx, names[i], o)
		if several, ok := errors.AsType[*datadir.SeveralLogsError](err); ok {
			names = append(append(append([]string(nil), names[:i+1]...), several.Names...), names[i+1:]...)
			continue
		}
		if err != nil {
			return nil, errors.Join(err, CloseAll(all))
		}
		all = append(all, s)
	}
	return all, nil
}

// CloseAll closes sources.
func CloseAll(sources []*Source) error {
	var errs []error
	for _, s := range sources {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// New reads an open log, which the source owns from then on: Close closes it too, and so does New if it
// fails. The error is that of ctx, or wal.ErrTooManyEvents. Whatever could not be read is damage.
func New(ctx context.Context, name string, log *wal.Log, o Options) (*Source, error) {
	s := &Source{Name: name, Log: log, prints: newPrints()}
	if err := s.read(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), log.Close())
	}
	return s, nil
}

// Close closes the log. Joined and Range of it become invalid.
func (s *Source) Close() error { return s.Log.Close() }

// Cluster returns the ID of the cluster that the log says it is of; 0 if it doesn't say.
func (s *Source) Cluster() uint64 { return s.View.Metadata.ClusterID }

// progress tells o's Progress how much of the log is read.
func (s *Source) progress(o *Options) func(bytes int64) {
	if o.Progress == nil {
		return nil
	}
	total := int64(0)
	for _, segment := range s.Log.Segments() {
		total += segment.Size
	}
	return func(bytes int64) { o.Progress(s.Name, bytes, total) }
}

func (s *Source) read(ctx context.Context, o Options) error {
	deep := func(e *raftpb.Entry) error {
		s.prints.add(e)
		return nil
	}
	r, err := s.Log.Verify(ctx, wal.VerifyOptions{Deep: deep, Progress: s.progress(&o)})
	if err != nil {
		return err
	}
	if r.View == nil {
		return wal.ErrTooManyEvents
	}
	s.Report, s.View = r, r.View
	s.spans = spansOf(s)
	s.holes = holesOf(s)
	if err := s.gather(ctx); err != nil {
		return err
	}
	for _, ref := range s.View.Snapshots {
		// Among damage anything may pass for a snapshot record. One that counts is of the log's own terms.
		if ref.Index > 0 && (s.View.Sound || ref.Valid && ref.Term <= s.View.State.Term) {
			s.known = append(s.known, Mark{EntryID: ref.EntryID, Source: s, By: BySnapshot})
		}
	}
	err = s.readVoters(ctx)
	s.addOnlyVote()
	return err
}
