package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream/check"
)

// What `message check` and `message stat` print is in the contract, and each rule in docs/messages.md.
func TestCheckJSONContract(t *testing.T) {
	text := readDoc(t, "docs/json.md")
	_, section, _ := strings.Cut(text, "## `message check`")
	section, _, _ = strings.Cut(section, "\n## `version`")
	for _, verb := range []string{"check", "stat"} {
		_, got, _ := command(t, "message", verb, captured("3.6"), "-o", "json")
		var v any
		if err := json.Unmarshal(got, &v); err != nil {
			t.Fatal(err)
		}
		wantNames(t, section, v)
	}
	rules := readDoc(t, "docs/messages.md")
	for _, r := range check.Rules() {
		if !strings.Contains(rules, "| `"+string(r.Name)+"` | "+r.Doc) {
			t.Errorf("docs/messages.md lacks the rule %s: %s", r.Name, r.Doc)
		}
	}
}
