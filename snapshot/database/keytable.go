package database

import (
	"hash/maphash"
	"math/bits"
)

// keyState is what is known of a key at the last of its revisions that was seen.
type keyState struct {
	create, mod int64
	version     int64
	lease       int64
	ordinal     int64 // of that revision in the bucket
	tombstone   bool
	marker      bool // see [Change.isMarker]
}

// keyTable holds a state for each of many keys, in bounded memory. It knows keys by 128 bits of a hash
// that is seeded anew each time, so that nobody can make two keys that it takes for one.
//
// When there are more keys than it may hold, it gives up half of them, by a bit of their hash, and
// says so: another pass over the data then follows the others. See [keyTable.part].
type keyTable struct {
	seeds  [2]maphash.Seed
	shards [tableShards]tableShard
	n      int
	limit  int

	part, parts uint64 // only keys whose hash is part, modulo parts, are held; parts is a power of 2
	grewAt      []int64
}

type tableShard struct {
	slots []tableSlot
	n     int
}

type tableSlot struct {
	h1, h2 uint64 // both 0: free
	state  keyState
}

const (
	tableShards = 256
	tableLimit  = 3 << 20 // keys: some 250 MiB
)

func newKeyTable() *keyTable {
	return &keyTable{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, limit: tableLimit, parts: 1}
}

// get returns the state of a key, which is zero if the key wasn't seen, and nil if it belongs to
// another part. It is valid until the next call.
func (t *keyTable) get(key []byte, ordinal int64) (s *keyState, known bool) {
	h1, h2 := maphash.Bytes(t.seeds[0], key), maphash.Bytes(t.seeds[1], key)|1<<63
	if h2&(t.parts-1) != t.part {
		return nil, false
	}
	sh := &t.shards[h1>>56]
	if s := sh.find(h1, h2); s != nil && s.h2 != 0 {
		return &s.state, true
	}
	if t.n >= t.limit && t.part == 0 {
		t.split(ordinal)
		if h2&(t.parts-1) != t.part {
			return nil, false
		}
	}
	t.n++
	return &sh.insert(h1, h2).state, false
}

// split gives up the keys whose next bit is set.
func (t *keyTable) split(ordinal int64) {
	t.parts *= 2
	t.grewAt = append(t.grewAt, ordinal)
	t.n = 0
	for i := range t.shards {
		old := t.shards[i].slots
		t.shards[i] = tableShard{}
		for _, s := range old {
			if s.h2 != 0 && s.h2&(t.parts-1) == t.part {
				t.shards[i].insert(s.h1, s.h2).state = s.state
				t.n++
			}
		}
	}
}

// next empties the table for another part, and reports whether there is one. The part is to be followed
// from the beginning; up to the revision of ordinal from, an earlier pass has seen its keys too.
func (t *keyTable) next() (from int64, ok bool) {
	if t.part+1 == t.parts {
		return 0, false
	}
	t.part++
	t.n, t.shards = 0, [tableShards]tableShard{}
	return t.grewAt[bits.TrailingZeros64(t.part)], true
}

// each calls visit for every key that is held.
func (t *keyTable) each(visit func(*keyState)) {
	for i := range t.shards {
		for j := range t.shards[i].slots {
			if s := &t.shards[i].slots[j]; s.h2 != 0 {
				visit(&s.state)
			}
		}
	}
}

// find returns the slot of a key, or the free one where it would be; nil if there is no slot.
func (s *tableShard) find(h1, h2 uint64) *tableSlot {
	if len(s.slots) == 0 {
		return nil
	}
	for i := h1; ; i++ {
		slot := &s.slots[i&uint64(len(s.slots)-1)]
		if slot.h2 == 0 || slot.h1 == h1 && slot.h2 == h2 {
			return slot
		}
	}
}

// insert returns a slot for a key that is not there.
func (s *tableShard) insert(h1, h2 uint64) *tableSlot {
	if s.n*4 >= len(s.slots)*3 {
		old := s.slots
		s.slots = make([]tableSlot, max(8, 2*len(old)))
		for _, o := range old {
			if o.h2 != 0 {
				*s.find(o.h1, o.h2) = o
			}
		}
	}
	s.n++
	slot := s.find(h1, h2)
	*slot = tableSlot{h1: h1, h2: h2}
	return slot
}

// bitset is a set of ordinals.
type bitset []uint64

func (b *bitset) set(n int64) {
	for int64(len(*b)) <= n/64 {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bitset) clear(n int64) { b[n/64] &^= 1 << (n % 64) }

func (b bitset) has(n int64) bool { return n/64 < int64(len(b)) && b[n/64]&(1<<(n%64)) != 0 }
