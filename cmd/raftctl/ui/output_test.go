package ui

import (
	"strings"
	"testing"
)

// Every form but the table has a frame, which makes lists of none, one and two objects readable.
func TestForms(t *testing.T) {
	type result struct {
		A int `json:"a"`
	}
	for _, tc := range []struct {
		form string
		vs   []result
		want string
	}{
		{"json", nil, "[]\n"},
		{"json", []result{{1}}, "{\n  \"a\": 1\n}\n"},
		{"json", []result{{1}, {2}}, "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n"},
		{"jsonl", nil, ""},
		{"jsonl", []result{{1}, {2}}, "{\"a\":1}\n{\"a\":2}\n"},
		{"table", []result{{1}}, "drawn"},
	} {
		var o Output
		if err := o.Set(tc.form); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		err := WriteAll(&o, &b, tc.vs, func() error {
			_, err := b.WriteString("drawn")
			return err
		})
		if err != nil || b.String() != tc.want {
			t.Errorf("%s of %v: got %q, %v, want %q", tc.form, tc.vs, b.String(), err, tc.want)
		}
	}
	for _, f := range forms {
		if (f.frame == nil) != (f.name == "table") {
			t.Errorf("%s: frame %v", f.name, f.frame)
		}
	}
	var o Output
	if err := o.Set("yaml"); err == nil || o.String() != "table" {
		t.Errorf("yaml: got %v, %q", err, o.String())
	}
}
