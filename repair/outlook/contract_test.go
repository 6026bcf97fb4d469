package outlook

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/wal"
)

// table returns the words in the first column of the table of docs/json.md that begins with a
// heading.
func table(t *testing.T, heading string) (words []string) {
	t.Helper()
	b, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(heading) + ` \|.*\n\|[- |]*\n((?:\|.*\n)*)`)
	rows := start.FindSubmatch(b)
	if rows == nil {
		t.Fatalf("no table of %s in docs/json.md", heading)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]*)`").FindAllSubmatch(rows[1], -1) {
		words = append(words, string(m[1]))
	}
	return words
}

// The contract lists every action, trigger and class that the code has, and no others.
func TestContractListsAll(t *testing.T) {
	var actions, triggers, classes []string
	for _, a := range Actions() {
		actions = append(actions, string(a.Action))
	}
	for _, x := range Triggers() {
		triggers = append(triggers, x.Trigger)
	}
	for _, c := range append(wal.Classes(), Classes()...) {
		classes = append(classes, string(c.Class))
	}
	for heading, want := range map[string][]string{
		"`action`": actions, "`trigger`": triggers, "`class` of a finding": classes,
	} {
		if diff := cmp.Diff(want, table(t, heading)); diff != "" {
			t.Errorf("%s in docs/json.md (-code +docs):\n%s", heading, diff)
		}
	}
}

// Every rule is about a trigger that is listed, and every trigger has a rule.
func TestRulesCoverTriggers(t *testing.T) {
	ruled := map[string]bool{}
	for _, r := range rules {
		ruled[string(r.trigger)] = true
	}
	for _, x := range Triggers() {
		if !ruled[x.Trigger] {
			t.Errorf("no rule for %s", x.Trigger)
		}
		delete(ruled, x.Trigger)
	}
	for trigger := range ruled {
		t.Errorf("%s isn't listed", trigger)
	}
}
