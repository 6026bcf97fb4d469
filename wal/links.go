package wal

import "fmt"

// chainEnd is a checksum of the chain at the end or at the head of a segment, as far as it is known.
type chainEnd struct {
	sum   uint32
	known bool
}

// linkSegments tells what is wrong with how segment b follows segment a: before is the chain behind
// the last record ahead of b, head what b's crc record says. The class is empty if nothing is. The
// index in a name may go back: a new leader may overwrite entries from before the segment.
func linkSegments(a, b SegmentName, before, head chainEnd) (Class, string) {
	switch {
	case b.Seq == a.Seq:
		return ClassSegmentOrder, fmt.Sprintf(
			"segment %d once more, at index %d after %d", b.Seq, b.Index, a.Index)
	case b.Seq > a.Seq+1:
		return ClassMissingSegment, fmt.Sprintf("segment %d follows segment %d: %d missing",
			b.Seq, a.Seq, b.Seq-a.Seq-1)
	case before.known && head.known && before.sum != head.sum:
		return ClassCRCChain, chainText(head.sum, before.sum)
	}
	return "", ""
}

// chainText says that a crc record doesn't continue the records before it.
func chainText(got, want uint32) string {
	return fmt.Sprintf("crc %08x, want %08x of the records before", got, want)
}

// emptyText says that a segment has no records.
const emptyText = "no record: a segment gets its name only when its head is written"

// metadataText sets two metadata records side by side.
func metadataText(got, want []byte) string {
	var g, w Metadata
	if g.Unmarshal(got) != nil || w.Unmarshal(want) != nil {
		return fmt.Sprintf("metadata %x, want %x", got, want)
	}
	return fmt.Sprintf("member %x of cluster %x, want %x of %x",
		g.NodeID, g.ClusterID, w.NodeID, w.ClusterID)
}
