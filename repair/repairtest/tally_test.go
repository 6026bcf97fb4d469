package repairtest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tally counts what trials came to, by what was found wrong.
type tally struct {
	sync.Mutex
	n      map[string]map[string]map[string]int // by mode, class and outcome
	wrong  int                                  // successes that are none
	faults int
}

func newTally() *tally { return &tally{n: map[string]map[string]map[string]int{}} }

func (y *tally) add(mode, class string, r *trial) {
	y.Lock()
	defer y.Unlock()
	if y.n[mode] == nil {
		y.n[mode] = map[string]map[string]int{}
	}
	if y.n[mode][class] == nil {
		y.n[mode][class] = map[string]int{}
	}
	y.n[mode][class][r.outcome()]++
	y.wrong += min(len(r.wrong), 1)
	y.faults += min(len(r.faults), 1)
}

// text is the tally as tables of Markdown, one a mode.
func (y *tally) text() string {
	var b strings.Builder
	total := 0
	for _, mode := range sortedKeys(y.n) {
		n := y.table(&b, mode)
		total += n
	}
	return fmt.Sprintf("%d trials, of which %d ended with a wrong success and %d otherwise not as they should.\n", total,
		y.wrong, y.faults) + b.String()
}

func (y *tally) table(b *strings.Builder, mode string) (total int) {
	count := map[string]int{}
	for _, row := range y.n[mode] {
		for outcome, n := range row {
			count[outcome] += n
			total += n
		}
	}
	columns := slices.SortedFunc(maps.Keys(count), func(p, q string) int {
		return cmp.Or(count[q]-count[p], strings.Compare(p, q))
	})
	fmt.Fprintf(b, "\n| %s | %s |\n|---|%s\n", mode, strings.Join(columns, " | "), strings.Repeat("--:|", len(columns)))
	for _, class := range sortedKeys(y.n[mode]) {
		fmt.Fprintf(b, "| %s |", class)
		for _, c := range columns {
			fmt.Fprintf(b, " %s |", strings.TrimPrefix(fmt.Sprint(y.n[mode][class][c]), "0"))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "| all |")
	for _, c := range columns {
		fmt.Fprintf(b, " %d |", count[c])
	}
	b.WriteByte('\n')
	return total
}

// The tables of a long run stand between these lines of the file that RAFTCTL_TABLE names.
const (
	tablesBegin = "<!-- tables of the damage laboratory: made by `make lab` -->\n"
	tablesEnd   = "<!-- end of the tables -->\n"
)

// record puts tables into a file: in the place of those that are there, or at its end.
func record(t *testing.T, name, text string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if !errors.Is(err, os.ErrNotExist) {
		must(t, err)
	}
	before, rest, _ := strings.Cut(string(b), tablesBegin)
	_, after, _ := strings.Cut(rest, tablesEnd)
	must(t, os.WriteFile(name, []byte(before+tablesBegin+text+tablesEnd+after), 0o644))
}
