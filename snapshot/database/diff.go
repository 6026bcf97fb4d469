package database

import (
	"bytes"
	"iter"
)

// Difference is a key that two states don't have in common.
type Difference struct {
	Before, After *KeyValue // nil: the key is not there
}

// Key returns the key.
func (d *Difference) Key() []byte {
	if d.Before != nil {
		return d.Before.Key
	}
	return d.After.Key
}

// Same reports whether value and lease are the same: the key was written again, as it was.
func (d *Difference) Same() bool {
	return d.Before != nil && d.After != nil && d.Before.Lease == d.After.Lease &&
		bytes.Equal(d.Before.Value, d.After.Value)
}

// Diff yields the keys that differ between two states, each in the order of its keys, as [DB.Keys]
// yields it: those that only one has, and those whose value, lease or revisions differ; see
// [Difference.Same]. One is valid until the next is asked for. Errors of either are yielded as they
// come.
func Diff(before, after iter.Seq2[*KeyValue, error]) iter.Seq2[*Difference, error] {
	return func(yield func(*Difference, error) bool) {
		nextA, stopA := iter.Pull2(before)
		defer stopA()
		nextB, stopB := iter.Pull2(after)
		defer stopB()
		failed := func(err error) bool { return yield(nil, err) }
		a, okA := pull(nextA, failed)
		b, okB := pull(nextB, failed)
		for okA && okB && (a != nil || b != nil) {
			order := 0
			switch {
			case a == nil:
				order = 1
			case b == nil:
				order = -1
			default:
				order = bytes.Compare(a.Key, b.Key)
			}
			var d Difference
			if order <= 0 {
				d.Before = a
			}
			if order >= 0 {
				d.After = b
			}
			if !d.identical() && !yield(&d, nil) {
				return
			}
			if order <= 0 {
				a, okA = pull(nextA, failed)
			}
			if order >= 0 {
				b, okB = pull(nextB, failed)
			}
		}
	}
}

func (d *Difference) identical() bool {
	a, b := d.Before, d.After
	return a != nil && b != nil && a.ModRevision == b.ModRevision && a.CreateRevision == b.CreateRevision &&
		a.Version == b.Version && d.Same()
}

// pull returns the next key, or nil at the end; ok is false if an error has ended all.
func pull(
	next func() (*KeyValue, error, bool), failed func(error) bool,
) (kv *KeyValue, ok bool) {
	for {
		kv, err, more := next()
		switch {
		case !more:
			return nil, true
		case err == nil:
			return kv, true
		case !failed(err):
			return nil, false
		}
	}
}
