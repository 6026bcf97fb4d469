package ui

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for name, tc := range map[string]struct {
		text  string
		width int
		want  []string
	}{
		"no terminal":  {"a  b", 0, []string{"a  b"}},
		"fits":         {"twenty columns, just", 20, []string{"twenty columns, just"}},
		"two lines":    {"twenty columns, just not", 20, []string{"twenty columns, just", "not"}},
		"wide word":    {"a 0000000000000000-0000000000000000.wal b", 20, []string{"a", "0000000000000000-0000000000000000.wal", "b"}},
		"two columns":  {"世界世界世界 世界世界世界", 20, []string{"世界世界世界", "世界世界世界"}},
		"never slim":   {"one two three four five", 3, []string{"one two three four", "five"}},
		"nothing":      {"", 20, []string{""}},
		"more than 20": {"one two three four five six", 24, []string{"one two three four five", "six"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Wrap(tc.text, tc.width)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	want := "    one two three four\n    five six seven\n"
	if got := Indented("one two three four five six seven", 4, 24); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
