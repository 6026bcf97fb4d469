package correct

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"path"
	"slices"

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
	c, err := s.find()
	if s.err != nil {
		return nil, s.err
	}
	return c, err
}

// search looks for what the bytes at one finding were.
type search struct {
	ctx     context.Context
	log     *wal.Log
	finding *wal.Finding
	site    *wal.Site
	src     io.ReaderAt
	err     error // of a read, or ctx's: it finds nothing more

	sums map[span]uint32 // of data behind the chain before the damage
}

// span is n bytes of the segment.
type span struct{ off, n int64 }

// level is a group of candidates of the same cost.
type level struct {
	name  string
	try   func(*search) []patch
	tried func(*search) int64
}

// patch is a candidate: bytes to put in place of others.
type patch struct {
	off    int64
	bytes  []byte
	why    string // what proves it, apart from what follows
	follow bool   // what follows proves that it goes on there
}

// find tries the levels in their order.
func (s *search) find() (*Correction, error) {
	for _, find := range []func() (found, bool){s.asRead, s.singleBit, s.fields} {
		x, ok := find()
		if s.err != nil {
			return nil, s.err
		}
		if ok {
			return s.decide(x)
		}
	}
	return nil, s.unprovable(0, "nothing that was tried fits")
}

func (s *search) unprovable(fit int, format string, args ...any) error {
	return &UnprovableError{*s.finding, fit, fmt.Sprintf(format, args...)}
}

// found is what fits at a level.
type found struct {
	what    string // that was tried, in the plural
	tried   int64
	patches []patch
}

// add adds a candidate, without the bytes at its ends that it leaves as they are, unless it is there
// already or changes nothing.
func (s *search) add(x *found, p patch) {
	old := s.read(p.off, int64(len(p.bytes)))
	if len(old) < len(p.bytes) {
		return
	}
	lo, hi := 0, len(old)
	for lo < hi && old[lo] == p.bytes[lo] {
		lo++
	}
	for hi > lo && old[hi-1] == p.bytes[hi-1] {
		hi--
	}
	p.off, p.bytes = p.off+int64(lo), p.bytes[lo:hi]
	known := slices.ContainsFunc(x.patches, func(q patch) bool { return p.off == q.off && bytes.Equal(p.bytes, q.bytes) })
	if !known && lo < hi {
		x.patches = append(x.patches, p)
	}
}

// maxChance is how likely a match by chance may be at a level that decides.
const maxChance = 0.01

// decide takes the one candidate of a level, if there is only one.
func (s *search) decide(x found) (*Correction, error) {
	if len(x.patches) > 1 {
		x.patches = preferFollowed(x.patches)
	}
	if n := len(x.patches); n != 1 {
		return nil, s.unprovable(n, "%d of %d %s fit", n, x.tried, x.what)
	}
	chance := float64(x.tried) / (1 << 32)
	if chance > maxChance {
		return nil, s.unprovable(1, "one of %d %s fits, but so many would in 1 of %.0f cases by chance", x.tried,
			x.what, max(1, 1/chance))
	}
	return s.correction(x, chance)
}

// preferFollowed returns those candidates behind which the log goes on, or all if there are none.
func preferFollowed(all []patch) []patch {
	var out []patch
	for _, p := range all {
		if p.follow {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// correction returns the correction of the one candidate.
func (s *search) correction(x found, chance float64) (*Correction, error) {
	p := x.patches[0]
	old := s.read(p.off, int64(len(p.bytes)))
	if len(old) < len(p.bytes) {
		return nil, s.err
	}
	c := &Correction{
		Pos:   wal.Position{Segment: s.finding.Pos.Segment, Off: p.off},
		Old:   old,
		New:   p.bytes,
		Class: s.finding.Class, Candidates: 1, Tried: x.tried,
	}
	for i := range c.Old {
		c.Bits += bits.OnesCount8(c.Old[i] ^ c.New[i])
	}
	c.How = fmt.Sprintf("1 of %d %s fits: %s", x.tried, x.what, p.why)
	if chance > 1e-6 {
		c.How += fmt.Sprintf("; by chance one would in 1 of %.0f cases", 1/chance)
	}
	return c, nil
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
