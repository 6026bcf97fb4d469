package decode

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/raftctl/raftctl/raftpb"
)

// Tally counts what the entries of a log ask for: operations, sizes, the largest entries and the
// prefixes that are written most. It is made by setting Top and Style. Its memory is bounded: by Top
// for the largest entries, else by some 16 MiB, whatever the log holds.
type Tally struct {
	Top   int   // how many of the largest entries and of the busiest prefixes are wanted
	Style Style // of the largest entries' summaries

	ops      map[Op]*OpCount
	largest  []LargeEntry
	prefixes Prefixes
	sizes    [64]int64 // entries whose size has that many bits
}

// OpCount counts the entries of one operation.
type OpCount struct {
	Op      Op
	Entries int64
	Bytes   int64 // of the entries' data
}

// LargeEntry is one of the largest entries.
type LargeEntry struct {
	ID      raftpb.EntryID
	Size    int64 // bytes of its data
	Op      Op
	Summary string // see Request.AppendSummary
}

// SizeClass counts the entries of From bytes or more, but less than Below.
type SizeClass struct {
	From, Below int64
	Entries     int64
}

// OpOther stands for all operations beyond the first thousand, which only Redis commands that nobody
// knows reach.
const OpOther Op = "other"

const maxOps = 1000

// Add counts an entry that r was decoded from.
func (t *Tally) Add(id raftpb.EntryID, r *Request) {
	size := int64(r.Size)
	c := t.op(r.Op)
	c.Entries++
	c.Bytes += size
	t.sizes[bits.Len64(uint64(size))]++
	t.keepLargest(LargeEntry{ID: id, Size: size, Op: r.Op}, r)
	t.countWrites(r)
}

func (t *Tally) op(op Op) *OpCount {
	c := t.ops[op]
	if c == nil && len(t.ops) >= maxOps {
		op = OpOther
		c = t.ops[op]
	}
	if c == nil {
		if t.ops == nil {
			t.ops = make(map[Op]*OpCount)
		}
		c = &OpCount{Op: op}
		t.ops[op] = c
	}
	return c
}

// keepLargest keeps an entry if it is one of the largest. Of equal ones the first counts.
func (t *Tally) keepLargest(e LargeEntry, r *Request) {
	full := len(t.largest) >= t.Top
	if t.Top <= 0 || full && e.Size <= t.largest[len(t.largest)-1].Size {
		return
	}
	e.Summary = string(r.AppendSummary(nil, t.Style))
	at, _ := slices.BinarySearchFunc(t.largest, e, func(a, b LargeEntry) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.ID.Index, b.ID.Index))
	})
	t.largest = slices.Insert(t.largest, at, e)
	t.largest = t.largest[:min(len(t.largest), t.Top)]
}

// countWrites counts the prefixes of the keys that a request writes or deletes. Of other programs'
// requests, whose keys are known but not what is done with them, all are counted.
func (t *Tally) countWrites(r *Request) {
	if t.Top <= 0 {
		return
	}
	accesses := false
	for a := range r.Accesses() {
		accesses = true
		if a.Op.writes() {
			t.prefixes.Add(a.Key, int64(len(a.Value)))
		}
	}
	if !accesses && r.Key != nil {
		t.prefixes.Add(r.Key, int64(r.Size))
	}
}

// Ops returns the operations, those with the most bytes first.
func (t *Tally) Ops() []OpCount {
	list := make([]OpCount, 0, len(t.ops))
	for _, c := range t.ops {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b OpCount) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Entries, a.Entries), cmp.Compare(a.Op, b.Op))
	})
	return list
}

// Largest returns the largest entries, the largest first.
func (t *Tally) Largest() []LargeEntry { return slices.Clone(t.largest) }

// Prefixes returns the prefixes that are written most, the busiest first. If the log has more of them
// than are counted, estimated is true: then the number of writes may be too high, and that of bytes
// too low.
func (t *Tally) Prefixes() (list []PrefixCount, estimated bool) {
	return t.prefixes.Top(t.Top)
}

// Sizes returns the classes of sizes, each twice as wide as the one before, from the first to the last
// that has entries.
func (t *Tally) Sizes() []SizeClass {
	var list []SizeClass
	for n, count := range t.sizes {
		if count == 0 && len(list) == 0 {
			continue
		}
		class := SizeClass{Below: 1, Entries: count}
		if n > 0 {
			class.From, class.Below = 1<<(n-1), 1<<n
		}
		list = append(list, class)
	}
	for len(list) > 0 && list[len(list)-1].Entries == 0 {
		list = list[:len(list)-1]
	}
	return list
}
