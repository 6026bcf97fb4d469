package decode

import (
	"bytes"
	"slices"
)

// Filter says which requests are looked for. The zero value is met by all.
//
// A transaction is looked into: it meets a filter if a single access in it, in either branch and up
// to 32 transactions deep, has one of the operations and touches the key. Which branch ran is not in
// the log, so what is found may not have been done.
type Filter struct {
	// Ops are the operations, any of which will do. A transaction has its own, OpTxn, for any of its
	// accesses. Empty: every operation.
	Ops []Op
	// Key is a key, or with Prefix what keys begin with. Nil: any request, also one without keys.
	Key    []byte
	Prefix bool
}

// Match reports whether the request meets the filter. It allocates nothing, but for a recursive request
// of the v2 store.
func (r *Request) Match(f *Filter) bool {
	own := f.wants(r.Op)
	if r.Op != OpTxn {
		return own && (f.Key == nil || r.touches(f))
	}
	if own && f.Key == nil {
		return true
	}
	for a := range r.Accesses() {
		if (own || f.wants(a.Op)) && (f.Key == nil || a.touches(f)) {
			return true
		}
	}
	return false
}

func (f *Filter) wants(op Op) bool { return len(f.Ops) == 0 || slices.Contains(f.Ops, op) }

// touches is Match of the key for a request that is no transaction.
func (r *Request) touches(f *Filter) bool {
	if r.Key != nil && (Access{Key: r.Key, RangeEnd: r.RangeEnd}).touches(f) {
		return true
	}
	if r.main.field != nil && r.main.field.msg != msgV2 {
		return false // what it does with keys is all in Key and RangeEnd
	}
	for a := range r.Accesses() {
		if a.touches(f) {
			return true
		}
	}
	return false
}

// TouchesPrefix reports whether the request concerns any key with that prefix: by its name, by a
// range that it lies in, or in any part of a transaction. That is what answers who deleted a key,
// also when it went with a range of others.
func (r *Request) TouchesPrefix(prefix []byte) bool {
	f := Filter{Key: prefix, Prefix: true}
	if prefix == nil {
		f.Key = []byte{}
	}
	return r.Match(&f)
}

// touches reports whether an access concerns the filter's key, or any with its prefix.
func (a Access) touches(f *Filter) bool {
	if f.Prefix && bytes.HasPrefix(a.Key, f.Key) || bytes.Equal(a.Key, f.Key) {
		return true
	}
	if len(a.RangeEnd) == 0 || bytes.Compare(a.Key, f.Key) > 0 {
		return false
	}
	return isFromOn(a.RangeEnd) || bytes.Compare(f.Key, a.RangeEnd) < 0
}

// isFromOn reports whether the end of a range means that it has none.
func isFromOn(rangeEnd []byte) bool { return len(rangeEnd) == 1 && rangeEnd[0] == 0 }
