package report

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/verdict"
)

// Findings are listed with errors first, and folded by class: infos into one, others behind the first
// few. None is left out of the count.
func TestFoldFindings(t *testing.T) {
	several := func(n int, s verdict.Severity, c string) (list []Finding) {
		for i := range n {
			list = append(list, Finding{Class: c, Severity: s, Place: strconv.Itoa(i)})
		}
		return list
	}
	for name, tc := range map[string]struct {
		findings []Finding
		omitted  int
		want     []string
	}{
		"none":         {nil, 0, nil},
		"one info":     {several(1, verdict.Info, "a"), 0, []string{"info a 1 0..0"}},
		"three infos":  {several(3, verdict.Info, "a"), 0, []string{"info a 3 0..2"}},
		"two errors":   {several(2, verdict.Error, "a"), 0, []string{"error a 1 0..0", "error a 1 1..1"}},
		"and left out": {several(100, verdict.Info, "a"), 50, []string{"info a 150 0.."}},
		"errors first": {
			append(several(1, verdict.Info, "a"), several(1, verdict.Error, "b")...), 0,
			[]string{"error b 1 0..0", "info a 1 0..0"},
		},
		"many errors": {several(7, verdict.Error, "a"), 0, []string{
			"error a 1 0..0", "error a 1 1..1", "error a 1 2..2", "error a 1 3..3", "more error a 3 4..6",
		}},
		"few errors and many left out": {several(2, verdict.Error, "a"), 9, []string{
			"error a 1 0..0", "error a 1 1..1", "more error a 9 1..",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Findings{List: tc.findings, Omitted: map[string]int{"a": tc.omitted}}
			var got []string
			n := 0
			for _, f := range fold(r) {
				s := fmt.Sprintf("%s %s %d %s..", f.severity, f.class, f.n, f.first.Place)
				if f.last != nil {
					s += f.last.Place
				}
				if f.more {
					s = "more " + s
				}
				got = append(got, s)
				n += f.n
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if want := len(tc.findings) + tc.omitted; n != want {
				t.Errorf("%d findings told, want %d", n, want)
			}
		})
	}
}
