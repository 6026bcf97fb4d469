package recording

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/datadir"
	"github.com/raftctl/raftctl/wal"
)

// Recording is an open recording. Reading changes nothing, and takes no lock.
type Recording struct {
	name string
	log  *wal.Log
}

// Open opens the recording at name: a directory of segments, one segment, or an archive of them, perhaps
// compressed. It may be written to meanwhile. The error is [wal.ErrNoLog] if there is none.
func Open(fsys fs.FS, name string) (*Recording, error) {
	log, err := Dialect.Open(fsys, name)
	if err != nil {
		return nil, err
	}
	return &Recording{name: name, log: log}, nil
}

// OpenMember opens the recording that was found already, for callers in this module; name is what positions of events
// begin with. The recording owns what was found, as [wal.OpenMember] says.
func OpenMember(m *datadir.Member, name string) (*Recording, error) {
	log, err := Dialect.OpenMember(m)
	if err != nil {
		return nil, err
	}
	return &Recording{name: name, log: log}, nil
}

// Close closes the files.
func (r *Recording) Close() error { return r.log.Close() }

// Log returns the recording as the log that it is, with the records of [Dialect]: for Verify, positions and
// segments. It is closed with the recording.
func (r *Recording) Log() *wal.Log { return r.log }

// Metadata returns whose messages these are: the metadata of the first segment in which it is intact.
func (r *Recording) Metadata() (m Metadata, err error) {
	for i := range r.log.Segments() {
		for rec, err := range r.log.SegmentRecords(i) {
			if err != nil {
				return Metadata{}, err
			}
			if rec.Kind == wal.KindMetadata {
				return m, m.unmarshal(rec.Data)
			}
			if rec.Kind == KindEvent {
				break
			}
		}
	}
	return Metadata{}, fmt.Errorf("%s: %w", r.name, errNoRecording)
}

// Events yields all events. What is damaged is an event of the kind KindGap, with the time of the event before it;
// what lies behind it is read.
func (r *Recording) Events() stream.Events {
	return r.events(r.log.Records(wal.Inspect))
}

// Follow is Events, and goes on where the recording ends: it looks each interval whether there is more, until
// ctx ends.
func (r *Recording) Follow(ctx context.Context, interval time.Duration) stream.Events {
	return r.events(r.log.Follow(ctx, wal.Position{}, interval))
}

func (r *Recording) events(records iter.Seq2[*wal.Record, error]) stream.Events {
	return func(yield func(*stream.Event, error) bool) {
		var s slots
		for rec, err := range records {
			if err != nil {
				yield(nil, err)
				return
			}
			if s.take(rec) {
				s.event.Pos = r.pos(rec.Pos)
				if !yield(&s.event, nil) {
					return
				}
			}
		}
	}
}

// take sets s.event to what a record says. ok is false if that is no event.
func (s *slots) take(rec *wal.Record) (ok bool) {
	last := s.event.Time
	switch rec.Kind {
	case KindEvent:
		if err := s.read(rec.Data); err != nil {
			s.lost(last, stream.Gap{Bytes: rec.Len, Reason: "record can't be decoded: " + err.Error()})
		}
		return true
	case wal.KindDamage:
		d := rec.Damage
		s.lost(last, stream.Gap{Bytes: d.Len, Reason: fmt.Sprintf("recording: %s: %s", d.Class, d.Evidence)})
		return true
	}
	return false
}

// lost sets s.event to a gap in the recording itself.
func (s *slots) lost(at time.Time, g stream.Gap) {
	s.gap = g
	s.event = stream.Event{Kind: stream.KindGap, Time: at, Gap: &s.gap}
}

func (r *Recording) pos(p wal.Position) stream.Pos {
	at := stream.Pos{Source: r.name, Off: p.Off}
	if path.Base(r.name) != p.Segment {
		at.File = p.Segment
	}
	return at
}
