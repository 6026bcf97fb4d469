package wal

import (
	"cmp"
	"math"
	"slices"
)

// void is a stretch of the log whose entries with an index up to last count for nothing, whatever
// comes behind: they are of another log, or there already.
type void struct {
	from, to place // to is not in it
	last     uint64
}

// voids are in reading order, and don't overlap.
type voids []void

// open adds a void that begins at a record and goes on until close.
func (v *voids) open(from place, last uint64) {
	*v = append(*v, void{from, place{seg: math.MaxInt}, last})
}

// one adds a void of one record.
func (v *voids) one(at place) {
	i, _ := slices.BinarySearchFunc(*v, at, func(x void, p place) int { return x.from.compare(p) })
	*v = slices.Insert(*v, i, void{at, place{at.seg, at.off + 1}, math.MaxUint64 - 1})
}

// close ends the void that is open, if there is one.
func (v voids) close(at place) {
	if n := len(v); n > 0 && v[n-1].to.seg == math.MaxInt {
		v[n-1].to = at
	}
}

// add adds a void in which nothing counts.
func (v *voids) add(from, to place) { *v = append(*v, void{from, to, math.MaxUint64}) }

// drop removes the void that begins at a place.
func (v *voids) drop(from place) {
	*v = slices.DeleteFunc(*v, func(x void) bool { return x.from == from })
}

// at returns the void that p lies in, or nil.
func (v voids) at(p place) *void {
	i, found := slices.BinarySearchFunc(v, p, func(x void, p place) int {
		return cmp.Compare(x.from.compare(p), 0)
	})
	if !found {
		i--
	}
	if i < 0 || p.compare(v[i].to) >= 0 {
		return nil
	}
	return &v[i]
}
