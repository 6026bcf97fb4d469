package correct

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"

	"github.com/raftctl/raftctl/wal"
)

// patch is a candidate: bytes to put in place of others.
type patch struct {
	off    int64
	bytes  []byte
	why    string // what proves it
	follow bool   // the log goes on behind it
}

// found is what fits at a level.
type found struct {
	what    string // that was tried, in the plural
	tried   int64
	single  bool // they were single bits
	patches []patch
	skipped int    // that fit as well, and were not looked at any closer
	doubt   string // why none of them is proven, whatever fits
}

// How likely a match by chance may be at a level that decides. Single bits get more than others: they
// are what happens most.
const (
	maxChanceOfBits = 1e-2
	maxChance       = 1e-4
)

// chance returns how likely it is that one of those tried fits by chance.
func (x *found) chance() float64 { return float64(x.tried) / (1 << 32) }

// likely reports whether one of those tried is likely to fit by chance.
func (x *found) likely() bool {
	if x.single {
		return x.chance() > maxChanceOfBits
	}
	return x.chance() > maxChance
}

// maxProven is how many candidates of a level are proven one by one: two are too many already.
const maxProven = 8

// open reports whether one more candidate can make a difference.
func (x *found) open() bool {
	if len(x.patches) >= maxProven || x.likely() {
		x.skipped++
		return false
	}
	return true
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
	known := slices.ContainsFunc(x.patches, func(q patch) bool {
		return p.off == q.off && bytes.Equal(p.bytes, q.bytes)
	})
	if !known && lo < hi {
		x.patches = append(x.patches, p)
	}
}

// decide takes the one candidate of a level, if there is only one.
func (s *search) decide(x found) (*Correction, error) {
	if len(x.patches) > 1 {
		x.patches = preferFollowed(x.patches)
	}
	n := len(x.patches) + x.skipped
	if x.doubt != "" {
		return nil, s.unprovable(n, "%d of %d %s fit, but %s", n, x.tried, x.what, x.doubt)
	}
	if n != 1 {
		return nil, s.unprovable(n, "%d of %d %s fit", n, x.tried, x.what)
	}
	if chance := x.chance(); x.likely() {
		return nil, s.unprovable(1, "1 of %d %s fits, but among so many one would by chance in 1 of %.0f cases",
			x.tried, x.what, max(1, 1/chance))
	}
	return s.correction(x)
}

// preferFollowed returns those candidates behind which the log goes on, or all if there are none.
func preferFollowed(all []patch) []patch {
	out := slices.DeleteFunc(slices.Clone(all), func(p patch) bool { return !p.follow })
	if len(out) == 0 {
		return all
	}
	return out
}

// correction returns the correction of the one candidate.
func (s *search) correction(x found) (*Correction, error) {
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
	const negligible = 1e-6
	if chance := x.chance(); chance > negligible {
		c.How += fmt.Sprintf("; one would by chance in 1 of %.0f cases", 1/chance)
	}
	return c, nil
}
