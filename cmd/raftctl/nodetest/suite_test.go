package nodetest

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// suite is a test binary that others wrote, run against members of ours.
type suite struct {
	name    string            // of the file in build/suites, without .test
	tests   int               // how many it has
	sample  []string          // those that run unless all are to
	skipped map[string]string // those that skip themselves, on etcd too, and why
	failing map[string]string // those that etcd passes and a member of ours doesn't, and why
	dir     string            // where it runs
	args    []string
	env     []string
	apart   bool // each test in a process of its own: what one leaves running has the next ones skip themselves
}

// suiteTimeout bounds how long a whole suite takes: etcd's takes 14 minutes.
const suiteTimeout = time.Hour

// apartTimeout bounds how long a test in a process of its own takes.
const apartTimeout = 5 * time.Minute

// outcome is a line that tells how a test, which is no subtest, ended.
var outcome = regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\S+) `)

// run runs the suite, or a sample. Each test ends as is expected of it: also those that are not expected to pass, so
// that the tables of them hold no more than they must.
func (s *suite) run(t *testing.T) {
	all := s.list(t)
	if len(all) != s.tests {
		t.Errorf("the suite has %d tests, want %d", len(all), s.tests)
	}
	for _, table := range [][]string{s.sample, slices.Collect(maps.Keys(s.skipped)), slices.Collect(maps.Keys(s.failing))} {
		for _, name := range table {
			if !slices.Contains(all, name) {
				t.Errorf("%s is no test of the suite", name)
			}
		}
	}
	if !whole() {
		all = s.sample
	}
	out, err := s.tell(t, all)
	got := map[string]string{}
	for _, m := range outcome.FindAllStringSubmatch(out, -1) {
		got[m[2]] = m[1]
	}
	for _, name := range all {
		if want := s.want(name); got[name] != want {
			t.Errorf("%s: %q, want %s\n%s", name, got[name], want, section(out, name))
		}
	}
	if err != nil && len(s.failing) == 0 && !t.Failed() {
		t.Errorf("all tests pass, but it ends with %v:\n%s", err, out[max(0, len(out)-4096):])
	}
	t.Logf("%d tests of %d run", len(all), s.tests)
}

// tell runs tests, and returns what they print.
func (s *suite) tell(t *testing.T, tests []string) (out string, err error) {
	if !s.apart {
		return s.execute(t, "-test.v", "-test.timeout", suiteTimeout.String(), "-test.run", "^("+strings.Join(tests, "|")+")$")
	}
	for _, name := range tests {
		one, ended := s.execute(t, "-test.v", "-test.timeout", apartTimeout.String(), "-test.run", "^"+name+"$")
		if out, err = out+one, errors.Join(err, ended); ended != nil && !outcome.MatchString(one) { // it took too long
			out += "\n--- FAIL: " + name + " (it ended without a word)\n"
		}
	}
	return out, err
}

// want returns how a test is expected to end.
func (s *suite) want(name string) string {
	switch {
	case s.skipped[name] != "":
		return "SKIP"
	case s.failing[name] != "":
		return "FAIL"
	}
	return "PASS"
}

// list returns the names of all tests that the suite has.
func (s *suite) list(t *testing.T) (names []string) {
	t.Helper()
	out, err := s.execute(t, "-test.list", ".*")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "Test") {
			names = append(names, strings.TrimSpace(line))
		}
	}
	return names
}

func (s *suite) execute(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	path := folder(t, "suites", s.name+".test")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("`make suites` builds it: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), suiteTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(args, s.args...)...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// maxSection bounds what is shown of a test's output.
const maxSection = 16 << 10

// section returns the end of what a test printed.
func section(out, name string) string {
	_, after, _ := strings.Cut(out, "=== RUN   "+name+"\n")
	i := outcome.FindAllStringIndex(after, -1)
	for _, at := range i {
		if !strings.Contains(after[at[0]:at[1]], " "+name+" ") {
			continue
		}
		until, _, _ := strings.Cut(after[at[1]:], "\n=== RUN ")
		after = after[:at[1]+len(until)]
		break
	}
	return after[max(0, len(after)-maxSection):]
}
