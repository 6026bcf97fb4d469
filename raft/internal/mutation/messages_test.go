package mutation

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/mutant"
)

// told are the mutants that the messages of a group give away, to who knows nothing else of it, with the rules of
// decode/stream/check that they break: what is seen first hangs on the seeds.
var told = []struct {
	mutant string
	rules  string // separated by blanks
	quick  bool   // always tried
}{
	{"send promises before they are on disk", "vote_per_term term_back", false},
	{"count learners in the quorum for commit", "commit_quorum", true},
	{"commit entries of earlier terms by counting", "commit_quorum", false},
	{"vote twice in a term", "leader_per_term vote_per_term", false},
	{"forget the vote on restart", "vote_per_term leader_per_term", false},
	{"vote for any log", "committed_stays", false},
	{"count votes of earlier terms", "leader_per_term", false},
	{"commit with half of an even group", "read_quorum commit_quorum", false},
	{"elect with half of an even group", "leader_per_term", false},
	{"commit with the incoming half of a joint quorum", "read_quorum commit_quorum", false},
	{"apply before commit", "commit_quorum", false},
	{"keep entries over a restored snapshot", "ack_beyond", false},
	{"propose membership changes while one is pending", "commit_quorum", false},
	{"tell the commit index by heartbeat to who does not match", "heartbeat_commit", false},
	{"read without asking a quorum", "read_quorum", false},
	{"take any heartbeat's answer for all reads", "read_quorum", false},
	{"read before a commit in the term", "read_quorum", false},
}

// violated matches what the onlooker's test says of a violation.
var violated = regexp.MustCompile(`(?m)^\s+onlooker_test\.go:\d+: seed (\d+): (\w+): (.*)$`)

// TestMessagesTell tries mutants on the onlooker, while the simulator's own checks are off.
func TestMessagesTell(t *testing.T) {
	for _, x := range told {
		t.Run(x.mutant, func(t *testing.T) {
			i := slices.IndexFunc(mutants, func(m mutant.Mutant) bool { return m.Name == x.mutant })
			if i < 0 {
				t.Fatal("no such mutant")
			}
			if !*all && (!x.quick || underRace) {
				return
			}
			dir := t.TempDir()
			out := onlook(t, dir, mutants[i].Overlay(t, core, dir))
			match := violated.FindStringSubmatch(out)
			if match == nil {
				t.Fatalf("no message tells:\n%s", out)
			}
			if !slices.Contains(strings.Fields(x.rules), match[2]) {
				t.Errorf("%s is broken, want one of %s", match[2], x.rules)
			}
			t.Logf("seed %s: %s: %s", match[1], match[2], match[3])
		})
	}
}

// onlook runs the onlooker's test with a mutant and returns what it printed.
func onlook(t *testing.T, dir, overlay string) string {
	t.Helper()
	binary := filepath.Join(dir, "onlooker.test")
	mutant.Build(t, core, "./internal/onlooker", binary, overlay)
	run := exec.CommandContext(t.Context(), binary, "-test.run=^TestWorlds$", "-onlooker.blind", "-onlooker.seeds=3000",
		"-test.timeout=10m")
	out, _ := run.CombinedOutput()
	return string(out)
}
