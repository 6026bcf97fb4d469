package decode

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestDiffValues(t *testing.T) {
	for _, tt := range []struct {
		name, before, after string
		lines, json         string
	}{
		{"field", `{"spec":{"replicas":3,"a":"b"}}`, `{"spec":{"replicas":5,"a":"b"}}`, ".spec.replicas 3 → 5",
			`{"form":"json","before_size":31,"after_size":31,"changes":[{"path":".spec.replicas","before":3,"after":5}]}`},
		{"added and removed", `{"a":1,"b":{"c":2}}`, `{"b":{"d":[3, 4]}}`,
			".a removed 1|.b.c removed 2|.b.d added [3,4]",
			`{"form":"json","before_size":19,"after_size":18,"changes":[{"path":".a","before":1},` +
				`{"path":".b.c","before":2},{"path":".b.d","after":[3,4]}]}`},
		{"elements", `[{"name":"a"},{"name":"b"}]`, `[{"name":"a"},{"name":"c"}]`, `.[1].name "b" → "c"`,
			`{"form":"json","before_size":27,"after_size":27,"changes":[{"path":".[1].name","before":"b","after":"c"}]}`},
		{"elements at the front", `{"x":[1,2,3]}`, `{"x":[0,1,2,3]}`, ".x[0] added 0",
			`{"form":"json","before_size":13,"after_size":15,"changes":[{"path":".x[0]","after":0}]}`},
		{"element within", `{"x":[1,2,3]}`, `{"x":[1,3]}`, ".x[1] removed 2",
			`{"form":"json","before_size":13,"after_size":11,"changes":[{"path":".x[1]","before":2}]}`},
		{"names with signs", `{"labels":{"a/b":"c","x\u001by":1}}`, `{"labels":{"a/b":"d","x\u001by":2}}`,
			`.labels["a/b"] "c" → "d"|.labels["x\u001by"] 1 → 2`,
			`{"form":"json","before_size":35,"after_size":35,"changes":[{"path":".labels[\"a/b\"]","before":"c","after":"d"},` +
				`{"path":".labels[\"x\\u001by\"]","before":1,"after":2}]}`},
		{"forms", `{"a":{"b":1}}`, `{"a":[1]}`, `.a {"b":1} → [1]`,
			`{"form":"json","before_size":13,"after_size":9,"changes":[{"path":".a","before":{"b":1},"after":[1]}]}`},
		{"all of it", `{"a":1}`, `[1]`, `. {"a":1} → [1]`,
			`{"form":"json","before_size":7,"after_size":3,"changes":[{"path":".","before":{"a":1},"after":[1]}]}`},
		{"white space", `{"a":1,"b":"\u0041"}`, `{ "b": "A", "a": 1 }`,
			"only white space, escapes or the order of members differ",
			`{"form":"json","before_size":20,"after_size":20,"changes":[]}`},
		{"secret", `{"password":"old","a":1}`, `{"password":"new!","a":2}`,
			`.password "[redacted]", a secret in it changed|.a 1 → 2`,
			`{"form":"json","before_size":24,"after_size":25,"changes":[{"path":".password","before":"[redacted]",` +
				`"after":"[redacted]","redacted":true},{"path":".a","before":1,"after":2}]}`},
		{"secret within", `{"tokens":{"a":"old","b":1}}`, `{"tokens":{"c":"new","b":1}}`,
			`.tokens "[redacted]", a secret in it changed`,
			`{"form":"json","before_size":28,"after_size":28,"changes":[{"path":".tokens","before":"[redacted]",` +
				`"after":"[redacted]","redacted":true}]}`},
		{"secret added", `{"a":1}`, `{"a":1,"x":{"token":"new","b":[2]}}`, `.x added {"token":"[redacted]","b":[2]}`,
			`{"form":"json","before_size":7,"after_size":35,"changes":[{"path":".x","after":{"token":"[redacted]","b":[2]},` +
				`"redacted":true}]}`},
		{"secret in an address", `{"x":"a://u:old@h"}`, `{"x":"a://u:new@g"}`,
			`.x "a://u:[redacted]@h" → "a://u:[redacted]@g"`,
			`{"form":"json","before_size":19,"after_size":19,"changes":[{"path":".x","before":"a://u:[redacted]@h",` +
				`"after":"a://u:[redacted]@g","redacted":true}]}`},
		{"secret name", `{"eyJhbGciOiJIUzI1NiJ9":1}`, `{"eyJhbGciOiJIUzI1NiJ9":2}`, `.["[redacted]"] 1 → 2`,
			`{"form":"json","before_size":26,"after_size":26,"changes":[{"path":".[\"[redacted]\"]","before":1,"after":2}]}`},
		{"text", "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 4\nc: 3\n", `line 2: "b: 2" → "b: 4"`,
			`{"form":"text","before_size":15,"after_size":15,"offset":8,"line":2,"before":"b: 2","after":"b: 4"}`},
		{"text, longer", "hello", "hello, world", `line 1: "hello" → "hello, world"`,
			`{"form":"text","before_size":5,"after_size":12,"offset":5,"line":1,"before":"hello","after":"hello, world"}`},
		{"text with a secret", "a: 1\npassword: old\n", "a: 1\npassword: new\n",
			`line 2: "password: [redacted]", a secret in it differs`,
			`{"form":"text","before_size":19,"after_size":19,"offset":15,"line":2,"before":"password: [redacted]",` +
				`"after":"password: [redacted]","redacted":true}`},
		{"binary", "\x00\x01\x02", "\x00\x01\x03\x1b", "3 B → 4 B, differs from byte 2 on",
			`{"form":"binary","before_size":3,"after_size":4,"offset":2}`},
		{"json and text", `{"a":1}`, "a", `line 1: "{\"a\":1}" → "a"`,
			`{"form":"text","before_size":7,"after_size":1,"offset":0,"line":1,"before":"{\"a\":1}","after":"a"}`},
		{"object", kubernetesValue("v1", "Pod", "a", "b"), kubernetesValue("v1", "Pod", "a", "bc"),
			"v1/Pod a/bc 47 B → 48 B, only metadata differs",
			`{"form":"kubernetes","before_size":47,"after_size":48,"kubernetes":{"api_version":"v1","kind":"Pod",` +
				`"namespace":"a","name":"bc"},"metadata_only":true}`},
		{"object's spec", kubernetesObject("Pod", pbBytes(2, "a")), kubernetesObject("Pod", pbBytes(2, "b")),
			"v1/Pod default/x 34 B → 34 B",
			`{"form":"kubernetes","before_size":34,"after_size":34,"kubernetes":{"api_version":"v1","kind":"Pod",` +
				`"namespace":"default","name":"x"},"metadata_only":false}`},
		{"object that is a secret", kubernetesValue("v1", "Secret", "a", "b"), kubernetesValue("v1", "Secret", "a", "cc"),
			"50 B → 51 B [redacted]", `{"form":"redacted","before_size":50,"after_size":51,` +
				`"kubernetes":{"api_version":"v1","kind":"Secret","namespace":"a","name":"cc"}}`},
		{"resource", `{"apiVersion":"a/v1","kind":"B","metadata":{"name":"c"},"x":1}`,
			`{"apiVersion":"a/v1","kind":"B","metadata":{"name":"c"},"x":2}`, ".x 1 → 2",
			`{"form":"json","before_size":62,"after_size":62,"kubernetes":{"api_version":"a/v1","kind":"B","name":"c"},` +
				`"changes":[{"path":".x","before":1,"after":2}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Style{}
			d := DiffValues([]byte("/k"), []byte(tt.before), []byte(tt.after), s)
			lines := strings.ReplaceAll(strings.TrimSuffix(string(d.AppendLines(nil, "", s)), "\n"), "\n", "|")
			if lines != tt.lines {
				t.Errorf("lines\n got %s\nwant %s", lines, tt.lines)
			}
			got := string(d.AppendJSON(nil, s))
			if got != tt.json || !json.Valid([]byte(got)) {
				t.Errorf("json\n got %s\nwant %s", got, tt.json)
			}
		})
	}
}

func TestDiffStyles(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		style         Style
		before, after string
		lines, json   string
	}{
		{Style{Values: ValuesNone}, `{"a":1,"b":2}`, `{"a":3,"c":4}`, "  .a changed\n  .b removed\n  .c added\n",
			`{"form":"json","before_size":13,"after_size":13,"changes":[{"path":".a","before_size":1,"after_size":1},` +
				`{"path":".b","before_size":1},{"path":".c","after_size":1}]}`},
		{Style{Values: ValuesNone}, "a\nb", "a\nc", "  line 2 differs\n",
			`{"form":"text","before_size":3,"after_size":3,"offset":2,"line":2}`},
		{Style{}, `{"a":1}`, `{"a":"` + long + `"}`, `  .a 1 → "` + long[:63] + "…\n",
			`{"form":"json","before_size":7,"after_size":308,"changes":[{"path":".a","before":1,"after_size":302,` +
				`"after_prefix":"\"` + long[:63] + `"}]}`},
		{Style{ShowSecrets: true}, `{"password":"a"}`, `{"password":"b"}`, "  .password \"a\" → \"b\"\n",
			`{"form":"json","before_size":16,"after_size":16,"changes":[{"path":".password","before":"a","after":"b"}]}`},
		{Style{Width: 9}, `{"password":"a"}`, `{"password":"b"}`, "  .passwor…\n",
			`{"form":"json","before_size":16,"after_size":16,"changes":[{"path":".password","before":"[redacted]",` +
				`"after":"[redacted]","redacted":true}]}`},
	} {
		d := DiffValues(nil, []byte(tt.before), []byte(tt.after), &tt.style)
		if got := string(d.AppendLines(nil, "  ", &tt.style)); got != tt.lines {
			t.Errorf("%+v: lines\n got %s\nwant %s", tt.style, got, tt.lines)
		}
		if got := string(d.AppendJSON(nil, &tt.style)); got != tt.json {
			t.Errorf("%+v: json\n got %s\nwant %s", tt.style, got, tt.json)
		}
	}
}

