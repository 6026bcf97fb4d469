package edit

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/raftctl/raftctl/wal"
)

// reused yields n records as a log does: each lies in the buffer of the one before.
func reused(n, size int, end error, ended *bool) iter.Seq2[*wal.Record, error] {
	return func(yield func(*wal.Record, error) bool) {
		defer func() { *ended = true }()
		rec := wal.Record{Kind: wal.KindEntry, Data: make([]byte, size)}
		for i := range n {
			rec.ID.Index = uint64(i)
			for k := range rec.Data {
				rec.Data[k] = byte(i)
			}
			if !yield(&rec, nil) {
				return
			}
		}
		if end != nil {
			yield(nil, end)
		}
	}
}

func TestPrefetch(t *testing.T) {
	for _, tt := range []struct {
		n, size int
		end     error
	}{
		{0, 0, nil}, {0, 0, io.ErrNoProgress}, {1, 0, nil}, {20000, 0, nil}, {5, 3 << 20, nil}, {3000, 10000, nil}, {3000, 10000, io.ErrNoProgress},
	} {
		ended, n := false, 0
		for rec, err := range prefetch(reused(tt.n, tt.size, tt.end, &ended)) {
			if err != nil {
				if !errors.Is(err, tt.end) || n != tt.n {
					t.Errorf("%+v: %v after %d records", tt, err, n)
				}
				n = -1
				break
			}
			if rec.ID.Index != uint64(n) || !bytes.Equal(rec.Data, bytes.Repeat([]byte{byte(n)}, tt.size)) {
				t.Fatalf("%+v: record %d is another one, %d", tt, n, rec.ID.Index)
			}
			n++
		}
		if want := tt.n; tt.end == nil && n != want || tt.end != nil && n != -1 || !ended {
			t.Errorf("%+v: %d records, reading ended: %v", tt, n, ended)
		}
	}
}

// Whoever leaves early leaves no reader behind.
func TestPrefetchLeft(t *testing.T) {
	for _, at := range []int{0, 1, 150, 2999} {
		ended, n := false, 0
		for _, err := range prefetch(reused(3000, 10000, nil, &ended)) {
			if err != nil || n == at {
				break
			}
			n++
		}
		if !ended {
			t.Errorf("left at record %d, and the reading goes on", at)
		}
	}
}
