package repairtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// number returns what an environment variable says.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// tally counts what trials came to, by the class of the damage.
type tally struct {
	sync.Mutex
	n map[string]map[string]int
}

func (y *tally) add(class, outcome string) {
	y.Lock()
	defer y.Unlock()
	if y.n[class] == nil {
		y.n[class] = map[string]int{}
	}
	y.n[class][outcome]++
}

// table is the tally as text.
func (y *tally) table() string {
	var columns []string
	for _, row := range y.n {
		for outcome := range row {
			if !slices.Contains(columns, outcome) {
				columns = append(columns, outcome)
			}
		}
	}
	slices.Sort(columns)
	var b strings.Builder
	fmt.Fprintf(&b, "| damage | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("--:|", len(columns)))
	for _, class := range sortedKeys(y.n) {
		fmt.Fprintf(&b, "| %s |", class)
		for _, c := range columns {
			if n := y.n[class][c]; n > 0 {
				fmt.Fprintf(&b, " %d |", n)
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Repairs of damaged members lose nothing that is committed and there, make nothing up, and say what they
// can't mend.
func TestLaboratory(t *testing.T) {
	y := &tally{n: map[string]map[string]int{}}
	first, n := number(t, "RAFTCTL_SEED", 1), number(t, "RAFTCTL_SEEDS", 40)
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+n; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				runSeed(t, seed, y)
			})
		}
	})
	t.Logf("\n%s", y.table())
}

// writeDonors writes the data directories of the other members, and returns them.
func (g *given) writeDonors(t *testing.T, dir string) (list []string) {
	t.Helper()
	for _, d := range g.donors {
		list = append(list, filepath.Join(dir, d.name))
		must(t, writeDir(list[len(list)-1], d.files()))
	}
	return list
}

func runSeed(t *testing.T, seed uint64, y *tally) {
	g := givenBy(t, seed)
	dir := t.TempDir()
	donors := g.writeDonors(t, dir)
	for n := range g.cases() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := caseOf(g, seed, n)
			at := filepath.Join(dir, "case", fmt.Sprint(n), "member")
			if err := writeDir(at, s.dir()); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = os.RemoveAll(filepath.Dir(at)) }()
			class := s.class(t)
			alone := &trial{specimen: s, dir: at}
			helped := &trial{specimen: s, dir: at, donors: donors}
			lossy := &trial{specimen: s, dir: at, accept: true}
			for name, r := range map[string]*trial{"alone": alone, "with donors": helped, "lossy": lossy} {
				r.run(t.Context())
				y.add(name+": "+class, r.outcome())
				if len(r.wrong)+len(r.faults) > 0 || r.err != nil {
					t.Errorf("%s: %s, %v\n%s\n\t%s", name, r.outcome(), r.err, s.describe(),
						strings.Join(append(r.wrong, r.faults...), "\n\t"))
				}
			}
		})
	}
}

// class names what was found first of a specimen's damage.
func (s *specimen) class(t *testing.T) string {
	if len(s.lesions) > 1 {
		return "several"
	}
	for _, f := range verify(t, s.dir()).Findings {
		if f.Severity == "error" {
			return string(f.Class)
		}
	}
	return "none"
}
