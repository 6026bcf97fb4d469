package decode

import (
	"cmp"
	"slices"
	"strings"
)

// PrefixCount counts what was added under a prefix: the writes of a log, which are puts and deletes, also
// those in both branches of transactions, or the keys of a database.
type PrefixCount struct {
	Prefix string // see KeyPrefix
	Writes int64  // how often something was added
	Bytes  int64  // of what was added: the values that were put
}

// maxPrefix is how many bytes of a prefix tell it from others.
const maxPrefix = 1 << 10

// KeyPrefix returns a key up to its last slash, or all of a key without one; 1024 bytes at most.
func KeyPrefix(key []byte) []byte {
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] == '/' {
			key = key[:i+1]
			break
		}
	}
	return key[:min(len(key), maxPrefix)]
}

// Prefixes finds the prefixes that most of many keys have, or that most bytes lie under, in bounded
// memory: when there is no room for a new prefix, the lesser half goes, and whatever comes after may have
// been among it, so that its count begins there. (It follows the space-saving algorithm of Metwally,
// Agrawal and El Abbadi, 2005, which drops one at a time.) Counts are exact until then; afterwards what
// prefixes are ranked by is estimated from above, and the other from below.
type Prefixes struct {
	ByBytes bool // rank by bytes, not by how often something was added; set before the first Add

	counts map[string]*hit
	full   bool
	floor  int64 // Invariant: no prefix that is not in counts has a higher rank
}

type hit struct{ n, bytes int64 }

// maxHits is how many prefixes are counted. With those of maxPrefix bytes, that takes 8 MiB.
const maxHits = 1 << 13

// Add counts a key and so many bytes under the key's prefix.
func (p *Prefixes) Add(key []byte, size int64) {
	prefix := KeyPrefix(key)
	if c := p.counts[string(prefix)]; c != nil {
		c.n++
		c.bytes += size
		return
	}
	if p.counts == nil {
		p.counts = make(map[string]*hit)
	}
	if len(p.counts) >= maxHits {
		p.shrink()
	}
	c := &hit{n: 1, bytes: size}
	*p.rank(c) += p.floor
	p.counts[string(prefix)] = c
}

// rank returns what prefixes are ranked by.
func (p *Prefixes) rank(c *hit) *int64 {
	if p.ByBytes {
		return &c.bytes
	}
	return &c.n
}

// shrink drops the lesser half, so that the cost of finding it is shared by many.
func (p *Prefixes) shrink() {
	ranks := make([]int64, 0, len(p.counts))
	for _, c := range p.counts {
		ranks = append(ranks, *p.rank(c))
	}
	slices.Sort(ranks)
	p.full, p.floor = true, ranks[len(ranks)/2]
	for prefix, c := range p.counts {
		if *p.rank(c) <= p.floor {
			delete(p.counts, prefix)
		}
	}
}

// Top returns the n prefixes of the highest rank, the highest first. If there were more prefixes than are
// counted, estimated is true.
func (p *Prefixes) Top(n int) (list []PrefixCount, estimated bool) {
	list = make([]PrefixCount, 0, len(p.counts))
	for prefix, c := range p.counts {
		list = append(list, PrefixCount{Prefix: prefix, Writes: c.n, Bytes: c.bytes})
	}
	slices.SortFunc(list, func(a, b PrefixCount) int {
		x, y := a.Writes, b.Writes
		if p.ByBytes {
			x, y = a.Bytes, b.Bytes
		}
		return cmp.Or(cmp.Compare(y, x), strings.Compare(a.Prefix, b.Prefix))
	})
	return list[:min(max(n, 0), len(list))], p.full
}
