package correct_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/correct"
	"github.com/raftctl/raftctl/wal"
)

// countingFS counts the bytes that are read from its files.
type countingFS struct {
	fs.FS
	read *atomic.Int64
}

func (c countingFS) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if r, ok := f.(readerAt); ok {
		return countingFile{r, c.read}, err
	}
	return f, err
}

type readerAt interface {
	fs.File
	ReadAt(b []byte, off int64) (int, error)
}

type countingFile struct {
	readerAt
	read *atomic.Int64
}

func (c countingFile) ReadAt(b []byte, off int64) (int, error) {
	c.read.Add(int64(len(b)))
	return c.readerAt.ReadAt(b, off)
}

// TestHostile damages large logs so that there is much to try, and counts what is read: it must not grow
// faster than the segment.
func TestHostile(t *testing.T) {
	tests := map[string]func(b []byte, rng *rand.Rand){
		"a frame in each word": func(b []byte, _ *rand.Rand) {
			r := wal.Record{Kind: wal.KindEntry, CRC: 0x12345678, Data: []byte{8, 0, 16, 1}}
			frame := r.AppendFrame(nil)
			for i := 512; i+len(frame) < len(b); i += len(frame) {
				copy(b[i:], frame)
			}
		},
		"headers of half the rest": func(b []byte, _ *rand.Rand) {
			for i := 512; i+32 < len(b); i += 32 {
				f := wal.Frame{Kind: wal.KindEntry, CRC: 0x87654321, HasData: true}
				f.Fit(int64(len(b)-i)/2, false)
				copy(b[i:], f.AppendHead(nil))
			}
		},
		"noise": func(b []byte, rng *rand.Rand) {
			for i := 512; i < len(b); i++ {
				b[i] = byte(rng.Uint32())
			}
		},
		"no head": func(b []byte, _ *rand.Rand) { clear(b[:len(b)/2]) },
	}
	for name, corrupt := range tests {
		t.Run(name, func(t *testing.T) {
			b := build(raftpb.FlavorGogo, false, 1)
			b.entry(raftpb.EntryNormal, 2, bytes.Repeat([]byte("v"), 1<<20))
			b.entry(raftpb.EntryNormal, 2, bytes.Repeat([]byte("w"), 1<<20))
			f := b.files(0, 1024)
			size := int64(len(f[f.names()[0]]))
			corrupt(f[f.names()[0]], rand.New(rand.NewPCG(1, 3)))
			var read atomic.Int64
			log, err := wal.Open(countingFS{f.fs(), &read}, "wal")
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			r, err := log.Verify(t.Context(), wal.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Findings {
				read.Store(0)
				c, err := correct.Find(t.Context(), log, &r.Findings[i])
				if _, ok := errors.AsType[*correct.UnprovableError](err); err != nil && !ok || c != nil {
					t.Errorf("%v: %+v, %v", &r.Findings[i], c, err)
				}
				const times = 24
				if n := read.Load(); n > times*size {
					t.Errorf("%v: %d bytes read of a segment of %d", &r.Findings[i], n, size)
				}
			}
		})
	}
}
