package raftpb

import "encoding/binary"

// word is up to eight bytes of an encoding, the first of them lowest.
type word struct {
	bytes uint64
	n     int
}

// after returns w behind a tag.
func (w word) after(tag byte) word { return word{w.bytes<<8 | uint64(tag), w.n + 1} }

// behind returns w behind another word.
func (w word) behind(head word) word {
	return word{w.bytes<<(8*head.n&63) | head.bytes, w.n + head.n}
}

// header returns what comes before the bytes of an entry's data, as two words that each take one store:
// up to the term, with room for the tag and length of a message's field before it, and from the index
// on. Few entries don't fit: ok is false for conf changes, for data that is large, and for data so small
// that the second store would reach beyond it.
func (e *Entry) header(f Flavor) (head, tail word, ok bool) {
	const most = max14 - 16
	if e.Type != 0 || e.Term-1 >= max14 || e.Index-1 >= max28 || len(e.Data) < 8 || len(e.Data) > most {
		return head, tail, false
	}
	head = varint14(e.Term).after(tagEntryTerm)
	if f == FlavorGogo {
		head = word{head.bytes<<16 | tagEntryType, head.n + 2}
	}
	tail = varint14(uint64(len(e.Data))).after(tagEntryData)
	return head, tail.behind(varint28(e.Index).after(tagEntryIndex)), true
}

// put writes two words and data to b, which has the room, from n on.
func put(b []byte, n int, head, tail word, data []byte) {
	binary.LittleEndian.PutUint64(b[n:], head.bytes)
	binary.LittleEndian.PutUint64(b[n+head.n:], tail.bytes)
	copy(b[n+head.n+tail.n:], data)
}

// The largest numbers that take varints of two and of four bytes.
const (
	max14 = 1<<14 - 1
	max28 = 1<<28 - 1
)

// varint14 encodes a number up to max14.
func varint14(v uint64) word {
	if v < 1<<7 {
		return word{v, 1}
	}
	return word{v&0x7f | v<<1&0x7f00 | 0x80, 2}
}

// varint28 encodes a number up to max28.
func varint28(v uint64) word {
	if v < 1<<14 {
		return varint14(v)
	}
	bytes := v&0x7f | v<<1&0x7f00 | v<<2&0x7f0000 | 0x8080
	if v < 1<<21 {
		return word{bytes, 3}
	}
	return word{bytes | v<<3&0x7f000000 | 0x800000, 4}
}
