package etcdlog

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// The logs in testdata are those of real servers, one archive a release, and causes.txt says what each has. Both
// are made anew with -update, which takes ten minutes, the latter alone with -causes. Of the lines those are kept that tell something, without
// their stacks.
var (
	update = flag.Bool("update", false, "make the logs in testdata anew, with real servers")
	judge  = flag.Bool("causes", false, "write into testdata which causes the logs have")
)

const causesFile = "testdata/causes.txt"

func archiveOf(release string) string { return filepath.Join("testdata", "etcd-"+release+".txtar") }

// TestUpdate makes the logs anew, if that is asked for.
func TestUpdate(t *testing.T) {
	if !*update {
		return
	}
	archives := map[string]*txtar.Archive{}
	everything := maps.Clone(provocations)
	maps.Copy(everything, clusterProvocations)
	for _, name := range slices.Sorted(maps.Keys(everything)) {
		for _, release := range everything[name].releases {
			if archives[release] == nil {
				archives[release] = new(txtar.Archive)
				if a, err := txtar.ParseFile(archiveOf(release)); err == nil {
					archives[release] = a
				}
			}
			t.Run(name+"-"+release, func(t *testing.T) {
				put(archives[release], name, trim(everything[name].log(t, release)))
			})
		}
	}
	for release, a := range archives {
		must(t, os.WriteFile(archiveOf(release), txtar.Format(a), 0o644))
	}
	must(t, os.WriteFile(causesFile, []byte(allCauses(t)), 0o644))
}

// put puts a log into an archive, in the place of the one of that name.
func put(a *txtar.Archive, name, log string) {
	i, ok := slices.BinarySearchFunc(a.Files, name, func(f txtar.File, name string) int { return strings.Compare(f.Name, name) })
	if !ok {
		a.Files = slices.Insert(a.Files, i, txtar.File{Name: name})
	}
	a.Files[i].Data = []byte(log)
}

var (
	stack   = regexp.MustCompile(`,"stacktrace":"[^"]*"`)
	running = regexp.MustCompile(`"msg":"Running: "`)
	temp    = regexp.MustCompile(`/tmp/Test[A-Za-z0-9.-]+/\d+`)
	shape   = regexp.MustCompile(`[0-9a-f]{6,}|\d+`)
)

// trim keeps of a log what is worth keeping: the first lines, and of those that are alike the first two.
func trim(log string) string {
	const infos, alike, longest = 6, 2, 700
	var b strings.Builder
	seen, kept := map[string]int{}, 0
	for line := range strings.Lines(log) {
		line = temp.ReplaceAllString(stack.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""), "/tmp")
		l := parseLine(0, line)
		tells := l.Level >= LevelWarn || causeOf(&l) != nil
		if running.MatchString(line) || len(line) > longest && !tells {
			continue
		}
		if !tells {
			if kept++; kept > infos || !l.etcd {
				continue
			}
		}
		key := shape.ReplaceAllString(l.Text, "#")
		if seen[key]++; seen[key] <= alike {
			b.WriteString(line[:min(len(line), longest)] + "\n")
		}
	}
	return b.String()
}

// causesIn returns the names of the causes that a log has.
func causesIn(t *testing.T, log string) (names []string) {
	t.Helper()
	r, err := Read(t.Context(), strings.NewReader(log))
	must(t, err)
	for _, h := range r.Hits {
		names = append(names, h.Cause.Name)
	}
	return names
}

// readArchives returns the logs of real servers, by release and name.
func readArchives(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(archiveOf("*"))
	must(t, err)
	logs := map[string]string{}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		must(t, err)
		release := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "etcd-"), ".txtar")
		for _, f := range a.Files {
			logs[f.Name+"-"+release] = string(f.Data)
		}
	}
	return logs
}

// allCauses says of every log in testdata which causes it has.
func allCauses(t *testing.T) string {
	t.Helper()
	logs := readArchives(t)
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(causesIn(t, logs[name]), " "))
	}
	return b.String()
}

// The logs of real servers have the causes that they are known to have.
func TestRealLogs(t *testing.T) {
	if *judge {
		must(t, os.WriteFile(causesFile, []byte(allCauses(t)), 0o644))
	}
	want, err := os.ReadFile(causesFile)
	must(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(allCauses(t), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Real servers still say what they said, of what ends them.
func TestServersStillSaySo(t *testing.T) {
	again := maps.Clone(provocations)
	for _, name := range []string{"forgotten", "bootstrapped", "cluster-id", "no-trailer", "wrong-trailer"} {
		p := clusterProvocations[name]
		p.releases = []string{"3.6"}
		again[name] = p
	}
	logs := readArchives(t)
	for _, name := range slices.Sorted(maps.Keys(again)) {
		for _, release := range again[name].releases {
			t.Run(name+"-"+release, func(t *testing.T) {
				got := causesIn(t, again[name].log(t, release))
				for _, cause := range causesIn(t, logs[name+"-"+release]) {
					if fatal(cause) && !slices.Contains(got, cause) {
						t.Errorf("%v, want %s among them", got, cause)
					}
				}
			})
		}
	}
}

func fatal(name string) bool {
	i := slices.IndexFunc(causes, func(c Cause) bool { return c.Name == name })
	return causes[i].Fatal
}
