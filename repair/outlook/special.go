package outlook

// special reports whether the data of a normal entry may end some release. It can't if it asks, with a
// header behind it, for one of range to lease_checkpoint, the fields 3 to 11 of an
// InternalRaftRequest, which every release since 3.4 does. That goes by the outermost fields: what
// etcd wrote is one of its messages further down as well. Nearly all entries are of that kind, and
// only the others are looked into.
func special(b []byte) bool {
	const first, last, wire = 3<<3 | bytesType, 11<<3 | bytesType, 7
	if len(b) < 3 || b[0] < first || b[0] > last || b[0]&wire != bytesType {
		return true
	}
	size, n := int(b[1]), 2
	switch {
	case size < 0x80:
	case b[2] < 0x80:
		size, n = size&0x7f|int(b[2])<<7, 3
	case len(b) > 3 && b[3] < 0x80:
		size, n = size&0x7f|int(b[2]&0x7f)<<7|int(b[3])<<14, 4
	default: // a request of 2 MiB or more
		return true
	}
	if size > len(b)-n {
		return true
	}
	h := b[n+size:]
	return len(h) < 3 || h[0] != 0xa2 || h[1] != 0x06 || h[2] >= 0x80 || int(h[2]) != len(h)-3
}

const bytesType = 2 // of protobuf's wire types
