package raftpb

import (
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

var entrySchema = &schema{"Entry", []field{
	{"Type", wireVarint}, {"Term", wireVarint}, {"Index", wireVarint}, {"Data", wireBytes},
}}

const (
	tagEntryType  = 1<<3 | wireVarint
	tagEntryTerm  = 2<<3 | wireVarint
	tagEntryIndex = 3<<3 | wireVarint
	tagEntryData  = 4<<3 | wireBytes
)

// The wire form of an entry, with its tags in hex. In FlavorPbgo a zero type, term or index is left
// out; in both flavours nil Data is.
//
//	+----+------+----+------+----+-------+----+-----+------+
//	| 08 | Type | 10 | Term | 18 | Index | 22 | len | Data |
//	+----+------+----+------+----+-------+----+-----+------+

// Size returns the number of bytes that AppendTo appends.
func (e *Entry) Size(f Flavor) int {
	all := f == FlavorGogo
	return sizeUint(uint64(e.Type), all) +
		sizeUint(e.Term, all) +
		sizeUint(e.Index, all) +
		sizeBytes(e.Data)
}

// AppendTo appends the entry's encoding to b.
func (e *Entry) AppendTo(b []byte, f Flavor) []byte {
	var h entryHeader
	n := e.putHeader(&h, f)
	return append(append(b, h[entryPrefix:n]...), e.Data...)
}

// appendField appends the entry's encoding as a field of a message.
func (e *Entry) appendField(b []byte, tag byte, f Flavor) []byte {
	var h entryHeader
	n := e.putHeader(&h, f)
	size := uint64(n - entryPrefix + len(e.Data))
	lo := entryPrefix - 1 - protowire.SizeVarint(size)
	putUint(h[:], lo, tag, size)
	return append(append(b, h[lo:n]...), e.Data...)
}

// entryHeader holds what comes before the bytes of Data: room for a tag and the entry's length
// where it is a field of a message, then four tags with three varints and the length of Data.
type entryHeader [entryPrefix + 4*(1+binary.MaxVarintLen64)]byte

const entryPrefix = 1 + binary.MaxVarintLen64

// putHeader puts the entry's header at entryPrefix in h and returns the offset after it. It does
// what appendUint would do, in half the time: the entries are where a log's bytes are.
func (e *Entry) putHeader(h *entryHeader, f Flavor) int {
	n, all := entryPrefix, f == FlavorGogo
	if e.Type != 0 || all {
		n = putUint(h[:], n, tagEntryType, uint64(e.Type))
	}
	if e.Term != 0 || all {
		n = putUint(h[:], n, tagEntryTerm, e.Term)
	}
	if e.Index != 0 || all {
		n = putUint(h[:], n, tagEntryIndex, e.Index)
	}
	if e.Data != nil {
		n = putUint(h[:], n, tagEntryData, uint64(len(e.Data)))
	}
	return n
}

// putUint puts a tag and a varint at off in b and returns the offset after them.
func putUint(b []byte, off int, tag byte, v uint64) int {
	b[off] = tag
	for off++; v >= 0x80; off++ {
		b[off] = byte(v) | 0x80
		v >>= 7
	}
	b[off] = byte(v)
	return off + 1
}

// Marshal returns the entry's encoding.
func (e *Entry) Marshal(f Flavor) []byte { return e.AppendTo(make([]byte, 0, e.Size(f)), f) }

// Unmarshal sets *e to the entry that b encodes. The error is a *DecodeError; *e then holds what
// was decoded so far.
func (e *Entry) Unmarshal(b []byte) error {
	err := e.UnmarshalAlias(b)
	e.Data = slices.Clone(e.Data)
	return err
}

// UnmarshalAlias is Unmarshal with Data pointing into b. It allocates nothing.
func (e *Entry) UnmarshalAlias(b []byte) error { return e.decode(b, 0) }

func (e *Entry) decode(b []byte, base int) error {
	if e.decodeCanonical(b) {
		return nil
	}
	*e = Entry{}
	r := reader{buf: b, base: base, schema: entrySchema}
	for r.next() {
		switch r.tag {
		case tagEntryType:
			e.Type = EntryType(r.varint())
		case tagEntryTerm:
			e.Term = r.varint()
		case tagEntryIndex:
			e.Index = r.varint()
		case tagEntryData:
			e.Data = r.bytes()
		default:
			r.skip()
		}
	}
	return r.err
}

// decodeCanonical decodes the forms that etcd writes: ascending fields, a type below 128, minimal
// tags, nothing unknown. It reports whether b had such a form; if not, *e is as it was.
func (e *Entry) decodeCanonical(b []byte) bool {
	var typ EntryType
	var term, index, size uint64
	off := 0
	if len(b) > 1 && b[0] == tagEntryType && b[1] < 0x80 {
		typ, off = EntryType(b[1]), 2
	}
	if off < len(b) && b[off] == tagEntryTerm {
		term, off = shortVarint(b, off+1)
	}
	if off < len(b) && b[off] == tagEntryIndex {
		index, off = shortVarint(b, off+1)
	}
	if off == len(b) {
		*e = Entry{Type: typ, Term: term, Index: index}
		return true
	}
	if off > len(b) || b[off] != tagEntryData {
		return false
	}
	size, off = shortVarint(b, off+1)
	if off > len(b) || size != uint64(len(b)-off) {
		return false
	}
	*e = Entry{Type: typ, Term: term, Index: index, Data: b[off:len(b):len(b)]}
	return true
}

// shortVarint reads a varint of at most 8 bytes at off and returns it with the offset after it,
// which lies beyond len(b) if there is none.
func shortVarint(b []byte, off int) (v uint64, next int) {
	for shift := 0; off < len(b) && shift < 56; shift += 7 {
		c := b[off]
		off++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, off
		}
	}
	return 0, len(b) + 1
}
