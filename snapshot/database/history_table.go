package database

import (
	"math/bits"
	"unsafe"
)

// keyTable holds a state for each of many keys, in bounded memory.
//
// When there are more keys than it may hold, it gives up half of them, by a bit of their hash; another
// pass over the data then follows the others: see [keyTable.next].
type keyTable[S any] struct {
	shards [tableShards]tableShard[S]
	n      int
	limit  int

	touched uint64 // by touch, so that it isn't left out

	part, parts uint64 // only keys whose hash is part, modulo parts, are held; parts is a power of 2
	grewAt      []int64
}

type tableShard[S any] struct {
	slots []tableSlot[S]
	n     int
}

type tableSlot[S any] struct {
	key   keyHash // zero in a free one, and never else
	state S
}

func (s *tableSlot[S]) used() bool { return s.key != keyHash{} }

const (
	tableShards = 256
	tableBytes  = 288 << 20
)

func newKeyTable[S any]() *keyTable[S] {
	var slot tableSlot[S]
	const fill = 9.0 / 16 // of the slots are used, between the moments when a shard has just grown and when it will
	return &keyTable[S]{limit: int(tableBytes * fill / float64(unsafe.Sizeof(slot))), parts: 1}
}

// get returns the state of a key, which is zero if the key wasn't known, and nil if it belongs to
// another part. It is valid until the next call. The change of an ordinal is what it is asked for.
func (t *keyTable[S]) get(key keyHash, ordinal int64) (s *S, known bool) {
	if key[1]&(t.parts-1) != t.part {
		return nil, false
	}
	sh := &t.shards[key[0]>>56]
	if slot := sh.find(key); slot != nil && slot.used() {
		return &slot.state, true
	}
	if t.n >= t.limit && t.part == 0 {
		t.split(ordinal)
		if key[1]&(t.parts-1) != t.part {
			return nil, false
		}
	}
	t.n++
	return sh.insert(key), false
}

// touch brings the slots of some keys nearer, all at once, which takes little more time than to wait for
// one of them.
func (t *keyTable[S]) touch(batch []digest) {
	sum := uint64(0)
	for i := range batch {
		key := &batch[i].key
		if slots := t.shards[key[0]>>56].slots; len(slots) > 0 {
			sum += slots[key[0]&uint64(len(slots)-1)].key[0]
		}
	}
	t.touched = sum
}

// split gives up the keys whose next bit is set.
func (t *keyTable[S]) split(ordinal int64) {
	t.parts *= 2
	t.grewAt = append(t.grewAt, ordinal)
	t.n = 0
	for i := range t.shards {
		old := t.shards[i].slots
		t.shards[i] = tableShard[S]{}
		for _, s := range old {
			if s.used() && s.key[1]&(t.parts-1) == t.part {
				*t.shards[i].insert(s.key) = s.state
				t.n++
			}
		}
	}
}

// next empties the table for another part, and reports whether there is one. The part is to be followed
// from the beginning; up to the change of ordinal seen, an earlier pass has followed its keys too.
func (t *keyTable[S]) next() (seen int64, ok bool) {
	if t.part+1 == t.parts {
		return 0, false
	}
	t.part++
	t.n, t.shards = 0, [tableShards]tableShard[S]{}
	return t.grewAt[bits.TrailingZeros64(t.part)], true
}

// each calls visit for every key that is held.
func (t *keyTable[S]) each(visit func(*S)) {
	for i := range t.shards {
		for j := range t.shards[i].slots {
			if s := &t.shards[i].slots[j]; s.used() {
				visit(&s.state)
			}
		}
	}
}

// find returns the slot of a key, or the free one where it would be; nil if there is no slot.
func (s *tableShard[S]) find(key keyHash) *tableSlot[S] {
	if len(s.slots) == 0 {
		return nil
	}
	for i := key[0]; ; i++ {
		slot := &s.slots[i&uint64(len(s.slots)-1)]
		if !slot.used() || slot.key == key {
			return slot
		}
	}
}

// insert adds a key that is not there, and returns its state.
func (s *tableShard[S]) insert(key keyHash) *S {
	if s.n*4 >= len(s.slots)*3 {
		old := s.slots
		s.slots = make([]tableSlot[S], max(8, 2*len(old)))
		for i := range old {
			if old[i].used() {
				*s.find(old[i].key) = old[i]
			}
		}
	}
	s.n++
	slot := s.find(key)
	slot.key = key
	return &slot.state
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

func (b bitset) empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}
