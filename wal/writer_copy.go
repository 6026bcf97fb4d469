package wal

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// CreateOptions returns how a log is created that a copy of this one goes into: with its metadata,
// the name of its first segment, and the checksum that this continues. The error is ErrNoRecord if
// the log doesn't begin with a segment's head.
func (l *Log) CreateOptions() (CreateOptions, error) {
	o := CreateOptions{First: l.segments[0].Name, WriterOptions: WriterOptions{Dialect: l.dialect}}
	n := 0
	for rec, err := range l.Records(Recover) {
		if err != nil {
			return CreateOptions{}, err
		}
		n++
		switch {
		case n == 1 && rec.Kind == KindCRC:
			o.CRC = rec.CRC
			continue
		case n == 2 && rec.Kind == KindMetadata:
			o.RawMetadata = append([]byte{}, rec.Data...)
			return o, nil
		}
		return CreateOptions{}, noRecord(rec.Pos, "want the head of a segment")
	}
	return CreateOptions{}, noRecord(Position{Segment: l.segments[0].File}, "the segment is empty")
}

// Copy appends records, as reading yields them, to a log: all of a log's, or some of them, or those
// of several. Their data is copied as it is, so that fields which this package doesn't know survive;
// checksums are made anew, and so are what they were where nothing before was left out. Where the
// source begins a new segment, so does the log, with the index of the source's in its name. A whole
// intact log that is copied into one created with its CreateOptions gives the same bytes.
//
// The heads of segments must be of the writer's log: other metadata is an error, and so is damage,
// which is for the caller to leave out. What is Unchecked is copied, and can't be told from the
// rest any more. Copy returns when everything is durable.
func Copy(w *Writer, records iter.Seq2[*Record, error]) error {
	c := copying{w: w, started: w.resumed}
	for rec, err := range records {
		if err == nil {
			err = c.record(rec)
		}
		if err != nil {
			return err
		}
	}
	return w.Sync()
}

// copying is the state of a copy.
type copying struct {
	w       *Writer
	started bool         // the first segment's head has passed
	begin   []headRecord // what Create has written already, and the source may hold as well
}

func (c *copying) record(rec *Record) error {
	switch rec.Kind {
	case KindDamage:
		return rec.Damage.Err()
	case KindCRC:
		c.begin = nil
		if !c.started {
			c.started = true
			return nil
		}
		return c.w.rollAs(rec.Pos.Segment)
	case KindMetadata:
		return c.metadata(rec)
	}
	c.started = true
	if len(c.begin) > 0 && c.begin[0].kind == rec.Kind && bytes.Equal(c.begin[0].data, rec.Data) {
		c.begin = c.begin[1:]
		return nil
	}
	c.begin = nil
	if err := c.w.AppendRecord(rec.Kind, rec.Data); err != nil {
		return fmt.Errorf("%v: %w", rec.Pos, err)
	}
	return nil
}

// metadata checks that a segment is of the same log as the writer's.
func (c *copying) metadata(rec *Record) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if e := &c.w.enc; !bytes.Equal(e.metadata, rec.Data) {
		return &CorruptError{File: rec.Pos.Segment, Off: rec.Pos.Off, Err: errors.New(
			metadataText(rec.Data, e.metadata))}
	} else if e.seq == 0 {
		c.begin = slices.Clone(e.kinds.begin)
	}
	return nil
}

// rollAs begins a new segment with the index in the name of the given one, and with nothing but its
// head: what else the source repeats there is among its records.
func (w *Writer) rollAs(file string) error {
	w.mu.Lock()
	if err := w.usable(nil); err != nil {
		w.mu.Unlock()
		return err
	}
	index := w.enc.last + 1
	if name, ok := w.opts.Dialect.ParseFileName(file); ok {
		index = name.Index
	}
	w.enc.rollBare(w.gather, index)
	return w.join(needSync)
}
