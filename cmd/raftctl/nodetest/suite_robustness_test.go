package nodetest

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/etcdtest"
)

// scenario is a line that tells how one scenario of the robustness suite ended, with the fault that was chosen for it.
var scenario = regexp.MustCompile(`(?m)^ {8}--- (PASS|FAIL): TestRobustnessExploratory/(\S+)/(ClusterOfSize\d)/(\S+) `)

// etcd's robustness suite lets clients write and watch while members are killed, replaced and cut off from each other, and
// judges afterwards what they were told, beside what the members' logs hold: with members of ours alone, and with etcd 3.6
// among them or in their place. RAFTCTL_LOOKS says how many rounds there are. It has no sample, only the look whether it is
// there: it wants a number of requests a second, which a machine that runs other tests too may not have.
func TestEtcdRobustness(t *testing.T) {
	if !whole() {
		s := &suite{name: "etcd-robustness", dir: t.TempDir()}
		if all := s.list(t); !slices.Contains(all, "TestRobustnessExploratory") {
			t.Errorf("it has %q", all)
		}
		return
	}
	takeTurn(t)
	for _, version := range []string{"", "3.6"} {
		t.Run("with "+cmp.Or(version, "none")+" among them", func(t *testing.T) {
			dir := etcdFolder(t, "robustness", "--as", "3.7") // a directory of 3.6 becomes one of 3.7, as with etcd
			if version != "" {
				last := filepath.Join(dir, "bin", "etcd-last-release")
				if err := os.Symlink(etcdtest.Binary(t, version, "etcd"), last); err != nil {
					t.Fatal(err)
				}
			}
			s := &suite{
				name: "etcd-robustness",
				dir:  filepath.Join(dir, "robustness"),
				args: []string{"-bin-dir", filepath.Join(dir, "bin")},
				env:  []string{"RESULTS_DIR=" + t.TempDir()},
			}
			ended := map[string]int{}
			for range etcdtest.Looks(t, 1) {
				out, err := s.execute(t, "-test.v", "-test.timeout", suiteTimeout.String(), "-test.run", "Exploratory")
				for _, m := range scenario.FindAllStringSubmatch(out, -1) {
					ended[strings.Join(m[1:], " ")]++
				}
				if err != nil {
					t.Errorf("%v:\n%s", err, complaints(out))
				}
			}
			for _, what := range slices.Sorted(maps.Keys(ended)) {
				t.Logf("%4d %s", ended[what], what)
			}
			if len(ended) == 0 {
				t.Error("no scenario ran")
			}
		})
	}
}

// logged is a line of the suite's own log.
var logged = regexp.MustCompile(`(?m)^ *(logger|proxy)\.go:.*\n`)

// complaints returns the end of what the suite printed, without its log.
func complaints(out string) string {
	out = logged.ReplaceAllString(out, "")
	return out[max(0, len(out)-maxSection):]
}
