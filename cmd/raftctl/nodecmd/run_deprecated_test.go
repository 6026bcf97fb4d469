package nodecmd

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// Of every flag in etcd's help, with its default, a member says what that etcd says if it is deprecated, and nothing
// if it isn't.
func TestDeprecatedFlags(t *testing.T) {
	for release, least := range map[string]int{"3.5": 8, "3.6": 19, "3.7": 2} {
		names, theirs := etcdDeprecates(t, release)
		ours := deprecatedAmong(names, release)
		slices.Sort(ours)
		slices.Sort(theirs)
		if diff := cmp.Diff(theirs, ours); diff != "" || len(ours) < least {
			t.Errorf("etcd %s, of %d flags: %d warnings, want %d or more; -etcd +ours:\n%s", release, len(names), len(ours), least, diff)
		}
	}
}

// notTaken is what an etcd says of a flag that its help has and it hasn't, or whose default its help doesn't tell.
var notTaken = regexp.MustCompile(`(?m)^(?:flag provided but not defined: -|invalid value .* for flag -|invalid boolean value .* for -)([a-z0-9-]+)`)

// etcdDeprecates gives an etcd all flags in its help that it takes, and returns them with what it says of those that are
// deprecated. It ends because its cluster is one that it is not in.
func etcdDeprecates(t *testing.T, release string) (names, words []string) {
	t.Helper()
	program := etcdtest.Binary(t, release, "etcd")
	help, err := exec.Command(program, "--help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	fixed := []string{"--data-dir=" + filepath.Join(t.TempDir(), "none"), "--initial-cluster=other=http://127.0.0.1:1"}
	flags := map[string]string{}
	for _, m := range helpFlag.FindAllSubmatch(help, -1) {
		name := string(m[1])
		flags[name] = usual(name, string(m[2]))
	}
	for name := range flags {
		if now, ok := strings.CutPrefix(name, "experimental-"); ok {
			delete(flags, now) // it refuses both names at once
		}
	}
	for _, name := range []string{"data-dir", "initial-cluster", "config-file", "feature-gates"} {
		delete(flags, name)
	}
	if release == "3.6" {
		delete(flags, "experimental-warning-unary-request-duration") // it ends on its own warning, for want of a log
	}
	for {
		args := slices.Clone(fixed)
		for name, v := range flags {
			args = append(args, "--"+name+"="+v)
		}
		out, err := exec.Command(program, args...).CombinedOutput()
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			t.Fatalf("etcd %s: %v, want that it isn't in its cluster\n%s", release, err, out)
		}
		m := notTaken.FindSubmatch(out)
		if m == nil {
			for name := range flags {
				names = append(names, name)
			}
			return names, deprecatedIn(t, string(out))
		}
		if _, ok := flags[string(m[1])]; !ok {
			t.Fatalf("etcd %s: %s", release, m[0])
		}
		delete(flags, string(m[1]))
	}
}

// usual is a flag's default: as etcd's help tells it, or else ours.
func usual(name, told string) string {
	f := newFlags().Lookup(name)
	if told != "" || f == nil {
		return told
	}
	if r, ok := f.Value.(refused); ok {
		return r.usual[0]
	}
	return f.Value.String()
}

// deprecatedIn returns the lines of a log that warn of flags.
func deprecatedIn(t *testing.T, log string) (words []string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var fields struct{ Level, Msg string }
		if !strings.HasPrefix(line, "{") {
			continue // of a time when the log isn't open yet
		}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if fields.Level == "warn" && strings.Contains(fields.Msg, "deprecated") {
			words = append(words, fields.Msg)
		}
	}
	return words
}

// A flag is as deprecated in the environment and in the config file.
func TestDeprecatedAnywhere(t *testing.T) {
	const flag = "experimental-corrupt-check-time"
	a := testApp(t, map[string]string{variable(flag): "7s"})
	from, err := newSettings().read(a, newFlags())
	if err != nil || len(deprecatedAmong(from.names, "")) != 1 {
		t.Errorf("the environment: %q, %v", from.names, err)
	}
	fs := newFlags()
	if err := fs.Parse([]string{"--" + flag, "7s"}); err != nil {
		t.Fatal(err)
	}
	from, err = newSettings().read(testApp(t, nil), fs)
	if err != nil || len(deprecatedAmong(from.names, "")) != 1 {
		t.Errorf("a flag: %q, %v", from.names, err)
	}
	a = testApp(t, nil)
	file := filepath.Join(a.Dir, "etcd.yml")
	if err := os.WriteFile(file, []byte(flag+": 7s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSettings()
	s.configFile = file
	from, err = s.read(a, newFlags())
	if err != nil || len(deprecatedAmong(from.names, "")) != 1 {
		t.Errorf("the config file: %q, %v", from.names, err)
	}
	if words := deprecatedAmong(from.names, "3.5"); words != nil {
		t.Errorf("etcd 3.5 says %q", words)
	}
}

// The words are in a member's log.
func TestRunLogsDeprecated(t *testing.T) {
	r := startMember(t, t.TempDir(), "--max-snapshots", "3", "--experimental-corrupt-check-time", "7s")
	r.stop(errTerminated)
	words := deprecatedIn(t, r.log.String())
	if want := deprecatedAmong([]string{"max-snapshots", "experimental-corrupt-check-time"}, ""); !slices.Equal(words, want) {
		t.Errorf("%q, want %q", words, want)
	}
}
