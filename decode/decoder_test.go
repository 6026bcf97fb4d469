package decode

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/raftctl/raftctl/raftpb"
)

func TestNewRefuses(t *testing.T) {
	noFile := func(string) ([]byte, error) { return nil, os.ErrNotExist }
	garbage := func(string) ([]byte, error) { return []byte("garbage"), nil }
	for _, tt := range []struct {
		spec string
		env  Env
		want string
	}{
		{"yaml", Env{}, `unknown decoder "yaml", want one of etcd, resp, json, text, hex, raw, proto=, exec=`},
		{"hex=1", Env{}, `decoder "hex=1", want hex`},
		{"etcd=", Env{}, `decoder "etcd=", want etcd`},
		{"proto", Env{}, `decoder "proto", want proto=FILE:MESSAGE`},
		{"proto=a.pb", Env{ReadFile: noFile}, `decoder "proto=a.pb": "a.pb", want FILE:MESSAGE`},
		{"proto=a.pb:M", Env{}, `decoder "proto=a.pb:M": there is no way to read files`},
		{"proto=a.pb:M", Env{ReadFile: noFile}, `decoder "proto=a.pb:M": file does not exist`},
		{"proto=a.pb:M", Env{ReadFile: garbage}, `not a descriptor set`},
		{"proto=a.pb:no.Such", Env{ReadFile: descriptorFile(t)}, `message no.Such`},
		{"proto=a.pb:test.Item.Color", Env{ReadFile: descriptorFile(t)}, `is no message`},
		{"exec=", Env{}, `decoder "exec=", want exec=COMMAND`},
		{"exec=cat", Env{}, `decoder "exec=cat": there is no way to start processes`},
	} {
		_, err := New(tt.spec, tt.env)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.spec, err, tt.want)
		}
	}
	if _, err := New("yaml", Env{}); !errors.Is(err, ErrUnknownDecoder) {
		t.Errorf("%v is not ErrUnknownDecoder", err)
	}
}

func TestNames(t *testing.T) {
	want := []string{"etcd", "resp", "json", "text", "hex", "raw", "proto=", "exec="}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, f := range Formats() {
		if f.Help == "" {
			t.Errorf("%s: no help", f.Name)
		}
	}
}

// descriptorFile returns a function that reads a compiled descriptor set, as protoc writes it, with
//
//	message Item { enum Color { RED = 0; } string name = 1; bytes data = 2; int64 n = 3; Item child = 4; }
//	message Request { Item auth_user_add = 1100; }
func descriptorFile(t *testing.T) func(string) ([]byte, error) {
	t.Helper()
	const text = `file { name: "a.proto" package: "test" syntax: "proto3"
		message_type { name: "Item" enum_type { name: "Color" value { name: "RED" number: 0 } }
			field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
			field { name: "data" number: 2 type: TYPE_BYTES label: LABEL_OPTIONAL }
			field { name: "n" number: 3 type: TYPE_INT64 label: LABEL_OPTIONAL }
			field { name: "child" number: 4 type: TYPE_MESSAGE type_name: ".test.Item" label: LABEL_OPTIONAL } }
		message_type { name: "Request" field { name: "auth_user_add" number: 1100 type: TYPE_MESSAGE
			type_name: ".test.Item" label: LABEL_OPTIONAL } } }`
	set := new(descriptorpb.FileDescriptorSet)
	if err := prototext.Unmarshal([]byte(text), set); err != nil {
		t.Fatal(err)
	}
	raw := marshal(t, set)
	return func(name string) ([]byte, error) {
		if name != "a.pb" {
			return nil, os.ErrNotExist
		}
		return raw, nil
	}
}

