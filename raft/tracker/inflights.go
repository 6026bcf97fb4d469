package tracker

import "slices"

// inflight is one message on its way.
type inflight struct {
	index uint64 // of its last entry
	size  uint64 // bytes of its entries' payloads
}

// Inflights is a sliding window over the append messages that a member has not acknowledged. It is
// bounded by number and, softly, by bytes: the message that crosses the byte bound still goes. The
// buffer is a ring that grows as needed and is kept when the window is cleared, so that a steady
// stream allocates nothing.
type Inflights struct {
	maxCount int
	maxSize  uint64 // bytes; 0 for no bound
	start    int    // position in ring of the oldest message
	count    int
	size     uint64 // bytes on their way
	ring     []inflight
}

// NewInflights returns an empty window for maxCount messages and, unless 0, about maxSize bytes.
func NewInflights(maxCount int, maxSize uint64) Inflights {
	return Inflights{maxCount: maxCount, maxSize: maxSize}
}

// Clone returns a copy that shares nothing with the original.
func (in *Inflights) Clone() Inflights {
	c := *in
	c.ring = slices.Clone(in.ring)
	return c
}

// Add records a message whose last entry has the given index and whose payloads have the given size
// in bytes. Indexes must ascend. It reports false, and records nothing, when the window is full.
func (in *Inflights) Add(index, size uint64) bool {
	if in.Full() {
		return false
	}
	if in.count == len(in.ring) {
		in.grow()
	}
	in.ring[in.at(in.count)] = inflight{index: index, size: size}
	in.count++
	in.size += size
	return true
}

// at returns the position in the ring of the i-th oldest message.
func (in *Inflights) at(i int) int {
	if i += in.start; i >= len(in.ring) {
		i -= len(in.ring)
	}
	return i
}

// grow doubles the ring up to maxCount, and puts the oldest message first.
func (in *Inflights) grow() {
	ring := make([]inflight, min(max(2*len(in.ring), 8), in.maxCount))
	n := copy(ring, in.ring[in.start:])
	copy(ring[n:], in.ring[:in.start])
	in.ring, in.start = ring, 0
}

// FreeLE drops the messages whose last entry has an index of at most index.
func (in *Inflights) FreeLE(index uint64) {
	for in.count > 0 && in.ring[in.start].index <= index {
		in.size -= in.ring[in.start].size
		in.count--
		if in.start++; in.start == len(in.ring) {
			in.start = 0
		}
	}
}

// Full reports whether no further message may be sent.
func (in *Inflights) Full() bool {
	return in.count >= in.maxCount || (in.maxSize != 0 && in.size >= in.maxSize)
}

// Count returns the number of messages on their way.
func (in *Inflights) Count() int { return in.count }

// Size returns the payload bytes on their way.
func (in *Inflights) Size() uint64 { return in.size }

// reset forgets the messages on their way, keeping the memory.
func (in *Inflights) reset() { in.start, in.count, in.size = 0, 0, 0 }
