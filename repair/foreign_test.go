package repair_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// Of two segments of two members, the one of a donor is not the log's. Without donors nothing tells that.
func TestSegmentOfDonor(t *testing.T) {
	for name, tt := range map[string]struct {
		donors   []string
		status   repair.Status
		remedies []string
		told     bool // that the log begins later
	}{
		"with donors": {[]string{"m2", "m3"}, repair.StatusRepair, []string{"drop_segment"}, true},
		"of others":   {[]string{"m3"}, repair.StatusNone, nil, false},
		"alone":       {nil, repair.StatusNone, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, other := newPatient(t, "c36-3m-clean", "m1"), newPatient(t, "c36-3m-clean", "m2")
			p.split()
			other.split()
			b, err := os.ReadFile(other.segment(-2))
			p.must(err)
			p.must(os.WriteFile(p.segment(-2), b, 0o600))
			names := p.segments()
			for _, name := range names[:len(names)-2] {
				p.must(os.Remove(name))
			}
			m, plan := p.plan(repair.PlanOptions{Donors: donorsOf(t, "c36-3m-clean", tt.donors...)})
			if got := remedies(plan); plan.Status != tt.status || !cmp.Equal(got, tt.remedies) {
				t.Fatalf("%s by %q, want %s by %q: %v", plan.Status, got, tt.status, tt.remedies, plan.Refused)
			}
			first, _ := wal.ParseSegmentName(filepath.Base(names[len(names)-2]))
			next, _ := wal.ParseSegmentName(filepath.Base(p.segment(-1)))
			var folded []repair.Range
			if tt.told {
				folded = []repair.Range{{First: first.Index, Last: next.Index - 1}}
			}
			if !cmp.Equal(plan.Cost.Folded, folded) {
				t.Errorf("%v leave the log, want %v", plan.Cost.Folded, folded)
			}
			if plan.Status != repair.StatusRepair {
				return
			}
			out := filepath.Join(t.TempDir(), "new")
			if _, err := plan.Apply(t.Context(), m, repair.ApplyOptions{Output: out, Now: noon}); err != nil {
				t.Fatal(err)
			}
			if got, want := nodeID(t, out), nodeID(t, p.from); got != want {
				t.Errorf("the result is member %x's, want %x's", got, want)
			}
		})
	}
}