func TestPlainDecoders(t *testing.T) {
	for _, tt := range []struct {
		spec, data    string
		op            Op
		summary, json string
	}{
		{"json", "{ \"b\": 1.50, \"a\":\n[true]}", "json", `json 25 B {"b":1.50,"a":[true]}`,
			`{"json":{"b":1.50,"a":[true]}}`},
		{"json", `"\u009b` + "\u009b\"", "json", `json 10 B "\u009b\u009b"`, `{"json":"\u009b\u009b"}`},
		{"text", "two\nlines", "text", `text 9 B "two\nlines"`, `{"text_size":9,"text":"two\nlines"}`},
		{"hex", "ab", "hex", "hex 2 B 0x6162", `{"hex_size":2,"hex":"6162"}`},
		{"raw", "a\x00", "raw", `raw 2 B "a\x00"`, `{"raw_size":2,"raw_base64":"YQA="}`},
		{"etcd", "hello, world", "text", `text 12 B "hello, world"`, `{"text_size":12,"text":"hello, world"}`},
		{"etcd", `{"a": 1}`, "json", `json 8 B {"a":1}`, `{"json":{"a":1}}`},
		{"resp", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n", "set", `set k hello`,
			`{"commands":[{"args":[{"arg":"SET"},{"arg":"k"},{"arg_size":5,"arg":"hello"}]}]}`},
		{"resp", "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", "ping", `ping, and more commands in 20 B`,
			`{"commands":[{"args":[{"arg":"PING"}]},{"args":[{"arg":"DEL"},{"arg":"k"}]}]}`},
		{"resp", "*2\r\n$4\r\nauth\r\n$6\r\nhidden\r\n", "auth", `auth [redacted]`,
			`{"commands":[{"args":[{"arg":"auth"},{"arg":"[redacted]"}]}]}`},
		{"resp", "*1\r\n$3\r\n\x1b[m\r\n", "resp", "resp", `{"commands":[{"args":[{"arg":"\u001b[m"}]}]}`},
	} {
		t.Run(tt.spec+" "+string(tt.op), func(t *testing.T) {
			r := decodeWith(t, tt.spec, Env{}, tt.data)
			if r.Op != tt.op {
				t.Errorf("op %s, want %s", r.Op, tt.op)
			}
			if got := string(r.AppendSummary(nil, Style{})); got != tt.summary {
				t.Errorf("summary\n got %s\nwant %s", got, tt.summary)
			}
			if got := string(r.AppendJSON(nil, Style{})); got != tt.json {
				t.Errorf("json\n got %s\nwant %s", got, tt.json)
			}
		})
	}
}

func decodeWith(t *testing.T, spec string, env Env, data string) *Request {
	t.Helper()
	d, err := New(spec, env)
	if err != nil {
		t.Fatal(err)
	}
	r := new(Request)
	if err := d.Decode(r, normal([]byte(data))); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	return r
}

// TestWrongPayload gives each decoder what it can't read: the error names the entry, and the bytes
// are shown.
func TestWrongPayload(t *testing.T) {
	for _, tt := range []struct{ spec, data, want string }{
		{"etcd", "\xff\xfe", "entry 7 (term 2): not a request of etcd: neither JSON nor text"},
		{"json", "{", "entry 7 (term 2): not JSON: unexpected end of JSON input"},
		{"json", "\"\xff\"", "entry 7 (term 2): not JSON: not UTF-8"},
		{"text", "\xff", "entry 7 (term 2): not text: not UTF-8"},
		{"resp", "PING\r\n", "entry 7 (term 2): not RESP: offset 0: no length in the form of RESP"},
		{"resp", "*0\r\n", "entry 7 (term 2): not RESP: offset 0: array without elements"},
		{"resp", "*2000000000\r\n", "entry 7 (term 2): not RESP: offset 0: longer than the payload"},
		{"resp", "*1\r\n$99\r\nx\r\n", "entry 7 (term 2): not RESP: offset 0: longer than the payload"},
		{"resp", "*1\r\n$1\r\nxyz", "entry 7 (term 2): not RESP: offset 0: no length in the form of RESP"},
		{"resp", "*1\r\n$1\r\n", "entry 7 (term 2): not RESP: offset 0: longer than the payload"},
		{"resp", "*-1\r\n", "entry 7 (term 2): not RESP: offset 0: no length in the form of RESP"},
		{"resp", "*1\r\n$1\r\nx\r\n\n", "entry 7 (term 2): not RESP: offset 11: no length in the form of RESP"},
		{"proto=a.pb:test.Item", "\xff", "entry 7 (term 2): not a test.Item: "},
	} {
		d, err := New(tt.spec, Env{ReadFile: descriptorFile(t)})
		if err != nil {
			t.Fatal(err)
		}
		var r Request
		err = d.Decode(&r, normal([]byte(tt.data)))
		var p *PayloadError
		if !errors.As(err, &p) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s of %q: %v, want %s", tt.spec, tt.data, err, tt.want)
		}
		if got := string(r.AppendSummary(nil, Style{})); !strings.HasPrefix(got, "unknown ") {
			t.Errorf("%s of %q: %s", tt.spec, tt.data, got)
		}
		if got := r.AppendJSON(nil, Style{}); !strings.Contains(string(got), `"data`) || !json.Valid(got) {
			t.Errorf("%s of %q: %s", tt.spec, tt.data, got)
		}
	}
}

