package correct

import (
	"fmt"

	"github.com/raftctl/raftctl/wal"
)

// twoBits looks for two flipped bits of the data, wherever they are. In a record of a kilobyte or more
// there are so many pairs that one fits by chance.
func (s *search) twoBits(x *found) {
	x.what = "pairs of bits"
	f, ok := s.frame()
	if !ok {
		return
	}
	n := f.DataLen * 8
	const most = 1 << 14 // bits: more pairs than that are too many
	if n > most || float64(n*n/2)/(1<<32) > maxChance {
		return
	}
	x.tried += n * (n - 1) / 2
	diff := s.sum(span{f.DataOff, f.DataLen}) ^ f.CRC
	if s.err != nil || diff == 0 {
		return
	}
	// What the bit of each place makes of the checksum, from the last one on.
	type place struct {
		off int64
		bit int
	}
	made := map[uint32]place{}
	for bit := range 8 {
		e := uint32(1) << bit
		for off := f.DataOff + f.DataLen - 1; off >= f.DataOff; off-- {
			e = forth(e)
			made[e] = place{off, bit}
		}
	}
	for e, a := range made {
		b, ok := made[diff^e]
		if !ok || a.off > b.off || a.off == b.off && a.bit >= b.bit {
			continue
		}
		s.twoBitError(x, &f, [2]int64{a.off, b.off}, [2]byte{1 << a.bit, 1 << b.bit})
	}
	s.fitIdentity(x)
}

// twoBitError adds the candidate that two bytes of the data are wrong.
func (s *search) twoBitError(x *found, f *wal.Frame, offs [2]int64, masks [2]byte) {
	if !x.open() {
		return
	}
	b := s.read(offs[0], offs[1]-offs[0]+1)
	if len(b) == 0 {
		return
	}
	b[0] ^= masks[0]
	b[len(b)-1] ^= masks[1]
	p := patch{off: offs[0], bytes: b}
	pr := s.prove(p)
	if pr.records == 0 || !s.plausible(&pr) {
		return
	}
	p.why = fmt.Sprintf("a bit each of the bytes at offsets %d and %d: the data then gives its crc %s", offs[0],
		offs[1], hex(f.CRC))
	p.follow = pr.follows()
	s.add(x, p)
}
