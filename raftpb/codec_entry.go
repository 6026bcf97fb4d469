package raftpb

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
	head, tail, ok := e.header(f)
	n := len(b)
	end := n + head.n + tail.n + len(e.Data)
	if !ok || end > cap(b) {
		return e.appendFields(b, f)
	}
	b = b[:end]
	put(b, n, head, tail, e.Data)
	return b
}

// appendEntries appends entries as fields of a message.
func appendEntries(b []byte, entries []Entry, f Flavor) []byte {
	room, n := b[:cap(b)], len(b)
	for i := range entries {
		e := &entries[i]
		head, tail, ok := e.header(f)
		size := head.n + tail.n + len(e.Data)
		head = head.after14(tagMessageEntries, uint64(size))
		end := n + head.n + tail.n + len(e.Data)
		if !ok || end > len(room) {
			b = e.appendFields(appendLen(room[:n], tagMessageEntries, e.Size(f)), f)
			room, n = b[:cap(b)], len(b)
			continue
		}
		put(room, n, head, tail, e.Data)
		n = end
	}
	return room[:n]
}

// appendFields is AppendTo for any entry and any buffer.
func (e *Entry) appendFields(b []byte, f Flavor) []byte {
	all := f == FlavorGogo
	b = appendUint(b, tagEntryType, uint64(e.Type), all)
	b = appendUint(b, tagEntryTerm, e.Term, all)
	b = appendUint(b, tagEntryIndex, e.Index, all)
	return appendBytes(b, tagEntryData, e.Data)
}

// Marshal returns the entry's encoding.
func (e *Entry) Marshal(f Flavor) []byte { return e.AppendTo(make([]byte, 0, e.Size(f)), f) }

// Unmarshal sets *e to the entry that b encodes. The error is a *DecodeError; *e then holds what
// was decoded so far.
func (e *Entry) Unmarshal(b []byte) error {
	var err error
	if !e.decodeCanonical(b) {
		err = e.decode(b, 0)
	}
	e.Data = clone(e.Data)
	return err
}

// UnmarshalAlias is Unmarshal with Data pointing into b. It allocates nothing.
func (e *Entry) UnmarshalAlias(b []byte) error {
	if e.decodeCanonical(b) {
		return nil
	}
	return e.decode(b, 0)
}

// decode decodes an entry of any form. Callers try decodeCanonical first.
func (e *Entry) decode(b []byte, base int) error {
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

// decodeCanonical decodes what readEntry reads. It reports whether b was that; if not, *e is as it
// was.
func (e *Entry) decodeCanonical(b []byte) bool {
	typ, id, data, form := readEntry(b)
	if form < EntryBare {
		return false
	}
	// One by one: a literal would be built elsewhere and then copied.
	e.Type, e.Term, e.Index, e.Data = typ, id.Term, id.Index, data
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
