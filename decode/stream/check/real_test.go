package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/verdict"
)

// captured returns what the members of a real cluster of a release said, from its beginning on.
func captured(t *testing.T, release string) (list []*stream.Event) {
	t.Helper()
	f, err := os.Open(filepath.Join(filepath.Dir(corpus.Archive("c36-3m-clean")), "peers-"+release+".pcap.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	c, err := capture.Open(f, capture.Options{Source: release})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for e, err := range c.Events() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Clone())
	}
	return list
}

// verdictOn judges events, which violate nothing.
func verdictOn(t *testing.T, list []*stream.Event, keep func(i int, e *stream.Event) bool) *check.Report {
	t.Helper()
	c := check.New(check.Options{})
	for i, e := range list {
		if keep(i, e) {
			c.Add(e)
		}
	}
	rep := c.Report()
	for _, r := range rep.Rules {
		for _, v := range r.Violations {
			t.Errorf("%s: %s", r.Name, v.Found)
		}
	}
	return rep
}

// Real members keep to the rules, whichever part of it is seen; of the whole, nothing is left unchecked.
func TestRealMembersKeepToTheRules(t *testing.T) {
	for _, release := range []string{"3.5", "3.6", "3.7"} {
		t.Run(release, func(t *testing.T) {
			list := captured(t, release)
			rep := verdictOn(t, list, func(int, *stream.Event) bool { return true })
			if rep.Verdict != verdict.OK {
				t.Errorf("verdict %s, want ok: %+v", rep.Verdict, rep.Rules)
			}
			for first := range list {
				verdictOn(t, list, func(i int, _ *stream.Event) bool { return i >= first })
			}
			members := map[uint64]bool{}
			for _, e := range list {
				members[e.From] = true
			}
			for id := range members {
				verdictOn(t, list, func(_ int, e *stream.Event) bool { return e.From == id || e.To == id })
				verdictOn(t, list, func(_ int, e *stream.Event) bool { return e.From != id })
			}
		})
	}
}
