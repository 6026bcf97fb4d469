package bolt

import (
	"iter"
	"maps"
	"math/bits"
	"slices"
)

// pageSet is a set of pages. It grows with the pages that are in it, not with their numbers, which a
// damaged page may make up.
type pageSet struct {
	chunks map[uint64]*[chunkPages / 64]uint64
}

const chunkPages = 1 << 15

func newPageSet() *pageSet { return &pageSet{map[uint64]*[chunkPages / 64]uint64{}} }

// add adds a page, and reports whether it wasn't there before.
func (s *pageSet) add(id uint64) bool {
	c := s.chunks[id/chunkPages]
	if c == nil {
		c = new([chunkPages / 64]uint64)
		s.chunks[id/chunkPages] = c
	}
	word, bit := &c[id%chunkPages/64], uint64(1)<<(id%64)
	was := *word&bit != 0
	*word |= bit
	return !was
}

// has reports whether a page is in the set.
func (s *pageSet) has(id uint64) bool {
	c := s.chunks[id/chunkPages]
	return c != nil && c[id%chunkPages/64]&(1<<(id%64)) != 0
}

// from yields the pages from one on, ascending.
func (s *pageSet) from(id uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, n := range slices.Sorted(maps.Keys(s.chunks)) {
			if n < id/chunkPages {
				continue
			}
			for i, word := range s.chunks[n] {
				for ; word != 0; word &= word - 1 {
					page := n*chunkPages + uint64(i*64+bits.TrailingZeros64(word))
					if page >= id && !yield(page) {
						return
					}
				}
			}
		}
	}
}
