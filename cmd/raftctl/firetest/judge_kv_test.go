package firetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Keys stand in groups: a request reads or changes one group, at once.
const (
	groups = 5
	slots  = 4
	marker = slots - 1 // is put with each deletion, so that it is known later whether it took place
)

func keyOf(group, slot int) string { return fmt.Sprintf("%s%d", prefixOf(group), slot) }
func prefixOf(group int) string    { return fmt.Sprintf("kv/%d/", group) }

// cell is a key's value and when it was changed; revision 0 says that it isn't there.
type cell struct {
	value string
	rev   int64
}

type cells [slots]cell

// write puts a value in a slot, or deletes it if the value is empty.
type write struct {
	slot  int
	value string
}

// request is what a client asks of a group.
type request struct {
	group  int
	ifs    map[int]int64 // slots whose cells must have these revisions
	writes []write       // none: it reads the group
	stale  bool          // the read may be of an earlier state
}

// answer is what it is told.
type answer struct {
	ok    bool  // what it asked for holds, and the writes took place
	rev   int64 // the header's
	cells cells // what a read saw
}

// operation is a request with its answer.
type operation struct {
	client    int
	call, ret int64
	request
	answer
	known bool // there was an answer
}

// judgeLimit bounds the search for an order. It takes seconds; what takes longer counts as wrong, lest a search that never ends
// passes for one that succeeded.
const judgeLimit = 3 * time.Minute

// judgeKV decides whether what the clients were told is what one copy of the keys could have told them.
func judgeKV(ops []operation, all *truth) error {
	for i := range ops {
		if err := ops[i].judge(all); err != nil {
			return fmt.Errorf("client %d: %+v: %w", ops[i].client, ops[i], err)
		}
	}
	ops = resolve(ops, all)
	if err := judgeRevisions(ops); err != nil {
		return err
	}
	return judgeOrder(ops)
}

// judge compares an answer with what happened up to its revision.
func (o *operation) judge(all *truth) error {
	switch {
	case !o.known:
	case o.rev > all.last():
		return fmt.Errorf("revision %d; the last of all is %d", o.rev, all.last())
	case len(o.writes) == 0:
		for slot, got := range o.cells {
			if want := all.get(keyOf(o.group, slot), o.rev); got != want {
				return fmt.Errorf("slot %d is %v at revision %d, read was %v", slot, want, o.rev, got)
			}
		}
	case o.ok:
		for _, w := range o.writes {
			got := all.get(keyOf(o.group, w.slot), o.rev)
			if w.value != "" && got != (cell{w.value, o.rev}) || w.value == "" && got != (cell{}) {
				return fmt.Errorf("slot %d is %v at revision %d: the write is lost", w.slot, got, o.rev)
			}
		}
	}
	return nil
}

// resolve tells of writes without an answer whether they took place, by what the watchers were told, and leaves out what has no place
// in an order.
func resolve(ops []operation, all *truth) (known []operation) {
	for _, o := range ops {
		if o.known {
			if !o.stale {
				known = append(known, o)
			}
			continue
		}
		for _, w := range o.writes {
			if rev := all.byValue[w.value]; w.value != "" && rev != 0 {
				o.known, o.answer, o.ret = true, answer{ok: true, rev: rev}, all.at[rev]
				known = append(known, o)
				break
			}
		}
	}
	return known
}

// judgeRevisions decides whether what begins after another has ended has a later revision, over all groups.
func judgeRevisions(ops []operation) error {
	byRet := slices.Clone(ops)
	slices.SortFunc(byRet, func(a, b operation) int { return cmp.Compare(a.ret, b.ret) })
	slices.SortFunc(ops, func(a, b operation) int { return cmp.Compare(a.call, b.call) })
	next, highest := 0, operation{}
	for _, o := range ops {
		for ; next < len(byRet) && byRet[next].ret < o.call; next++ {
			if byRet[next].rev > highest.rev {
				highest = byRet[next]
			}
		}
		if o.rev < highest.rev || o.ok && len(o.writes) > 0 && o.rev == highest.rev {
			return fmt.Errorf("%+v has a revision that isn't after that of %+v, which had ended", o, highest)
		}
	}
	return nil
}

// group is the model of a group: operations take place one after the other.
var group = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, groups)
		for _, o := range history {
			g := o.Input.(request).group
			parts[g] = append(parts[g], o)
		}
		return parts
	},
	Init: func() any { return cells{} },
	Step: func(state, input, output any) (bool, any) {
		now, r, a := state.(cells), input.(request), output.(answer)
		if len(r.writes) == 0 {
			return a.cells == now, now
		}
		for slot, rev := range r.ifs {
			if now[slot].rev != rev {
				return !a.ok, now
			}
		}
		if !a.ok {
			return false, now
		}
		for _, c := range now {
			if c.rev >= a.rev {
				return false, now
			}
		}
		for _, w := range r.writes {
			now[w.slot] = cell{}
			if w.value != "" {
				now[w.slot] = cell{w.value, a.rev}
			}
		}
		return true, now
	},
}

// judgeOrder decides whether the operations are linearizable.
func judgeOrder(ops []operation) error {
	var history []porcupine.Operation
	for _, o := range ops {
		history = append(history, porcupine.Operation{
			ClientId: o.client, Input: o.request, Output: o.answer, Call: o.call, Return: max(o.ret, o.call),
		})
	}
	switch porcupine.CheckOperationsTimeout(group, history, judgeLimit) {
	case porcupine.Illegal:
		return fmt.Errorf("%d operations have no order", len(ops))
	case porcupine.Unknown:
		return fmt.Errorf("no order of %d operations was found in %v", len(ops), judgeLimit)
	}
	return nil
}

// never is when an operation without an answer ends.
const never = math.MaxInt64
