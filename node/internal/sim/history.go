package sim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkLimit bounds the search for an order of operations. It takes milliseconds as a rule.
const checkLimit = 5 * time.Second

// model is a register, on which operations take place one after the other.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, keys)
		for _, op := range history {
			key := op.Input.(*operation).key
			parts[key] = append(parts[key], op)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, input, _ any) (bool, any) {
		value, o := state.(int), input.(*operation)
		switch {
		case o.kind == opRead:
			return o.read == value, value
		case o.kind == opPut:
			return true, o.value
		case value == o.old:
			return !o.answered() || o.swapped, o.value
		}
		return o.answered() && !o.swapped && o.read == value, value
	},
}

// story is what the store says of its keys: the value of each at each revision.
type story [keys][]int

// storyOf reads the story of a member's store, of which nothing is compacted.
func storyOf(l *life) (s story, err error) {
	for key := range keys {
		_, last, err := valueAt(l.n, key, 0)
		if err != nil {
			return s, err
		}
		s[key] = make([]int, last+1)
		for revision := int64(1); revision <= last; revision++ {
			if s[key][revision], _, err = valueAt(l.n, key, revision); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// checkOnce checks that no write was applied twice.
func (w *world) checkOnce(s *story, l *life) {
	for key, values := range s {
		puts, err := putsOf(l.n, key, int64(len(values)-1))
		distinct := slices.Compact(slices.DeleteFunc(slices.Sorted(slices.Values(values)), func(v int) bool { return v == 0 }))
		if err != nil || puts != int64(len(distinct)) {
			w.fail("applied twice: key %d was put %d times (%v), and had %d values", key, puts, err, len(distinct))
		}
	}
}

// at returns the value of a key at a revision, 0 if it had none or there is no such revision.
func (s *story) at(key int, revision int64) int {
	if revision < 1 || revision >= int64(len(s[key])) {
		return 0
	}
	return s[key][revision]
}

// checkStory checks that what was answered is what the store has: every write, at the revision that was told, and what
// reads have seen there.
func (w *world) checkStory(s *story) {
	for _, o := range w.ops {
		switch {
		case !o.answered():
		case o.wrote() && s.at(o.key, o.revision) != o.value:
			w.fail("lost write: key %d has %d at revision %d, want %d, which %s acknowledged", o.key, s.at(o.key, o.revision),
				o.revision, o.value, o.by)
		case o.wrote() && o.kind == opSwap && s.at(o.key, o.revision-1) != o.old:
			w.fail("swap: key %d had %d before revision %d, and not %d, as %s says", o.key, s.at(o.key, o.revision-1),
				o.revision, o.old, o.by)
		case !o.wrote() && s.at(o.key, o.revision) != o.read:
			w.fail("read: key %d has %d at revision %d, and not %d, as %s says", o.key, s.at(o.key, o.revision), o.revision,
				o.read, o.by)
		}
	}
}

// tell returns what the clients saw, for porcupine. Reads without an answer say nothing. What was to change something and
// got none may have done so at any time since, if the store says that it has: at the latest when somebody was
// told of its revision or a later one.
func (w *world) tell(s *story) (history []porcupine.Operation) {
	for _, o := range w.ops {
		end := o.ret
		if !o.answered() {
			if o.kind == opRead {
				continue
			}
			revision := slices.Index(s[o.key], o.value)
			if revision < 0 {
				continue
			}
			for _, other := range w.ops {
				if other.answered() && other.revision >= int64(revision) {
					end = min(end, other.ret)
				}
			}
		}
		history = append(history, porcupine.Operation{ClientId: o.client, Input: o, Call: o.call, Return: end})
	}
	return history
}

// Judge checks that what the clients saw is linearizable. It must be called outside the bubble, where time passes. The
// search for an order may take too long: then only the store's history, which Run has checked, speaks for the world.
func (r *Result) Judge() {
	if r.Err != nil {
		return
	}
	switch porcupine.CheckOperationsTimeout(model, r.history, checkLimit) {
	case porcupine.Illegal:
		r.Err = fmt.Errorf("linearizability: the history of %d operations has no order", len(r.history))
	case porcupine.Unknown:
		r.Stats.Unjudged++
	}
}

// checkRevisions checks that the revisions that clients were told are in the order of their requests, and that no
// two writes have the same.
func (w *world) checkRevisions() {
	type moment struct {
		at int64
		o  *operation
	}
	var moments []moment
	writes := map[int64]*operation{}
	for _, o := range w.ops {
		if !o.answered() {
			continue
		}
		moments = append(moments, moment{o.call, o}, moment{o.ret, o})
		if !o.wrote() {
			continue
		}
		if other := writes[o.revision]; other != nil {
			w.fail("linearizability: values %d and %d have both revision %d", other.value, o.value, o.revision)
		}
		writes[o.revision] = o
	}
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	var known int64
	least := map[*operation]int64{}
	for _, m := range moments {
		if m.at == m.o.call {
			least[m.o] = known
			if m.o.wrote() {
				least[m.o]++
			}
			continue
		}
		if m.o.revision < least[m.o] {
			w.fail("linearizability: %s answers with revision %d, and revision %d was told before it was asked", m.o.by,
				m.o.revision, least[m.o])
		}
		known = max(known, m.o.revision)
	}
}

// wrote reports whether it is known to have written.
func (o *operation) wrote() bool {
	return o.ret != math.MaxInt64 && (o.kind == opPut || o.kind == opSwap && o.swapped)
}
