package raft

import (
	"math/bits"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// EntrySize returns the encoded size of an entry in bytes, as etcd 3.7 writes it: what limits on
// messages and on committed entries count.
func EntrySize(e *raftpb.Entry) uint64 {
	size := varintField(uint64(e.Type)) + varintField(e.Term) + varintField(e.Index)
	if e.Data != nil {
		n := uint64(len(e.Data))
		size += 1 + varintSize(n) + n
	}
	return size
}

// varintField returns the size of a field with a one-byte tag; a zero is left out.
func varintField(v uint64) uint64 {
	if v == 0 {
		return 0
	}
	return 1 + varintSize(v)
}

// varintSize returns the size of a base-128 number: seven bits a byte.
func varintSize(v uint64) uint64 { return uint64(bits.Len64(v|1)+6) / 7 }

// entriesSize returns the encoded size of entries in bytes.
func entriesSize(entries []raftpb.Entry) uint64 {
	var size uint64
	for i := range entries {
		size += EntrySize(&entries[i])
	}
	return size
}

// payloadSize returns the size of the entries' data in bytes. Entries of the core's own making have
// none, and so are never refused for their size.
func payloadSize(entries []raftpb.Entry) uint64 {
	var size uint64
	for i := range entries {
		size += uint64(len(entries[i].Data))
	}
	return size
}

// limitSize returns the longest prefix of entries whose encoded size is at most maxSize bytes, at
// least one if there is one. The result can be appended to without harm to what follows.
func limitSize(entries []raftpb.Entry, maxSize uint64) []raftpb.Entry {
	if maxSize == NoLimit || len(entries) == 0 {
		return slices.Clip(entries)
	}
	size := EntrySize(&entries[0])
	for i := 1; i < len(entries); i++ {
		if size += EntrySize(&entries[i]); size > maxSize {
			return entries[:i:i]
		}
	}
	return slices.Clip(entries)
}
