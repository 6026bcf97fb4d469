package bolt_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/raftctl/raftctl/snapshot/bolt"
)

// meter is a reader that counts what is read of it.
type meter struct {
	io.ReaderAt
	n int64
}

func (m *meter) ReadAt(b []byte, off int64) (int, error) {
	m.n += int64(len(b))
	return m.ReaderAt.ReadAt(b, off)
}

// Whatever the file holds, a bucket's keys ascend, and it is read in bounded time: each page once, and
// as much again of such as don't belong where they were met, each by itself and with those beside it.
func FuzzRead(f *testing.F) {
	raw := small(f)
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) >= 2*smallPage { // a wrong checksum would end it all
			raw = bytes.Clone(raw)
			remeta(raw, 0, func([]byte) {})
			remeta(raw, 1, func([]byte) {})
		}
		m := &meter{ReaderAt: bytes.NewReader(raw)}
		db, err := bolt.Open(m, int64(len(raw)))
		if err != nil {
			return
		}
		buckets := []*bolt.Bucket{db.RootBucket()}
		for b, err := range db.Buckets() {
			if err == nil && len(buckets) < 20 {
				buckets = append(buckets, b)
			}
		}
		for _, b := range buckets {
			m.n = 0
			ascends(t, b)
			if limit := 8*int64(len(raw)) + 1<<16; m.n > limit {
				t.Errorf("bucket %q: %d bytes read of a file of %d", b.Name, m.n, len(raw))
			}
		}
	})
}

func ascends(t *testing.T, b *bolt.Bucket) {
	t.Helper()
	var last []byte
	n := 0
	for it, err := range b.All(nil) {
		if err != nil {
			checkErrors(t, []error{err}, 1<<62)
			continue
		}
		if n > 0 && bytes.Compare(last, it.Key) >= 0 {
			t.Fatalf("bucket %q: key %q behind %q", b.Name, it.Key, last)
		}
		last = append(last[:0], it.Key...)
		n++
	}
}
