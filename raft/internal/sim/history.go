package sim

import (
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkLimit bounds the search for an order of operations. It takes milliseconds; what takes longer
// than this counts as wrong, lest a check that never ends passes for one that succeeded.
const checkLimit = time.Minute

// question is the input of a step of the model.
type question struct {
	command
	unknown bool // no answer came: any would do
}

// model is a register, on which operations take place one after the other.
var model = porcupine.Model{
	Partition: partition,
	Init:      func() any { return uint32(0) },
	Step: func(state, input, output any) (bool, any) {
		value, q, result := state.(uint32), input.(question), output.(uint32)
		switch {
		case q.kind == opRead:
			return result == value, value
		case q.kind == opPut:
			return true, q.value
		case value == q.old:
			return q.unknown || result == 1, q.value
		}
		return q.unknown || result == 0, value
	},
}

// partition separates the registers, which have nothing to do with each other.
func partition(history []porcupine.Operation) [][]porcupine.Operation {
	parts := make([][]porcupine.Operation, keys)
	for _, op := range history {
		key := op.Input.(question).key
		parts[key] = append(parts[key], op)
	}
	return parts
}

// history returns what the clients saw. Reads without an answer say nothing; what was to change
// something and got no answer may have done so at any time since.
func (w *world) history() []porcupine.Operation {
	var ops []porcupine.Operation
	for _, op := range w.clients.ops {
		unknown := op.ret == math.MaxInt64
		call := op.call
		if op.kind == opRead {
			if unknown {
				continue
			}
			call -= w.shape.staleness() << 20
		}
		ops = append(ops, porcupine.Operation{
			ClientId: op.client + 1,
			Input:    question{command: op.command, unknown: unknown},
			Call:     call,
			Output:   op.result,
			Return:   op.ret,
		})
	}
	return ops
}

// checkHistory checks that what the clients saw is linearizable.
func (w *world) checkHistory() {
	switch porcupine.CheckOperationsTimeout(model, w.history(), checkLimit) {
	case porcupine.Illegal:
		w.fail("linearizability: the history of %d operations has no order", len(w.clients.ops))
	case porcupine.Unknown:
		w.fail("linearizability: unknown within %v for %d operations",
			checkLimit, len(w.clients.ops))
	}
}
