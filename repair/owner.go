package repair

import (
	"context"
	"slices"

	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// segmentsBy returns which segments have which metadata, as far as it is intact, or others tell it that they go on from
// by their checksums.
func (d *draft) segmentsBy(ctx context.Context) (by map[wal.Metadata][]int, err error) {
	by = map[wal.Metadata][]int{}
	var known []*wal.Metadata
	for k := range d.log.Segments() {
		known = append(known, nil)
		if m, ok := d.metadataOf(k); ok {
			by[m], known[k] = append(by[m], k), &m
		}
	}
	if len(by) < 2 || !slices.Contains(known, nil) {
		return by, nil // nothing hangs on the others
	}
	links, err := d.links(ctx)
	if err != nil {
		return nil, err
	}
	for lo := 0; lo < len(links); {
		hi := lo + 1
		for hi < len(links) && links[hi].begin != 0 && links[hi].begin == links[hi-1].end {
			hi++
		}
		if m := sole(known[lo:hi]); m != nil {
			for k := lo; k < hi; k++ {
				if known[k] == nil {
					by[*m] = append(by[*m], k)
				}
			}
		}
		lo = hi
	}
	return by, nil
}

// sole returns the only metadata of a list; nil if there are others as well, or none.
func sole(list []*wal.Metadata) (m *wal.Metadata) {
	for _, x := range list {
		switch {
		case x == nil || m != nil && *x == *m:
		case m != nil:
			return nil
		default:
			m = x
		}
	}
	return m
}

// metadataOf returns the metadata of the k-th segment, if it is intact.
func (d *draft) metadataOf(k int) (m wal.Metadata, ok bool) {
	n := 0
	for rec, err := range d.log.SegmentRecords(k) {
		if n++; err != nil || n > 2 {
			break
		}
		if rec.Kind == wal.KindMetadata && m.Unmarshal(rec.Data) == nil {
			ok = true
		}
	}
	return m, ok
}

// ownMetadata returns the metadata that is the member's own, of those that its segments have: that of more than half of
// them, or the only one of a member that is no donor. It is nil if nothing tells.
func (d *draft) ownMetadata(by map[wal.Metadata][]int) (own *wal.Metadata) {
	for m, ks := range by {
		if 2*len(ks) > len(d.log.Segments()) {
			return &m
		}
	}
	for m := range by {
		switch {
		case slices.Contains(d.donorIDs(), m.NodeID):
		case own != nil || !slices.Contains(d.memberIDs(), m.NodeID):
			return nil
		default:
			own = &m
		}
	}
	return own
}

// ownsAll sees to it that a log of which segments are of several members comes out as the member's own. ok is false if
// nothing tells whose it is.
func (d *draft) ownsAll(ctx context.Context, s *solution) (ok bool, err error) {
	by, err := d.segmentsBy(ctx)
	if len(by) < 2 || err != nil {
		return err == nil, err
	}
	own := d.ownMetadata(by)
	if own == nil {
		if chained, err := d.chained(ctx); chained || err != nil {
			return chained, err // only what they say is wrong
		}
		d.refuse(writeMetadata{}.Name(), "the segments are of %d members, and nothing tells which of them this is: --from PATH "+
			"of the others would", len(by))
		return false, nil
	}
	for m, ks := range by {
		left := func(k int) bool { return !slices.Contains(s.drop, d.log.Segments()[k].File) }
		if s.rewrite == nil && m != *own && slices.ContainsFunc(ks, left) {
			return false, nil
		}
	}
	if s.rewrite != nil && d.view().Metadata != *own {
		s.rewrite.Metadata, s.rewrite.From = own.AppendTo(nil), edit.Place{}
	}
	return true, nil
}

// chained reports whether each segment goes on from the one before, by their checksums: then they are of one log.
func (d *draft) chained(ctx context.Context) (bool, error) {
	links, err := d.links(ctx)
	if err != nil {
		return false, err
	}
	for k := 1; k < len(links); k++ {
		if links[k].begin == 0 || links[k].begin != links[k-1].end {
			return false, nil
		}
	}
	return true, nil
}
