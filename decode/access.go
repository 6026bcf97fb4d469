package decode

import "iter"

// Access is what a request, or a part of a transaction, does with one key or one range of keys.
type Access struct {
	Op       Op     // OpPut, OpRange, OpDeleteRange, OpCompare for a condition, or one of v2
	Key      []byte // the key, or the first key of the range
	RangeEnd []byte // empty: just Key. "\x00": from Key on. Else the range is [Key, RangeEnd).
	Value    []byte // of OpPut and of v2 requests
	Lease    uint64 // of OpPut; 0 if there is none
	Branch   Branch // the branch of the outermost transaction that it stands in
}

// Branch tells when a part of a transaction is done.
type Branch uint8

// The branches.
const (
	BranchNone    Branch = iota // not in a transaction, or a condition
	BranchSuccess               // all conditions hold
	BranchFailure               // they don't
)

// Accesses yields what an etcd request does with keys, in the order of its fields. For a
// transaction that is all of its conditions and both its branches, also of those within it: which
// branch ran is not in the log. The accesses of v2 requests have the operation of the request. Keys
// that go with a lease are not named by the request that revokes it.
func (r *Request) Accesses() iter.Seq[Access] {
	return func(yield func(Access) bool) {
		if f := r.main.field; f != nil {
			accesses(f, r.main.data, walk{yield: yield})
		} else if _, ok := r.body.(v2Request); ok {
			accessesV2(r.main.data, yield)
		}
	}
}

type walk struct {
	yield  func(Access) bool
	branch Branch
	depth  int
}

func accesses(f *field, data []byte, w walk) bool {
	switch f.msg {
	case msgPut:
		return w.yield(accessOf(OpPut, f, data, w))
	case msgRange:
		return w.yield(accessOf(OpRange, f, data, w))
	case msgDeleteRange:
		return w.yield(accessOf(OpDeleteRange, f, data, w))
	case msgCompare:
		return w.yield(accessOf(OpCompare, f, data, w))
	case msgTxn, msgRequestOp:
		return accessesWithin(f.msg.lookup(), data, w)
	case msgV2:
		return accessesV2(data, w.yield)
	}
	return true
}

// accessesV2 yields the path of a v2 request and, if it is recursive, the range of all below it.
func accessesV2(data []byte, yield func(Access) bool) bool {
	a := Access{Op: opV2None}
	recursive := false
	for v := range msgV2.lookup().known(data) {
		switch v.field.name {
		case "method":
			a.Op, _ = v2Op(v.data)
		case "path":
			a.Key = v.data
		case "val":
			a.Value = v.data
		case "recursive":
			recursive = v.n != 0
		}
	}
	if !yield(a) {
		return false
	}
	if !recursive {
		return true
	}
	const slash, afterSlash = '/', '/' + 1
	below := append(a.Key[:len(a.Key):len(a.Key)], slash)
	end := append(a.Key[:len(a.Key):len(a.Key)], afterSlash)
	return yield(Access{Op: a.Op, Key: below, RangeEnd: end})
}

func accessesWithin(m *message, data []byte, w walk) bool {
	if w.depth++; w.depth > maxDepth {
		return true
	}
	outermost := w.depth == 1
	for v := range m.known(data) {
		if outermost {
			w.branch = branchOf(v.field)
		}
		if !accesses(v.field, v.data, w) {
			return false
		}
	}
	return true
}

// branchOf returns what a field of TxnRequest stands for.
func branchOf(f *field) Branch {
	switch f.name {
	case "success":
		return BranchSuccess
	case "failure":
		return BranchFailure
	}
	return BranchNone
}

func accessOf(op Op, f *field, data []byte, w walk) Access {
	a := Access{Op: op, Branch: w.branch}
	for v := range f.msg.lookup().known(data) {
		switch v.field.name {
		case "key":
			a.Key = v.data
		case "range_end":
			a.RangeEnd = v.data
		case "value":
			a.Value = v.data
		case "lease":
			a.Lease = v.n
		}
	}
	return a
}
