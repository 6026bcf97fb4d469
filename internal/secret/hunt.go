package secret

import "encoding/binary"

// trigger is what a secret, or the name of one, has in it, so that the rest needn't be looked at
// closely. In a pattern lower-case letters stand for both cases, a hyphen for an underscore too, and a
// question mark for any byte.
type trigger struct {
	pattern string
	pair    int // where in the pattern the two bytes are that are rare elsewhere
	rule    rule
	tokens  []token
}

// hunter finds triggers by their pairs: most places in a text cost a look into a table of pairs.
type hunter struct {
	lists [1 << 16]uint8 // by pair, the first byte the low one: the list's number, 0 if there is none
	list  [][]*trigger
	third [64][256]bool // by list: what may follow a pair
}

func newHunter(triggers []trigger) *hunter {
	h := &hunter{list: [][]*trigger{nil}}
	byPair := make(map[string]uint8)
	for i := range triggers {
		t := &triggers[i]
		pair := t.pattern[t.pair:min(len(t.pattern), t.pair+2)]
		n, ok := byPair[pair]
		if !ok {
			n = uint8(len(h.list))
			byPair[pair] = n
			h.list = append(h.list, nil)
			h.add(pair, n)
		}
		h.list[n] = append(h.list[n], t)
		for c := range 256 {
			h.third[n][c] = h.third[n][c] || t.pair+2 >= len(t.pattern) || fits(t.pattern[t.pair+2], byte(c))
		}
	}
	return h
}

// add enters all forms of a pair. A pattern of one byte is a pair with any other.
func (h *hunter) add(pair string, n uint8) {
	for first := range 256 {
		for second := range 256 {
			if !fits(pair[0], byte(first)) || len(pair) > 1 && !fits(pair[1], byte(second)) {
				continue
			}
			at := &h.lists[first|second<<8]
			if *at != 0 && *at != n {
				panic("two pairs that are the same to some: " + pair) // our own table
			}
			*at = n
		}
	}
}

// fits reports whether a byte is what a pattern has.
func fits(pattern, c byte) bool {
	switch {
	case pattern == '?' || c == pattern || pattern == '-' && c == '_':
		return true
	case pattern >= 'a' && pattern <= 'z':
		return c == pattern-'a'+'A'
	}
	return false
}

// next returns the first offset from off on at which a pair of a trigger begins that may go on like it,
// and which triggers those are; nil at the end.
func (h *hunter) next(text []byte, off int) (int, []*trigger) {
	const step = 7 // pairs in eight bytes
	for len(text)-off > step {
		w := binary.LittleEndian.Uint64(text[off:])
		if h.lists[uint16(w)]|h.lists[uint16(w>>8)]|h.lists[uint16(w>>16)]|h.lists[uint16(w>>24)]|
			h.lists[uint16(w>>32)]|h.lists[uint16(w>>40)]|h.lists[uint16(w>>48)] != 0 {
			if i, list := h.first(text, off, off+step); list != nil {
				return i, list
			}
		}
		off += step
	}
	return h.first(text, off, len(text)-1)
}

// first is next for the few offsets before a limit.
func (h *hunter) first(text []byte, off, limit int) (int, []*trigger) {
	for ; off < limit; off++ {
		n := h.lists[uint16(text[off])|uint16(text[off+1])<<8]
		if n != 0 && (off+2 >= len(text) || h.third[n][text[off+2]]) {
			return off, h.list[n]
		}
	}
	return len(text), nil
}

// at reports whether the trigger's pattern is in a text where its pair begins at an offset, and where the
// pattern begins.
func (t *trigger) at(text []byte, pair int) (start int, ok bool) {
	start = pair - t.pair
	if start < 0 || len(text)-start < len(t.pattern) {
		return 0, false
	}
	for i := range len(t.pattern) {
		if !fits(t.pattern[i], text[start+i]) {
			return 0, false
		}
	}
	return start, true
}

// suspects reports whether a name has anything in it that names of secrets have.
func (h *hunter) suspects(name []byte) bool {
	for i, list := h.next(name, 0); list != nil; i, list = h.next(name, i+1) {
		for _, t := range list {
			if _, ok := t.at(name, i); ok && t.rule == ruleName {
				return true
			}
		}
	}
	return false
}
