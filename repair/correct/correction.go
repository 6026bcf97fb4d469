package correct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/wal"
)

// Correction is bytes of a segment that are proven to be wrong, and what they were.
type Correction struct {
	Pos      wal.Position // of the first byte that changes
	Old, New []byte       // of the same length
	Class    wal.Class    // of the damage that it mends
	Bits     int          // how many bits change
	How      string       // one line: what was tried, and what proves the one that fits

	Candidates int64 // how many fit: 1
	Tried      int64 // how many were tried at the level at which it was found
}

// Find returns what the bytes at a finding of Verify were, if exactly one candidate proves. The error is
// an *UnprovableError that says why not, ctx's, or that of a read. Of several damages, those that come
// first should be corrected first: what is proven depends on what lies before.
func Find(ctx context.Context, log *wal.Log, f *wal.Finding) (*Correction, error) {
	site, err := log.Site(ctx, f)
	if err != nil {
		return nil, err
	}
	if site == nil {
		return nil, &UnprovableError{*f, 0, "it is about what records say, and no byte of them is known to be wrong"}
	}
	name := path.Join(log.Dir(), f.Pos.Segment)
	file, _, err := vfs.OpenRegular(log.FS(), name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // opened for reading: nothing can be lost
	src, ok := file.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%s: the file system can't read at an offset", name)
	}
	s := &search{ctx: ctx, log: log, finding: f, site: site, src: src, sums: map[span]uint32{}}
	return s.find()
}

// search looks for what the bytes at one finding were.
type search struct {
	ctx     context.Context
	log     *wal.Log
	finding *wal.Finding
	site    *wal.Site
	src     io.ReaderAt
	err     error // of a read, or ctx's: it finds nothing more

	sums map[span]uint32 // of bytes, from 0 on: see sum

	padded   *bool           // a frame before the damage has padding; nil: not looked for yet
	looked   bool            // metadata is set, if there is any
	metadata []byte          // that other segments hold
	members  map[uint64]bool // that the log names; nil if they were not looked for yet
}

// span is n bytes of the segment.
type span struct{ off, n int64 }

// find tries the levels in their order. The first at which anything fits decides.
func (s *search) find() (*Correction, error) {
	tried := int64(0)
	for _, level := range []func(x *found){
		s.asRead, s.singleBits, s.fields, s.forced, s.bytes, s.contents, s.twoBits, s.words, s.fieldsAndBit,
		s.fieldsAndByte,
	} {
		var x found
		if level(&x); s.err != nil {
			return nil, s.err
		}
		if len(x.patches)+x.skipped > 0 {
			return s.decide(x)
		}
		tried += x.tried
	}
	return nil, s.unprovable(0, "none of %d candidates fits", tried)
}

func (s *search) unprovable(fit int, format string, args ...any) error {
	return &UnprovableError{*s.finding, fit, fmt.Sprintf(format, args...)}
}

// read returns n bytes at off, or fewer at the segment's end.
func (s *search) read(off, n int64) []byte {
	n = min(n, s.site.Size-off)
	if s.err != nil || n <= 0 {
		return nil
	}
	b := make([]byte, n)
	m, err := s.src.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
		return nil
	}
	return b[:m]
}
