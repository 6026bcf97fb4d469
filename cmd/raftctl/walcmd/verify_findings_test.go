package walcmd

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/wal"
)

// Findings are listed with errors first, and folded by class: infos into one, others behind the first
// few. None is left out of the count.
func TestFoldFindings(t *testing.T) {
	several := func(n int, s wal.Severity, c wal.Class) (list []wal.Finding) {
		for i := range n {
			list = append(list, wal.Finding{Class: c, Severity: s, Pos: wal.Position{Off: int64(i)}})
		}
		return list
	}
	for name, tc := range map[string]struct {
		findings []wal.Finding
		omitted  int
		want     []string
	}{
		"none":         {nil, 0, nil},
		"one info":     {several(1, wal.SeverityInfo, "a"), 0, []string{"info a 1 0..0"}},
		"three infos":  {several(3, wal.SeverityInfo, "a"), 0, []string{"info a 3 0..2"}},
		"two errors":   {several(2, wal.SeverityError, "a"), 0, []string{"error a 1 0..0", "error a 1 1..1"}},
		"and left out": {several(100, wal.SeverityInfo, "a"), 50, []string{"info a 150 0.."}},
		"errors first": {
			append(several(1, wal.SeverityInfo, "a"), several(1, wal.SeverityError, "b")...), 0,
			[]string{"error b 1 0..0", "info a 1 0..0"},
		},
		"many errors": {several(7, wal.SeverityError, "a"), 0, []string{
			"error a 1 0..0", "error a 1 1..1", "error a 1 2..2", "error a 1 3..3", "more error a 3 4..6",
		}},
		"few errors and many left out": {several(2, wal.SeverityError, "a"), 9, []string{
			"error a 1 0..0", "error a 1 1..1", "more error a 9 1..",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &wal.Report{Findings: tc.findings, Omitted: map[wal.Class]int{"a": tc.omitted}}
			var got []string
			n := 0
			for _, f := range foldFindings(r) {
				s := fmt.Sprintf("%s %s %d %d..", f.severity, f.class, f.n, f.first.Pos.Off)
				if f.last != nil {
					s += fmt.Sprint(f.last.Pos.Off)
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
