package repair_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/repair"
)

// What the user asks for is done though something else would cost less; what can't be done is said.
func TestAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		options  repair.PlanOptions
		healthy  bool
		remedies []string
		lost     []repair.Range
		status   repair.Status
	}{
		"nothing": {repair.PlanOptions{}, false, []string{"begin_anew"}, nil, repair.StatusRepair},
		"neutralise": {repair.PlanOptions{Neutralise: []uint64{1900}, AcceptLoss: true}, false, []string{"neutralise"},
			[]repair.Range{{First: 700, Last: 705}, {First: 1900, Last: 1900}}, repair.StatusLossy},
		"cut, but applied": {repair.PlanOptions{CutAfter: 1900, AcceptLoss: true}, true, nil, nil, repair.StatusNone},
		"cut at the end":   {repair.PlanOptions{CutAfter: 1946}, true, nil, nil, repair.StatusHealthy},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, "c36-3m-clean", "m1")
			if !tt.healthy {
				p.wreck(700, 705)
			}
			_, plan := p.plan(tt.options)
			if plan.Status != tt.status || !cmp.Equal(remedies(plan), tt.remedies) || !cmp.Equal(plan.Cost.Lost, tt.lost) {
				t.Errorf("%s by %q, losing %v; want %s by %q, losing %v", plan.Status, remedies(plan), plan.Cost.Lost,
					tt.status, tt.remedies, tt.lost)
			}
		})
	}
}

// Entries that there aren't can't be asked for.
func TestAskedForNoEntry(t *testing.T) {
	p := newPatient(t, "c36-3m-clean", "m1")
	m := p.open()
	for _, o := range []repair.PlanOptions{{CutAfter: 1947}, {Neutralise: []uint64{5, 1947}}} {
		_, err := repair.NewPlan(t.Context(), m, o)
		if none, ok := errors.AsType[*repair.NoEntryError](err); !ok || *none != (repair.NoEntryError{Index: 1947, First: 1, Last: 1946}) {
			t.Errorf("%+v: %v, want that there is no entry 1947", o, err)
		}
	}
}
