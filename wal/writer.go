package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
)

// Writer appends to a log. Its methods may be called from several goroutines: calls that wait for
// the disk at the same time share one write and one sync.
//
// The first write or sync that fails is final: what is on disk then is not known, and trying again
// could report success over lost bytes. From then on every call returns that error; opening the log
// again tells what is there.
type Writer struct {
	fsys vfs.FS
	dir  string
	opts WriterOptions

	mu     sync.Mutex // guards the order of records: what follows
	enc    encoder
	gather *batch   // collects what the next sync will save
	idle   []*batch // batches to use again
	crowd  int      // how many callers waited for the last batch
	err    error    // why the writer takes no more

	flush turn // one batch at a time; taken before mu
	tail  tail
	spare preparer

	locks   locks
	torn    TornEnd
	resumed bool // by OpenForAppend: it goes on with a log that was there
}

// WriterOptions are the choices of a writer. The zero value is what a member needs.
type WriterOptions struct {
	// Flavor is the encoding for a log that doesn't have one yet. A log that holds entries keeps that
	// of the last one which tells. The default is FlavorGogo: every etcd and every tool of its
	// releases 3.4 to 3.6 was made for it and later ones read it, while only 3.7 was tested with the
	// other.
	Flavor raftpb.Flavor

	// NoSync makes Append and SaveSnapshot return before the bytes are safe, often before they are
	// written. Sync and Close still save everything. For logs that can be made again.
	NoSync bool

	// Dialect is what the log holds; etcd's by default.
	Dialect *Dialect

	// OnSync, if not nil, is told how long each sync of a segment took, also of one that failed. It is
	// called while the append waits that made it, one at a time, and must not call the writer.
	OnSync func(took time.Duration)

	segmentSize int64 // instead of SegmentSize: see WithSegments
	inline      bool  // prepare segments when they are needed, for tests that count operations
}

// WithSegments returns the options for a log whose segments end at about so many bytes, in place of [SegmentSize].
// Logs are read whatever the size of their segments: small ones let a test see many.
func (o WriterOptions) WithSegments(size int64) WriterOptions {
	o.segmentSize = size
	return o
}

// withDefaults fills in what is zero.
func (o WriterOptions) withDefaults() WriterOptions {
	if o.segmentSize == 0 {
		o.segmentSize = SegmentSize
	}
	o.Dialect = o.Dialect.orEtcd()
	return o
}

// ErrWriterClosed is returned when a writer is used after Close.
var ErrWriterClosed = fmt.Errorf("log writer: %w", fs.ErrClosed)

// Append adds a hard state and entries, either of which may be empty, and returns when they are
// durable. A change of the commit index alone is not waited for, as in etcd: it becomes durable
// with the next entries, snapshot or Sync. An entry at or below the last index overwrites from
// there on.
//
// It is an error, and nothing is written, if the entries leave a gap.
func (w *Writer) Append(state raftpb.HardState, entries []raftpb.Entry) error {
	w.mu.Lock()
	err := w.usable(w.enc.checkEntries(entries))
	if err != nil || state.IsEmpty() && len(entries) == 0 {
		w.mu.Unlock()
		return err
	}
	durable := len(entries) != 0 || state.Term != w.enc.state.Term || state.Vote != w.enc.state.Vote
	rolls := len(w.gather.rolls)
	w.enc.save(w.gather, state, entries, durable)
	return w.join(w.need(durable || len(w.gather.rolls) > rolls))
}

// SaveSnapshot records that the state as of s.Index was saved, and returns when that is durable.
// The snapshot itself must be durable already. A snapshot that came from the leader has to be
// recorded ahead of the entries that follow it.
func (w *Writer) SaveSnapshot(s Snapshot) error {
	w.mu.Lock()
	if err := w.usable(checkSnapshot(&s)); err != nil {
		w.mu.Unlock()
		return err
	}
	w.enc.snapshot(w.gather, &s)
	return w.join(w.need(true))
}

// checkSnapshot refuses what etcd would not accept.
func checkSnapshot(s *Snapshot) error {
	if s.Index > 0 && s.ConfState == nil {
		return fmt.Errorf("snapshot at index %d has no conf state", s.Index)
	}
	return nil
}

// AppendRecord adds a record with the data as it is, which keeps fields that this package doesn't
// know. It is for rewriting a log, and for the records of other dialects than etcd's: it checks
// nothing but that the data can be decoded, never begins a new segment (see Roll and Size), and the
// record is durable only after Sync or Close. Crc and metadata records come by themselves and are
// refused.
func (w *Writer) AppendRecord(k Kind, data []byte) error {
	w.mu.Lock()
	if err := w.usable(w.enc.raw(w.gather, k, data)); err != nil {
		w.mu.Unlock()
		return err
	}
	return w.join(needBuffer)
}

// Flush returns when the system has everything that was appended before: it then outlives this
// process, but not yet the machine.
func (w *Writer) Flush() error {
	w.mu.Lock()
	if err := w.usable(nil); err != nil {
		w.mu.Unlock()
		return err
	}
	return w.join(needWrite)
}

// Sync returns when everything that was appended before is durable.
func (w *Writer) Sync() error {
	w.mu.Lock()
	if err := w.usable(nil); err != nil {
		w.mu.Unlock()
		return err
	}
	return w.join(needSync)
}

// Roll ends the segment and begins the next one, as Append does by itself at SegmentSize.
func (w *Writer) Roll() error {
	w.mu.Lock()
	if err := w.usable(nil); err != nil {
		w.mu.Unlock()
		return err
	}
	w.enc.roll(w.gather)
	return w.join(needSync)
}

// Close makes everything durable and releases the log.
func (w *Writer) Close() error {
	w.mu.Lock()
	if errors.Is(w.err, ErrWriterClosed) {
		w.mu.Unlock()
		return w.err
	}
	err := w.join(needSync)
	w.flush.take()
	defer w.flush.give()
	w.mu.Lock()
	if w.err == nil {
		w.err = ErrWriterClosed
	}
	w.mu.Unlock()
	return errors.Join(err, w.spare.close(), w.locks.close())
}

// Err returns the error that every call returns, or nil while the writer works.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Flavor returns the encoding of the log's entries.
func (w *Writer) Flavor() raftpb.Flavor {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enc.flavor
}

// SetFlavor sets the encoding of a log that holds neither entry nor snapshot yet. Of another it changes nothing.
func (w *Writer) SetFlavor(f raftpb.Flavor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.enc.last == 0 {
		w.enc.flavor = f
	}
}

// Last returns the index of the entry or snapshot that was appended last, durable or not.
func (w *Writer) Last() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enc.last
}

// Size returns the size in bytes of the segment that is written to, as of the last append.
func (w *Writer) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enc.flushed.size + w.enc.flushed.buffered
}

// usable returns why the writer can't be used, or else why the call is wrong. The caller holds mu.
func (w *Writer) usable(wrong error) error {
	if w.err != nil {
		return w.err
	}
	return wrong
}

func (w *Writer) need(durable bool) need {
	if durable && !w.opts.NoSync {
		return needSync
	}
	return needBuffer
}
