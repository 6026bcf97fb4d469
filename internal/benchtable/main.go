// Command benchtable turns the output of Go benchmarks into the tables of docs/performance.md.
//
// It reads the output of one or more runs of `go test -bench` on standard input. Benchmarks that
// differ only in a part "impl=NAME" of their names belong together: "impl=ours" is set beside each
// of the others, its peers, run by run, and the median of the ratios is printed beside the goal
// that goals.txt names for it.
package main

import (
	"bufio"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"
)

const ours = "ours"

//go:embed goals.txt
var goalsText string

//go:embed intro.md
var intro string

// series is what one benchmark measured, run after run.
type series map[string][]float64 // by unit

// group is a set of benchmarks that differ only in the implementation.
type group struct {
	pkg, name string
	impls     map[string]series
	order     []string // the implementations, in the order they were first seen
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	goals, err := parseGoals(goalsText)
	if err != nil {
		return err
	}
	groups, err := read(in)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s\nMeasured with %s %s/%s on %d processors.\n", intro, runtime.Version(),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	pkg := ""
	for _, g := range groups {
		if g.pkg != pkg {
			pkg = g.pkg
			fmt.Fprintf(w, "\n## %s\n\n| benchmark | ours | peer | peer's | ratio | goal | |\n", pkg)
			fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
		}
		g.write(w, goals)
	}
	return w.Flush()
}

// read collects the results, in the order in which their groups first appear within a package.
func read(in io.Reader) ([]*group, error) {
	var groups []*group
	byName := map[string]*group{}
	r := benchfmt.NewReader(in, "stdin")
	for r.Scan() {
		res, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue // a line that is no result, such as "PASS"
		}
		name, impl := splitImpl(res.Name)
		pkg := strings.TrimPrefix(res.GetConfig("pkg"), "github.com/raftctl/raftctl/")
		g := byName[pkg+" "+name]
		if g == nil {
			g = &group{pkg: pkg, name: name, impls: map[string]series{}}
			byName[pkg+" "+name] = g
			groups = append(groups, g)
		}
		g.add(impl, res.Values)
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(a.pkg, b.pkg) })
	return groups, errors.Join(r.Err())
}

// splitImpl takes the part "impl=NAME" and the processor count out of a benchmark's name.
func splitImpl(n benchfmt.Name) (name, impl string) {
	base, parts := n.Parts()
	kept := []string{string(base)}
	impl = ours
	for _, p := range parts {
		s := string(p)
		if rest, ok := strings.CutPrefix(s, "/impl="); ok {
			impl = rest
		} else if !strings.HasPrefix(s, "-") {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, ""), impl
}

func (g *group) add(impl string, values []benchfmt.Value) {
	s := g.impls[impl]
	if s == nil {
		s = series{}
		g.impls[impl] = s
		g.order = append(g.order, impl)
	}
	for _, v := range values {
		s[v.Unit] = append(s[v.Unit], v.Value)
	}
}

// write prints a row for each peer, or one row where there is none.
func (g *group) write(w io.Writer, goals []goal) {
	own := g.impls[ours]
	peers := slices.DeleteFunc(slices.Clone(g.order), func(s string) bool { return s == ours })
	if len(peers) == 0 || own == nil {
		for _, impl := range g.order {
			fmt.Fprintf(w, "| %s | %s | | | | | |\n", g.name, g.impls[impl].describe())
		}
		return
	}
	for i, peer := range peers {
		name, figures := g.name, own.describe()
		if i > 0 {
			name, figures = "", ""
		}
		ratio := medianRatio(g.impls[peer]["sec/op"], own["sec/op"])
		want, verdict := "", ""
		if gl, ok := findGoal(goals, g.pkg+"."+g.name, peer); ok {
			want, verdict = fmt.Sprintf("≥ %g×", gl.ratio), "met"
			if ratio < gl.ratio {
				verdict = "**missed**" + g.bound(peer)
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %.2f× | %s | %s |\n",
			name, figures, peer, g.impls[peer].describe(), ratio, want, verdict)
	}
}

// bound tells how many times as fast as a peer a benchmark could be at most, where "impl=copy" measured
// what can't be left out.
func (g *group) bound(peer string) string {
	least := g.impls["copy"]["sec/op"]
	if least == nil {
		return ""
	}
	return fmt.Sprintf("; copying alone %.2f×", medianRatio(g.impls[peer]["sec/op"], least))
}

// describe prints the medians of a series: time first, then the other units by name.
func (s series) describe() string {
	units := []string{"sec/op"}
	for u := range s {
		if u != "sec/op" && u != "B/op" {
			units = append(units, u)
		}
	}
	slices.Sort(units[1:])
	var parts []string
	for _, u := range units {
		if v := s[u]; len(v) > 0 {
			parts = append(parts, format(median(v), u))
		}
	}
	return strings.Join(parts, ", ")
}

func format(v float64, unit string) string {
	num, per, _ := strings.Cut(unit, "/")
	text := benchunit.Scale(v, benchunit.ClassOf(unit))
	switch {
	case unit == "sec/op":
		return text + "s"
	case per == "op" && v == math.Trunc(v) && v < 1000:
		return strconv.Itoa(int(v)) + " " + num
	case per == "op":
		return text + " " + num
	}
	return text + unit
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// medianRatio pairs the i-th runs of two series, which stand next to each other in time.
func medianRatio(a, b []float64) float64 {
	n := min(len(a), len(b))
	if n == 0 {
		return 0
	}
	ratios := make([]float64, n)
	for i := range n {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

// goal says how many times as fast as a peer a benchmark should be.
type goal struct {
	bench *regexp.Regexp // matches "package.Name/part/part"
	peer  string
	ratio float64
}

// parseGoals reads lines of the form "REGEXP PEER RATIO"; "#" begins a comment.
func parseGoals(text string) ([]goal, error) {
	var goals []goal
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 {
			return nil, fmt.Errorf("goals.txt: %q has %d fields, want 3", line, len(f))
		}
		re, err := regexp.Compile(f[0])
		if err != nil {
			return nil, fmt.Errorf("goals.txt: %w", err)
		}
		ratio, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			return nil, fmt.Errorf("goals.txt: %w", err)
		}
		goals = append(goals, goal{bench: re, peer: f[1], ratio: ratio})
	}
	return goals, nil
}

func findGoal(goals []goal, bench, peer string) (goal, bool) {
	for _, g := range goals {
		if g.peer == peer && g.bench.MatchString(bench) {
			return g, true
		}
	}
	return goal{}, false
}