// TestMalformedEntries gives every decoder membership changes and types of entries that are none.
func TestMalformedEntries(t *testing.T) {
	for _, e := range []*raftpb.Entry{
		{Term: 2, Index: 7, Type: raftpb.EntryConfChange, Data: []byte{0x08}},
		{Term: 2, Index: 7, Type: raftpb.EntryConfChangeV2, Data: []byte{0xff}},
		{Term: 2, Index: 7, Type: 9, Data: []byte("x")},
	} {
		var r Request
		err := Payload(&r, e)
		var p *PayloadError
		if !errors.As(err, &p) || p.Entry != e.ID() {
			t.Errorf("%v: %v, want a PayloadError", e.Type, err)
		}
		if out := r.AppendJSON(nil, Style{}); !json.Valid(out) {
			t.Errorf("%v: %s", e.Type, out)
		}
	}
}

func TestProtoDecoder(t *testing.T) {
	env := Env{ReadFile: descriptorFile(t)}
	for _, tt := range []struct{ data, summary, json string }{
		{pbBytes(1, "a b") + pbBytes(2, "v") + "\x18\x07" + pbBytes(4, pbBytes(1, "c")),
			`test.Item {"name":"a b","data":"dg==","n":"7","child":{"name":"c"}}`,
			`{"message":"test.Item","proto":{"name":"a b","data":"dg==","n":"7","child":{"name":"c"}}}`},
		{pbBytes(1, "\u009b31m\u202e"), `test.Item {"name":"\u009b31m\u202e"}`,
			`{"message":"test.Item","proto":{"name":"\u009b31m\u202e"}}`},
	} {
		r := decodeWith(t, "proto=a.pb:test.Item", env, tt.data)
		if got := string(r.AppendSummary(nil, Style{})); got != tt.summary {
			t.Errorf("summary\n got %s\nwant %s", got, tt.summary)
		}
		if got := string(r.AppendJSON(nil, Style{})); got != tt.json {
			t.Errorf("json\n got %s\nwant %s", got, tt.json)
		}
	}
	request := string(secretRequests(t)["user_add"])
	r := decodeWith(t, "proto=a.pb:test.Request", env, request)
	if out := r.AppendJSON(nil, Style{Values: ValuesFull}); leaks(out) {
		t.Errorf("secret shown: %s", out)
	}
	env.ShowSecrets = true
	r = decodeWith(t, "proto=a.pb:test.Request", env, request)
	if out := string(r.AppendJSON(nil, Style{Values: ValuesFull})); !strings.Contains(out, "cGw0bnRlZC1TM2NyZXQ=") {
		t.Errorf("secret not shown: %s", out)
	}
}

// TestProtoDepth nests messages deeper than anyone means to.
func TestProtoDepth(t *testing.T) {
	data := ""
	for range 2 * maxProtoDepth {
		data = pbBytes(4, data)
	}
	d, err := New("proto=a.pb:test.Item", Env{ReadFile: descriptorFile(t)})
	if err != nil {
		t.Fatal(err)
	}
	var r Request
	if err := d.Decode(&r, normal([]byte(data))); err == nil {
		t.Errorf("decoded as %s", r.AppendSummary(nil, Style{}))
	}
}
