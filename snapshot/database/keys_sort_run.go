package database

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// write sorts a batch and writes it as a run, and returns its size.
func (b *batch) write(to io.Writer) (n int64, err error) {
	b.sort()
	w := bufio.NewWriterSize(to, 1<<20)
	var buf []byte
	for i := range b.places {
		p := &b.places[i]
		buf = binary.AppendUvarint(buf[:0], uint64(p.key))
		buf = append(buf, b.keyOf(p)...)
		buf = binary.AppendUvarint(buf, uint64(p.size))
		buf = append(buf, b.recordOf(p)...)
		buf = binary.AppendUvarint(buf, p.page)
		element := uint64(p.element) << 1
		if p.tombstone {
			element |= 1
		}
		buf = binary.AppendUvarint(buf, element)
		if _, err := w.Write(buf); err != nil {
			return n, err
		}
		n += int64(len(buf))
	}
	return n, w.Flush()
}

// run is a part of the temporary file whose keys are sorted.
type run struct {
	order       int // later ones have later revisions
	r           *bufio.Reader
	key, record []byte
	place       place
}

func newRun(order int, r io.Reader) *run {
	return &run{order: order, r: bufio.NewReaderSize(r, 256<<10)}
}

// next reads the next key. The error is io.EOF at the end of the run.
func (r *run) next() (err error) {
	if r.key, err = r.bytes(r.key); err != nil {
		return err
	}
	var recordErr error
	r.record, recordErr = r.bytes(r.record)
	page, pageErr := binary.ReadUvarint(r.r)
	element, elementErr := binary.ReadUvarint(r.r)
	if err := errors.Join(recordErr, pageErr, elementErr); err != nil {
		return errors.New("temporary file: " + err.Error()) // which is not the end of a run, even if it says EOF
	}
	r.place = place{size: len(r.record), page: page, element: int(element >> 1), tombstone: element&1 != 0}
	return nil
}

// bytes reads a size and so many bytes, into b if that is large enough.
func (r *run) bytes(b []byte) ([]byte, error) {
	size, err := binary.ReadUvarint(r.r)
	if err != nil {
		return nil, err
	}
	b = slices.Grow(b[:0], int(size))[:size]
	_, err = io.ReadFull(r.r, b)
	return b, err
}

// runHeap has the run of the least key on top, and of those the latest.
type runHeap []*run

func (h *runHeap) init() { heap.Init(h) }

// Len implements [heap.Interface].
func (h runHeap) Len() int { return len(h) }

// Less implements [heap.Interface].
func (h runHeap) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].key, h[j].key), cmp.Compare(h[j].order, h[i].order)) < 0
}

// Swap implements [heap.Interface].
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
