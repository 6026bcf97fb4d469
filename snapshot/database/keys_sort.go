package database

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
)

// sorter brings changes into the order of their keys, of which it keeps the last change each, in bounded
// memory: what doesn't fit goes to a temporary file, in runs that are merged at the end.
//
// Changes are added in the order of their revisions, so that of two with one key the later run has the
// one that counts.
type sorter struct {
	added   int // changes
	limit   int // bytes held in memory, twice: one batch is filled while another one is written
	batch   *batch
	spare   *batch     // empty
	writing chan error // nil if no batch is being written
	file    *os.File
	runs    []int64 // where in the file each begins, and at last the end of the file
}

// sortLimit is how many bytes a batch has. A key of 60 bytes takes 116 and its record, if that is
// carried along.
const sortLimit = 32 << 20

func newSorter() *sorter {
	return &sorter{limit: sortLimit, batch: new(batch), spare: new(batch), runs: []int64{0}}
}

// add adds a change, to be sorted by its key.
func (s *sorter) add(c *Change) error {
	p := place{page: c.page, element: c.element, tombstone: c.Tombstone}
	record := c.record
	if c.Tombstone || len(record) > maxCarried {
		record = nil
	}
	return s.addPlace(p, c.Key, record)
}

// addPlace adds a place with a key and a record, which may be empty.
func (s *sorter) addPlace(p place, key, record []byte) error {
	if s.batch.size() >= s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.added++
	s.batch.add(p, key, record)
	return nil
}

// progress tells how far the sorted keys have come, n of them, in the second pass.
func (s *sorter) progress(q *Query, db *DB, n int) {
	if q.Progress != nil {
		q.Progress(db.size+int64(float64(db.size)*float64(n)/float64(s.added)), sortedPasses*db.size)
	}
}

// spill begins to write what is in memory as a run, when the one before is written.
func (s *sorter) spill() error {
	if err := s.wait(); err != nil {
		return err
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "raftctl-sort-")
		if err != nil {
			return fmt.Errorf("temporary folder: %w; TMPDIR names another", err)
		}
		// Without a name it goes away with the process, however that ends. Where an open file can't
		// be removed, close does it.
		_ = os.Remove(f.Name())
		s.file = f
	}
	s.batch, s.spare = s.spare, s.batch
	s.writing = make(chan error, 1)
	go func() {
		n, err := s.spare.write(io.NewOffsetWriter(s.file, s.runs[len(s.runs)-1]))
		s.runs = append(s.runs, s.runs[len(s.runs)-1]+n)
		s.writing <- err
	}()
	return nil
}

// wait waits until the batch is written that is being written.
func (s *sorter) wait() error {
	if s.writing == nil {
		return nil
	}
	err := <-s.writing
	s.writing = nil
	s.spare.reset()
	return explain(err, s.file)
}

// close removes the temporary file.
func (s *sorter) close() {
	_ = s.wait() // nothing in the file is wanted any more
	if s.file == nil {
		return
	}
	_ = s.file.Close()
	if err := os.Remove(s.file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return // it stays in the temporary folder
	}
}

// sorted is a key that was not deleted: its record, or the place to read it from. They are valid until
// the next key is asked for.
type sorted struct {
	place
	name, record []byte
}

// all yields the keys that were not deleted, in their order.
func (s *sorter) all() iter.Seq2[sorted, error] {
	return func(yield func(sorted, error) bool) {
		if s.writing != nil || len(s.runs) > 1 {
			s.merge(yield)
			return
		}
		s.batch.sort()
		for i := range s.batch.places {
			if p := &s.batch.places[i]; !p.tombstone && !yield(sorted{*p, s.batch.keyOf(p), s.batch.recordOf(p)}, nil) {
				return
			}
		}
	}
}

// merge yields from all runs, the last of which is what is in memory.
func (s *sorter) merge(yield func(sorted, error) bool) {
	h, err := s.open()
	if err != nil {
		yield(sorted{}, err)
		return
	}
	var key []byte
	for len(h) > 0 {
		// Of equal keys the later run is on top: it counts, and the others are passed over.
		top := h[0]
		key = append(key[:0], top.key...)
		if !top.place.tombstone && !yield(sorted{top.place, top.key, top.record}, nil) {
			return
		}
		for len(h) > 0 && bytes.Equal(h[0].key, key) {
			if err := h.advance(); err != nil {
				yield(sorted{}, err)
				return
			}
		}
	}
}

// open writes what is in memory, and opens all runs.
func (s *sorter) open() (h runHeap, err error) {
	if err := errors.Join(s.spill(), s.wait()); err != nil {
		return nil, err
	}
	s.batch, s.spare = nil, nil
	for i, off := range s.runs[:len(s.runs)-1] {
		r := newRun(i, io.NewSectionReader(s.file, off, s.runs[i+1]-off))
		if err := r.next(); err != nil {
			return nil, err
		}
		h = append(h, r)
	}
	h.init()
	return h, nil
}

// batch is a number of changes in memory.
type batch struct {
	arena  []byte
	places []place
}

// place is where the value of a key lies.
type place struct {
	at        int // of the key in the arena
	key       int // its size
	size      int // of the record behind it; 0 where it is to be read from its page
	page      uint64
	element   int
	tombstone bool
}

const placeSize = 56

// maxCarried is how large the records are, in bytes, that are carried along with their keys. To read a
// page again for each key in it costs more than to write and read so much.
const maxCarried = 512

func (b *batch) size() int { return len(b.arena) + placeSize*len(b.places) }

func (b *batch) reset() { b.arena, b.places = b.arena[:0], b.places[:0] }

func (b *batch) add(p place, key, record []byte) {
	p.at, p.key, p.size = len(b.arena), len(key), len(record)
	b.places = append(b.places, p)
	b.arena = append(append(b.arena, key...), record...)
}

func (b *batch) keyOf(p *place) []byte { return b.arena[p.at : p.at+p.key] }

func (b *batch) recordOf(p *place) []byte { return b.arena[p.at+p.key:][:p.size] }

// sort sorts the changes, and leaves the last one of each key. Equal keys stay in the order in which
// they were added: that of the arena.
func (b *batch) sort() {
	slices.SortFunc(b.places, func(x, y place) int {
		return cmp.Or(bytes.Compare(b.keyOf(&x), b.keyOf(&y)), cmp.Compare(x.at, y.at))
	})
	n := 0
	for i := range b.places {
		if i+1 < len(b.places) && bytes.Equal(b.keyOf(&b.places[i]), b.keyOf(&b.places[i+1])) {
			continue
		}
		b.places[n] = b.places[i]
		n++
	}
	b.places = b.places[:n]
}
