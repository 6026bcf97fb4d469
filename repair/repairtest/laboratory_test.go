package repairtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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

// Repairs of damaged members lose nothing that is committed and there, make nothing up, and say what they
// can't mend.
func TestLaboratory(t *testing.T) {
	y := newTally()
	first, n := number(t, "RAFTCTL_SEED", 1), number(t, "RAFTCTL_SEEDS", 40)
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+n; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				runSeed(t, seed, y)
			})
		}
	})
	t.Logf("\n%s", y.text())
	if name := os.Getenv("RAFTCTL_TABLE"); name != "" {
		record(t, name, y.text())
	}
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
	dir := os.Getenv("RAFTCTL_KEEP") // what lies there afterwards is the last case, for a look
	if dir == "" {
		dir = t.TempDir()
	}
	donors := g.writeDonors(t, dir)
	for n := range g.cases() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := caseOf(g, seed, n)
			at := filepath.Join(dir, "case", fmt.Sprint(n), "member")
			if err := writeDir(at, s.dir()); err != nil {
				t.Fatal(err)
			}
			if os.Getenv("RAFTCTL_KEEP") == "" {
				defer func() { _ = os.RemoveAll(filepath.Dir(at)) }()
			}
			class := s.class(t)
			for name, r := range map[string]*trial{
				"alone":              {specimen: s, dir: at},
				"with two donors":    {specimen: s, dir: at, donors: donors},
				"with loss accepted": {specimen: s, dir: at, accept: true},
			} {
				r.run(t.Context())
				y.add(name, class, r)
				switch text := r.complaints(); {
				case len(r.wrong) > 0:
					t.Errorf("%s: %s\n%s%s", name, r.outcome(), s.describe(), text)
				case text != "": // it fell short, and did no harm
					t.Logf("%s: %s\n%s%s", name, r.outcome(), s.describe(), text)
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
