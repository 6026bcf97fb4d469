package database

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
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
	limit  int // bytes held in memory
	arena  []byte
	places []place
	file   *os.File
	runs   []int64 // where in the file each begins
	end    int64
}

// place is where the value of a key lies.
type place struct {
	key       int // in the arena
	size      int
	page      uint64
	element   int
	tombstone bool
}

// sortLimit is how much is held in memory. A key of 60 bytes takes 108.
const (
	sortLimit = 64 << 20
	placeSize = 48
)

func newSorter() *sorter { return &sorter{limit: sortLimit} }

// add adds a change.
func (s *sorter) add(c *Change) error {
	if len(s.arena)+len(c.Key)+placeSize*(len(s.places)+1) > s.limit && len(s.places) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.places = append(s.places, place{len(s.arena), len(c.Key), c.page, c.element, c.Tombstone})
	s.arena = append(s.arena, c.Key...)
	return nil
}

func (s *sorter) keyOf(p *place) []byte { return s.arena[p.key : p.key+p.size] }

// sort sorts what is in memory, and leaves the last change of each key. Equal keys stay in the order in
// which they were added: that of the arena.
func (s *sorter) sort() {
	slices.SortFunc(s.places, func(a, b place) int {
		return cmp.Or(bytes.Compare(s.keyOf(&a), s.keyOf(&b)), cmp.Compare(a.key, b.key))
	})
	n := 0
	for i := range s.places {
		if i+1 < len(s.places) && bytes.Equal(s.keyOf(&s.places[i]), s.keyOf(&s.places[i+1])) {
			continue
		}
		s.places[n] = s.places[i]
		n++
	}
	s.places = s.places[:n]
}

// spill writes what is in memory as a run.
func (s *sorter) spill() error {
	s.sort()
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
	w := bufio.NewWriterSize(io.NewOffsetWriter(s.file, s.end), 1<<20)
	var b []byte
	n := int64(0)
	for i := range s.places {
		p := &s.places[i]
		b = binary.AppendUvarint(b[:0], uint64(p.size))
		b = append(b, s.keyOf(p)...)
		b = binary.AppendUvarint(b, p.page)
		b = binary.AppendUvarint(b, uint64(p.element)<<1|uint64(bit(p.tombstone)))
		if _, err := w.Write(b); err != nil {
			return explain(err, s.file)
		}
		n += int64(len(b))
	}
	if err := w.Flush(); err != nil {
		return explain(err, s.file)
	}
	s.runs = append(s.runs, s.end)
	s.end += n
	s.places, s.arena = s.places[:0], s.arena[:0]
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// close removes the temporary file.
func (s *sorter) close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close() // nothing in it is wanted any more
	if err := os.Remove(s.file.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return // it stays in the temporary folder
	}
}

// sorted yields where the keys lie that were not deleted, in the order of the keys.
func (s *sorter) sorted() iter.Seq2[place, error] {
	return func(yield func(place, error) bool) {
		s.sort()
		if len(s.runs) > 0 {
			s.merge(yield)
			return
		}
		for _, p := range s.places {
			if !p.tombstone && !yield(p, nil) {
				return
			}
		}
	}
}

// merge yields from all runs and what is in memory.
func (s *sorter) merge(yield func(place, error) bool) {
	if err := s.spill(); err != nil {
		yield(place{}, err)
		return
	}
	s.arena, s.places = nil, nil
	var h runHeap
	for i, off := range s.runs {
		end := s.end
		if i+1 < len(s.runs) {
			end = s.runs[i+1]
		}
		r := &run{order: i, r: bufio.NewReaderSize(io.NewSectionReader(s.file, off, end-off), 256<<10)}
		if err := r.next(); err != nil {
			yield(place{}, err)
			return
		}
		h = append(h, r)
	}
	heap.Init(&h)
	for len(h) > 0 {
		// Of equal keys the later run is on top: it counts, and the others are passed over.
		top := h[0]
		p, key := top.place, bytes.Clone(top.key)
		if !p.tombstone && !yield(p, nil) {
			return
		}
		for len(h) > 0 && bytes.Equal(h[0].key, key) {
			if err := h.advance(); err != nil {
				yield(place{}, err)
				return
			}
		}
	}
}

// run is a part of the temporary file whose keys are sorted.
type run struct {
	order int // later ones have later revisions
	r     *bufio.Reader
	key   []byte
	place place
}

// next reads the next key. The error is io.EOF at the end of the run.
func (r *run) next() error {
	size, err := binary.ReadUvarint(r.r)
	if err != nil {
		return err
	}
	r.key = slices.Grow(r.key[:0], int(size))[:size]
	if _, err := io.ReadFull(r.r, r.key); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	page, pageErr := binary.ReadUvarint(r.r)
	element, elementErr := binary.ReadUvarint(r.r)
	if err := errors.Join(pageErr, elementErr); err != nil {
		return fmt.Errorf("temporary file: %w", err)
	}
	r.place = place{page: page, element: int(element >> 1), tombstone: element&1 != 0}
	return nil
}

// runHeap has the run of the least key on top, and of those the latest.
type runHeap []*run

func (h runHeap) Len() int { return len(h) }

func (h runHeap) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].key, h[j].key), cmp.Compare(h[j].order, h[i].order)) < 0
}

func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface]; runs are never added to a heap.
func (h *runHeap) Push(x any) { *h = append(*h, x.(*run)) }

// Pop implements [heap.Interface].
func (h *runHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// advance goes on in the run on top, and drops it at its end.
func (h *runHeap) advance() error {
	switch err := (*h)[0].next(); {
	case errors.Is(err, io.EOF):
		heap.Pop(h)
	case err != nil:
		return err
	default:
		heap.Fix(h, 0)
	}
	return nil
}
