package outlook

// plain reports whether an entry, as it is encoded, can end no release: the empty one of a new leader,
// or one that asks with a header for something that every release since 3.4 does. It goes by the
// outermost fields: what etcd wrote is one of its messages further down as well. Nearly all entries
// are plain, and only the others are looked into.
func plain(entry []byte) bool {
	off := 0
	if len(entry) > 1 && entry[0] == 0x08 { // the type
		if entry[1] != 0 {
			return false
		}
		off = 2
	}
	const term, index, data = 0x10, 0x18, 0x22
	for _, tag := range [...]byte{term, index} {
		if off >= len(entry) || entry[off] != tag {
			return false
		}
		off = behindVarint(entry, off+1)
	}
	if off == len(entry) {
		return true
	}
	if off > len(entry) || entry[off] != data {
		return false
	}
	if off = behindVarint(entry, off+1); off > len(entry) {
		return false
	}
	return len(entry) == off || plainRequest(entry[off:])
}

// plainRequest reports whether a payload has one of the fields range to lease_checkpoint, 3 to 11, of
// an InternalRaftRequest, and behind it the header.
func plainRequest(b []byte) bool {
	const first, last, wire = 3<<3 | 2, 11<<3 | 2, 7
	if b[0] < first || b[0] > last || b[0]&wire != 2 {
		return false
	}
	size, n := uint64(0), 1
	for shift := 0; ; shift += 7 {
		if n == len(b) || shift > 28 {
			return false
		}
		c := b[n]
		n++
		size |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	if size > uint64(len(b)-n) {
		return false
	}
	h := b[n+int(size):]
	return len(h) > 2 && h[0] == 0xa2 && h[1] == 0x06 && h[2] < 0x80 && int(h[2]) == len(h)-3
}

// behindVarint returns the offset behind the varint at off, one beyond the length if there is none.
func behindVarint(b []byte, off int) int {
	for off < len(b) && b[off] >= 0x80 {
		off++
	}
	return off + 1
}