// Keys tell of secrets too, and values that are too large are compared by bytes.
func TestDiffForms(t *testing.T) {
	large := strings.Repeat("x", diffSize)
	for _, tt := range []struct {
		key, before, after string
		want               DiffForm
	}{
		{"/app/token", "a", "b", DiffRedacted},
		{"/app/token", `{"a":1}`, `{"a":2}`, DiffRedacted},
		{"/app/x", large + "a", large + "b", DiffBinary},
		{"/app/x", large[1:] + "a", large[1:] + "b", DiffText},
		{"/app/x", "\x00password=x", "\x00password=y", DiffRedacted},
		{"/app/x", "a", kubernetesValue("v1", "Secret", "a", "b"), DiffRedacted},
		{"/app/x", "k8s:enc:a:b:c:\x01", "k8s:enc:a:b:c:\x02", DiffKubernetes},
		{"/app/x", `{"a":"` + "\xff" + `"}`, `{"a":1}`, DiffBinary},
	} {
		d := DiffValues([]byte(tt.key), []byte(tt.before), []byte(tt.after), &Style{})
		if d.Form != tt.want || len(d.Changes) > 0 {
			t.Errorf("%s: %.20q and %.20q: %s, want %s", tt.key, tt.before, tt.after, d.Form, tt.want)
		}
	}
}

