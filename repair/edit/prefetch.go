package edit

import (
	"iter"

	"github.com/raftctl/raftctl/wal"
)

// The bounds of a batch. Its last record may exceed batchBytes.
const (
	batchBytes   = 1 << 20 // of the records' data
	batchRecords = 1 << 12
	batchCount   = 8 // batches that are filled, waiting and yielded
)

// batch is records with data of their own.
type batch struct {
	records []wal.Record
	data    []byte
	err     error // that ended the reading
}

func (b *batch) add(rec *wal.Record) {
	n := len(b.data)
	b.data = append(b.data, rec.Data...)
	r := *rec
	r.Data = b.data[n:len(b.data):len(b.data)] // stays where it is if data grows elsewhere
	b.records = append(b.records, r)
}

func (b *batch) full() bool { return len(b.data) >= batchBytes || len(b.records) >= batchRecords }

func (b *batch) clear() {
	if cap(b.data) > 2*batchBytes { // of a large record, which others won't need
		b.data = nil
	}
	b.records, b.data = b.records[:0], b.data[:0]
}

// prefetch yields records that another goroutine reads meanwhile. When it returns, nothing is read any more.
func prefetch(records iter.Seq2[*wal.Record, error]) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		full, empty := make(chan *batch, batchCount), make(chan *batch, batchCount)
		for range batchCount {
			empty <- new(batch)
		}
		go fetch(records, full, empty)
		defer func() {
			close(empty) // ends the reading, if it goes on
			for range full {
			}
		}()
		for b := range full {
			for i := range b.records {
				if !yield(&b.records[i], nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			b.clear()
			empty <- b
		}
	}
}

// fetch fills batches until there are no more records, or no more batches.
func fetch(records iter.Seq2[*wal.Record, error], full chan<- *batch, empty <-chan *batch) {
	defer close(full)
	b, ok := <-empty
	for rec, err := range records {
		if !ok {
			return
		}
		if err != nil {
			b.err = err
			break
		}
		if b.add(rec); b.full() {
			full <- b
			b, ok = <-empty
		}
	}
	if ok {
		full <- b
	}
}
