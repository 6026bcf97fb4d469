package raftpb

import "encoding/binary"

// word is up to eight bytes of an encoding, the first of them lowest.
type word struct {
	bytes uint64
	n     int
}

// after14 returns w behind a varint field with a value up to max14.
func (w word) after14(tag byte, v uint64) word {
	if v < 1<<7 {
		return word{w.bytes<<16 | v<<8 | uint64(tag), w.n + 2}
	}
	return word{w.bytes<<24 | v<<9&0x7f0000 | v<<8&0x7f00 | 0x8000 | uint64(tag), w.n + 3}
}

// after28 returns w behind a varint field with a value up to max28.
func (w word) after28(tag byte, v uint64) word {
	if v < 1<<14 {
		return w.after14(tag, v)
	}
	low := v<<10&0x7f000000 | v<<9&0x7f0000 | v<<8&0x7f00 | 0x808000 | uint64(tag)
	if v < 1<<21 {
		return word{w.bytes<<32 | low, w.n + 4}
	}
	return word{w.bytes<<40 | v<<11&0x7f00000000 | low | 0x80000000, w.n + 5}
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
	head = word{}.after14(tagEntryTerm, e.Term)
	if f == FlavorGogo {
		head = word{head.bytes<<16 | tagEntryType, head.n + 2}
	}
	tail = word{}.after14(tagEntryData, uint64(len(e.Data)))
	return head, tail.after28(tagEntryIndex, e.Index), true
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

// longField is the largest size of a varint field.
const longField = 11

// putLong writes a varint field with a value that takes nine or ten bytes, as the IDs of members do. It
// returns the field's size.
func putLong(b *[longField]byte, tag byte, v uint64) int {
	low := v&0x0fffffff | v<<4&0x0fffffff00000000
	low = low&0x00003fff00003fff | low<<2&0x3fff00003fff0000
	low = low&0x007f007f007f007f | low<<1&0x7f007f007f007f00
	b[0] = tag
	binary.LittleEndian.PutUint64(b[1:], low|0x8080808080808080)
	if v < 1<<63 {
		b[9] = byte(v >> 56)
		return 10
	}
	b[9], b[10] = byte(v>>56), 1
	return 11
}
