package firetest

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// Names are added to a set, taken out of it, and looked for: those of roles, and the addresses of members.

type verb int

const (
	add verb = iota
	remove
	look
)

// naming is something done with a name, and whether it was there before or, after a look, is there.
type naming struct {
	verb      verb
	name      string
	call, ret int64
	there     bool
	known     bool
}

// set is the model of one name.
var set = porcupine.Model{
	Init: func() any { return false },
	Step: func(state, input, output any) (bool, any) {
		there, n := state.(bool), input.(naming)
		fits := !n.known || n.there == there
		switch n.verb {
		case add:
			return fits, true
		case remove:
			return fits, false
		}
		return fits, there
	},
}

// judgeNames decides whether what was said of each name is linearizable.
func judgeNames(all []naming) error {
	parts := map[string][]porcupine.Operation{}
	for i, n := range all {
		if !n.known && n.verb == look {
			continue
		}
		ret := n.ret
		if !n.known {
			ret = never
		}
		parts[n.name] = append(parts[n.name], porcupine.Operation{ClientId: i, Input: n, Call: n.call, Return: ret})
	}
	for name, history := range parts {
		switch porcupine.CheckOperationsTimeout(set, history, judgeLimit) {
		case porcupine.Illegal:
			return fmt.Errorf("what was said of %s has no order: %+v", name, history)
		case porcupine.Unknown:
			return fmt.Errorf("no order of what was said of %s was found in %v", name, judgeLimit)
		}
	}
	return nil
}
