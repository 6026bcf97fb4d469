package decode

import (
	"iter"
	"strconv"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// FirstKey returns what the request touches first: its key or range, or in a transaction the first
// one that an operation has, in either branch, and only without any that of the first condition. ok
// is false if the request concerns no key. It allocates nothing.
func (r *Request) FirstKey() (a Access, ok bool) {
	if r.Key != nil {
		return Access{Op: r.Op, Key: r.Key, RangeEnd: r.RangeEnd}, true
	}
	if r.Op != OpTxn {
		return Access{}, false
	}
	for next := range r.Accesses() {
		if next.Op != OpCompare {
			return next, true
		}
		if !ok {
			a, ok = next, true
		}
	}
	return a, ok
}

// maxKeys is how many accesses AppendKeys lists. etcd's limit for a transaction is 128 operations
// unless it was raised.
const maxKeys = 1024

// AppendKeys appends the member "keys" of a JSON object: a list with an object for every access of
// [Request.Accesses], of op, key, range_end where there is one, and in transactions branch, which is
// "success" or "failure". Of more than 1024 it appends the first ones, and behind the list the member
// keys_left_out with the number of the others. It appends nothing if the request concerns no key.
func (r *Request) AppendKeys(dst []byte) []byte {
	n := 0
	for a := range r.keys() {
		if n++; n > maxKeys {
			continue
		}
		if n == 1 {
			dst = append(jsontext.AppendName(dst, "keys"), '[')
		}
		dst = a.appendJSON(jsontext.AppendComma(dst))
	}
	if n == 0 {
		return dst
	}
	dst = append(dst, ']')
	if n > maxKeys {
		dst = strconv.AppendInt(jsontext.AppendName(dst, "keys_left_out"), int64(n-maxKeys), 10)
	}
	return dst
}

// keys yields Accesses, or the key of a request that has one but no accesses: those of other
// programs.
func (r *Request) keys() iter.Seq[Access] {
	return func(yield func(Access) bool) {
		found := false
		for a := range r.Accesses() {
			found = true
			if !yield(a) {
				return
			}
		}
		if !found && r.Key != nil {
			yield(Access{Op: r.Op, Key: r.Key, RangeEnd: r.RangeEnd})
		}
	}
}

var branchNames = [...]string{BranchSuccess: "success", BranchFailure: "failure"}

func (a Access) appendJSON(dst []byte) []byte {
	dst = jsontext.AppendString(jsontext.AppendName(append(dst, '{'), "op"), string(a.Op))
	dst = jsontext.AppendBytes(dst, "key", a.Key)
	if len(a.RangeEnd) > 0 {
		dst = jsontext.AppendBytes(dst, "range_end", a.RangeEnd)
	}
	if a.Branch != BranchNone {
		dst = jsontext.AppendString(jsontext.AppendName(dst, "branch"), branchNames[a.Branch])
	}
	return append(dst, '}')
}
