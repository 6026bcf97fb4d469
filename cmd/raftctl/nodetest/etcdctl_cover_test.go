package nodetest

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// command is a line of etcdctl's help that names a command, in two words where these are one.
var command = regexp.MustCompile(`(?m)^(?:\t|  )([a-z][a-z-]*(?: [a-z-]+)?)(?:\t+|  +| )[A-Z\[c].*$`)

// Each command that etcdctl's help tells of is run several times.
func TestEtcdctlWhole(t *testing.T) {
	for _, release := range releases {
		all := commands(t, release)
		if len(all) < 40 {
			t.Errorf("etcdctl %s has %d commands, want 40 or more: %q", release, len(all), all)
		}
		for _, c := range all {
			n := 0
			for _, s := range scripts {
				for _, l := range s.lines {
					if l.since <= release && strings.HasPrefix(l.args+" ", c+" ") {
						n++
					}
				}
			}
			if n < 2 {
				t.Errorf("etcdctl %s has the command %q, which is run %d times, want 2 or more", release, c, n)
			}
		}
	}
}

// commands returns all commands of etcdctl that do something.
func commands(t *testing.T, release string) (all []string) {
	t.Helper()
	for _, c := range helped(t, release) {
		below := helped(t, release, c)
		for i := range below {
			below[i] = c + " " + below[i]
		}
		if below == nil {
			below = []string{c}
		}
		all = append(all, below...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// helped returns the commands that a help text lists.
func helped(t *testing.T, release string, of ...string) (names []string) {
	t.Helper()
	args := append([]string{"help"}, strings.Fields(strings.Join(of, " "))...)
	cmd := exec.Command(etcdtest.Binary(t, release, "etcdctl"), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(out), "OPTIONS:")
	text, _, _ = strings.Cut(text, "Flags:")
	if _, after, ok := strings.Cut(text, "COMMANDS:"); ok {
		text = after
	} else if _, after, ok := strings.Cut(text, "ommands"); ok {
		text = after
	} else {
		return nil
	}
	for _, m := range command.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "etcdctl") { // how it is called
			names = append(names, m[1])
		}
	}
	return names
}
