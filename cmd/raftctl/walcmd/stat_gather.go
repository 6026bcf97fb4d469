package walcmd

import (
	"bytes"
	"cmp"
	mathbits "math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/decode"
	"github.com/raftctl/raftctl/wal"
)

// bits returns the number of bits of a size: its class in the histogram.
func bits(size int64) int { return mathbits.Len64(uint64(size)) }

// keepLargest keeps the entry at hand if it is one of the largest.
func (g *gatherer) keepLargest(p *decode.Request, size int64) {
	full := len(g.largest) >= g.o.top
	if g.o.top == 0 || full && size <= g.largest[len(g.largest)-1].Size {
		return
	}
	e := largeEntry{
		Index: g.row.Entry.Index, Term: g.row.Entry.Term, Size: size, Op: string(p.Op),
		Summary: string(p.AppendSummary(nil, g.row.Style)),
	}
	at, _ := slices.BinarySearchFunc(g.largest, e, func(a, b largeEntry) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Index, b.Index))
	})
	g.largest = slices.Insert(g.largest, at, e)
	g.largest = g.largest[:min(len(g.largest), g.o.top)]
}

// countWrites counts the prefixes of the keys that a request writes or deletes.
func (g *gatherer) countWrites(p *decode.Request) {
	counted := false
	for a := range p.Accesses() {
		if a.Op == decode.OpPut || a.Op == decode.OpDeleteRange {
			g.prefixes.add(prefixOf(a.Key), int64(len(a.Value)))
		}
		counted = true
	}
	if !counted && p.Key != nil {
		g.prefixes.add(prefixOf(p.Key), int64(p.Size))
	}
}

// prefixOf returns a key up to its last slash, or all of a key without one.
func prefixOf(key []byte) []byte {
	if i := bytes.LastIndexByte(key, '/'); i >= 0 {
		return key[:i+1]
	}
	return key
}

// heavyHitters finds the most frequent keys of many, in bounded memory: when there is no room for a
// new key, it takes over the count of the rarest (the space-saving algorithm of Metwally, Agrawal
// and El Abbadi, 2005). Counts are exact until then, and estimates from above afterwards.
type heavyHitters struct {
	counts map[string]*hit
	full   bool
	floor  int64 // no key that is not in counts was seen more often
}

type hit struct {
	n, bytes int64
}

// maxHits is how many keys are counted: with 64 bytes a key, 1 MiB.
const maxHits = 1 << 13

func (h *heavyHitters) add(key []byte, size int64) {
	if c := h.counts[string(key)]; c != nil {
		c.n++
		c.bytes += size
		return
	}
	if h.counts == nil {
		h.counts = make(map[string]*hit)
	}
	if len(h.counts) >= maxHits {
		h.shrink()
	}
	h.counts[string(key)] = &hit{n: h.floor + 1, bytes: size}
}

// shrink drops the rarer half, so that the cost of finding it is shared by many.
func (h *heavyHitters) shrink() {
	ns := make([]int64, 0, len(h.counts))
	for _, c := range h.counts {
		ns = append(ns, c.n)
	}
	slices.Sort(ns)
	h.full, h.floor = true, ns[len(ns)/2]
	for key, c := range h.counts {
		if c.n <= h.floor {
			delete(h.counts, key)
		}
	}
}

// top returns the n keys seen most often.
func (h *heavyHitters) top(n int) []prefixStat {
	all := make([]prefixStat, 0, len(h.counts))
	for key, c := range h.counts {
		all = append(all, prefixStat{Prefix: key, Writes: c.n, Bytes: c.bytes})
	}
	slices.SortFunc(all, func(a, b prefixStat) int {
		return cmp.Or(cmp.Compare(b.Writes, a.Writes), strings.Compare(a.Prefix, b.Prefix))
	})
	return all[:min(n, len(all))]
}

// result puts together what was counted.
func (g *gatherer) result(path string, log *wal.Log, view *wal.View) *stat {
	s := &stat{
		Path: path, NodeID: hexID(view.Metadata.NodeID), ClusterID: hexID(view.Metadata.ClusterID),
		FirstIndex: view.First.Index, LastIndex: view.Last.Index, LastTerm: view.Last.Term,
		Term: view.State.Term, Vote: hexID(view.State.Vote), Commit: view.State.Commit,
		Members: g.members.list(), Segments: []*segmentStat{}, Terms: []termStat{}, Snapshots: []snapshotStat{},
		Operations: []*opStat{}, Largest: g.largest, Prefixes: g.prefixes.top(g.o.top),
		Estimated: g.prefixes.full, Damage: g.damage,
	}
	if view.MetadataErr != nil {
		s.MetadataErr, s.NodeID, s.ClusterID = view.MetadataErr.Error(), "", ""
	}
	for _, seg := range log.Segments() {
		st := g.segments[seg.File]
		if st == nil {
			st = &segmentStat{}
		}
		st.Segment, st.Size = seg.File, seg.Size
		s.Segments = append(s.Segments, st)
	}
	for _, t := range view.Terms {
		s.Terms = append(s.Terms, termStat{Term: t.Term, First: t.Index, Entries: t.N, Segment: t.Pos.Segment, Offset: t.Pos.Off})
	}
	for _, sn := range view.Snapshots {
		s.Snapshots = append(s.Snapshots, snapshotStat{
			Index: sn.Index, Term: sn.Term, Valid: sn.Valid, Segment: sn.Pos.Segment, Offset: sn.Pos.Off,
		})
	}
	for _, op := range g.ops {
		s.Operations = append(s.Operations, op)
	}
	slices.SortFunc(s.Operations, func(a, b *opStat) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Entries, a.Entries), strings.Compare(a.Op, b.Op))
	})
	s.Sizes = g.histogram()
	return s
}

// histogram returns the classes from the first to the last that has entries.
func (g *gatherer) histogram() []sizeClass {
	var out []sizeClass
	for n, count := range g.sizes {
		if count == 0 && len(out) == 0 {
			continue
		}
		class := sizeClass{Entries: count}
		if n > 0 {
			class.From, class.Below = 1<<(n-1), 1<<n
		} else {
			class.Below = 1
		}
		out = append(out, class)
	}
	for len(out) > 0 && out[len(out)-1].Entries == 0 {
		out = out[:len(out)-1]
	}
	return out
}

func hexID(id uint64) string { return strconv.FormatUint(id, 16) }
