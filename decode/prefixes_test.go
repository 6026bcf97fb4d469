package decode

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrefixes(t *testing.T) {
	for byBytes, want := range map[bool][]PrefixCount{
		false: {{"/a/", 3, 6}, {"/b/", 1, 100}},
		true:  {{"/b/", 1, 100}, {"/a/", 3, 6}},
	} {
		p := Prefixes{ByBytes: byBytes}
		for _, key := range []string{"/a/1", "/a/2", "/a/3"} {
			p.Add([]byte(key), 2)
		}
		p.Add([]byte("/b/1"), 100)
		p.Add([]byte("c"), 1)
		got, estimated := p.Top(2)
		if diff := cmp.Diff(want, got); diff != "" || estimated {
			t.Errorf("by bytes %t, estimated %t (-want +got)\n%s", byBytes, estimated, diff)
		}
		if all, _ := p.Top(9); len(all) != 3 {
			t.Errorf("%d prefixes, want 3", len(all))
		}
		if none, _ := p.Top(-1); len(none) != 0 {
			t.Errorf("%d prefixes, want none", len(none))
		}
	}
}

// However many prefixes there are, large ones are found, and no rank is too low.
func TestPrefixesByBytes(t *testing.T) {
	p := Prefixes{ByBytes: true}
	for i := range 100_000 {
		p.Add(fmt.Appendf(nil, "rare/%d/x", i), 10)
		if i%100 == 0 {
			p.Add(fmt.Appendf(nil, "large/%d/x", i%300), 5000)
		}
	}
	top, estimated := p.Top(3)
	if !estimated || len(p.counts) > maxHits {
		t.Errorf("%d prefixes counted, estimated: %t", len(p.counts), estimated)
	}
	for _, c := range top {
		if c.Prefix[:6] != "large/" || c.Bytes < 333*5000 {
			t.Errorf("%+v is among the largest", c)
		}
	}
}

func TestKeyPrefix(t *testing.T) {
	for key, want := range map[string]string{
		"/a/b/c": "/a/b/", "/a": "/", "a": "a", "": "", "a/": "a/",
	} {
		if got := string(KeyPrefix([]byte(key))); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}
