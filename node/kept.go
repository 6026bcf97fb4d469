package node

import "github.com/raftctl/raftctl/raftpb"

// maxKeptBytes bounds the committed entries that are kept in memory for members that are behind.
const maxKeptBytes = 256 << 20

// kept counts the bytes of the applied entries that are in memory, batch by batch as they were applied.
type kept struct {
	batches []batch
	size    int
}

// batch is some entries that were applied together.
type batch struct {
	last uint64 // index
	size int    // bytes of data
}

// add tells what was applied.
func (k *kept) add(entries []raftpb.Entry) {
	b := batch{last: entries[len(entries)-1].Index}
	for i := range entries {
		b.size += len(entries[i].Data)
	}
	k.batches, k.size = append(k.batches, b), k.size+b.size
}

// beyond returns the index up to which entries have to go so that no more than most bytes are left, 0 if none have
// to. The last batch stays.
func (k *kept) beyond(most int) (upTo uint64) {
	size := k.size
	for i := 0; i < len(k.batches)-1 && size > most; i++ {
		upTo, size = k.batches[i].last, size-k.batches[i].size
	}
	return upTo
}

// drop tells that the entries up to an index are gone. A batch of which some are left counts as it did.
func (k *kept) drop(upTo uint64) {
	n := 0
	for ; n < len(k.batches) && k.batches[n].last <= upTo; n++ {
		k.size -= k.batches[n].size
	}
	k.batches = k.batches[n:]
}
