package repair_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/repair"
	"github.com/raftctl/raftctl/wal"
)

// A segment that is damaged gets its whole copy, which lies at the end of the log, in its place: if the checksums of its
// neighbours prove that this is what it was.
func TestReplaceByCopy(t *testing.T) {
	for name, tt := range map[string]struct {
		at      int    // the segment that is damaged
		from    string // the member whose segment lies at the end
		behind  bool   // the segment behind has lost its head, and proves nothing
		replace bool
	}{
		"the first":          {0, "m1", false, true},
		"of another member":  {0, "m2", false, false},
		"proven by no other": {0, "m1", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, other := newPatient(t, "c36-3m-clean", "m1"), newPatient(t, "c36-3m-clean", tt.from)
			p.split()
			other.split()
			b, err := os.ReadFile(other.segment(tt.at))
			p.must(err)
			last, _ := wal.ParseSegmentName(filepath.Base(p.segment(-1)))
			end := wal.SegmentName{Seq: last.Seq + 1, Index: last.Index}
			p.must(os.WriteFile(filepath.Join(filepath.Dir(p.segment(0)), end.String()), b, 0o600))
			p.edit(tt.at, 0, zero, 4096)
			if tt.behind {
				p.edit(tt.at+1, 0, zero, 64)
			}
			m, plan := p.plan(repair.PlanOptions{})
			if !tt.replace {
				if slices.Contains(remedies(plan), "replace_segment") {
					t.Errorf("replaced: %v", plan.Steps)
				}
				return
			}
			if got := remedies(plan); plan.Status != repair.StatusRepair || !cmp.Equal(got, []string{"replace_segment"}) {
				t.Fatalf("%s by %q, want repair by replace_segment: %v", plan.Status, got, plan.Refused)
			}
			if got, want := entriesOf(t, p.apply(m, plan)), entriesOf(t, p.from); !cmp.Equal(got, want) {
				t.Errorf("the result has %d entries, or others than the %d that there were", len(got), len(want))
			}
		})
	}
}