func TestDiffIsBounded(t *testing.T) {
	object := func(n, value int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":%d`, i, value)
		}
		return "{" + b.String()[1:] + "}"
	}
	d := DiffValues(nil, []byte(object(300, 1)), []byte(object(300, 2)), &Style{})
	if len(d.Changes) != diffChanges || d.LeftOut != 300-diffChanges {
		t.Errorf("%d changes, %d left out", len(d.Changes), d.LeftOut)
	}
	if lines := string(d.AppendLines(nil, "", &Style{})); !strings.HasSuffix(lines, "and 200 more changes\n") {
		t.Errorf("lines end in %s", lines[len(lines)-50:])
	}
	for name, d := range map[string]ValueDiff{
		"members": DiffValues(nil, []byte(object(diffMembers+1, 1)), []byte(object(diffMembers+1, 2)), &Style{}),
		"depth": DiffValues(nil, []byte(strings.Repeat("[", 9000)+"1"+strings.Repeat("]", 9000)),
			[]byte(strings.Repeat("[", 9000)+"2"+strings.Repeat("]", 9000)), &Style{}),
	} {
		if len(d.Changes) != 1 || d.LeftOut != 0 {
			t.Errorf("%s: %d changes, want 1 that stands for all", name, len(d.Changes))
		}
	}
	same := DiffValues(nil, []byte(strings.Repeat("[", 100)+"1 "+strings.Repeat("]", 100)),
		[]byte(strings.Repeat("[", 100)+" 1"+strings.Repeat("]", 100)), &Style{})
	if len(same.Changes) != 0 {
		t.Error("white space deep within counts as a change")
	}
}
