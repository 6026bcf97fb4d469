package decode

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// seeds adds requests of all kinds, from real logs and made up.
func seeds(f *testing.F) {
	seen := make(map[Op]int)
	var r Request
	for _, name := range []string{"c34-1n-clean", "c36-leasecp-1n-clean", "chain-1n-after37"} {
		for e := range entriesOf(f, corpus.Log{Name: name, Dir: corpus.Dir(f, name)}) {
			if err := Payload(&r, e); err != nil {
				f.Fatal(err)
			}
			if seen[r.Op]++; seen[r.Op] <= 3 {
				f.Add(int32(e.Type), bytes.Clone(e.Data))
			}
		}
	}
	for _, data := range secretRequests(f) {
		f.Add(int32(0), data)
	}
	for _, s := range []string{"*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n", `{"a":[1,"\u009b"]}`, "text\x1b[31m", "\xff\x00",
		kubernetesValue("v1", "Pod", "a", "b"), nestedTxn(3), nestedTxn(100)} {
		f.Add(int32(0), []byte(s))
	}
	f.Add(int32(1), []byte("\x08\x01\x18\x07\x22\x02{}"))
	f.Add(int32(2), []byte("\x08\x02\x12\x02\x10\x07"))
}

// nestedTxn returns a request with that many transactions in each other.
func nestedTxn(n int) string {
	txn := ""
	for range n {
		txn = pbBytes(2, pbBytes(4, txn))
	}
	return pbBytes(6, txn)
}

var fuzzStyles = []Style{
	{}, {Values: ValuesNone, Width: 40}, {Values: ValuesFull}, {Values: ValuesFull, ShowSecrets: true},
}

// FuzzDecode gives every decoder any bytes. Whatever they are, what is shown is printable, the JSON
// is valid, its size is bounded by that of the payload, and the payload stays as it was.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, typ int32, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		before := bytes.Clone(data)
		e := &raftpb.Entry{Type: raftpb.EntryType(typ % 4), Data: data}
		var r Request
		for _, spec := range plainSpecs {
			d, err := New(spec, Env{})
			if err != nil {
				t.Fatal(err)
			}
			_ = d.Decode(&r, e) // either way, it can be shown
			for _, s := range fuzzStyles {
				checkShown(t, &r, s)
			}
			for a := range r.Accesses() {
				if len(a.Key)+len(a.Value) > len(data) {
					t.Fatalf("%s: access %v beyond the payload", spec, a)
				}
			}
			r.TouchesPrefix([]byte("k"))
		}
		if !bytes.Equal(data, before) {
			t.Fatal("the payload was changed")
		}
	})
}

func checkShown(t *testing.T, r *Request, s Style) {
	summary := r.AppendSummary(nil, s)
	if bad := badRune(summary); bad >= 0 {
		t.Fatalf("summary has %U: %q", bad, summary)
	}
	if s.Width > 0 && columns(summary) > s.Width {
		t.Fatalf("summary of %d columns, want %d: %s", columns(summary), s.Width, summary)
	}
	out := r.AppendJSON(nil, s)
	if bad := badRune(out); bad >= 0 {
		t.Fatalf("JSON has %U: %q", bad, out)
	}
	if !json.Valid(out) || out[0] != '{' || !utf8.Valid(out) {
		t.Fatalf("no JSON object: %s", out)
	}
	// A field of 2 bytes may become {"request_delete_range":{…}} and the like.
	if limit := 512 + 128*r.Size; len(out) > limit || len(summary) > limit {
		t.Fatalf("%d bytes of JSON, %d of summary for a payload of %d", len(out), len(summary), r.Size)
	}
	if again := r.AppendJSON(nil, s); !bytes.Equal(again, out) {
		t.Fatalf("not the same twice:\n%s\n%s", out, again)
	}
	if names := duplicate(out); names != "" {
		t.Fatalf("member %s twice: %s", names, out)
	}
}

// duplicate returns the name of a top-level member that is there twice.
func duplicate(object []byte) string {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return ""
	}
	seen := make(map[string]bool)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return ""
		}
		if s, _ := name.(string); seen[s] {
			return s
		} else {
			seen[s] = true
		}
		var skip json.RawMessage
		if d.Decode(&skip) != nil {
			return ""
		}
	}
	return ""
}

// FuzzValues gives any key and any values to what shows them. Nothing in it acts on a terminal, the JSON
// is valid, masking keeps the size, and the values stay as they were.
func FuzzValues(f *testing.F) {
	for _, p := range plants(7, 1) {
		f.Add([]byte(p.key), []byte(p.value), []byte("x"+p.value))
	}
	f.Add([]byte("\x1b[31m"), []byte("{\"\x1b\":\"\u009b\"}"), []byte("{\"\u202e\":\"\\u001b[31m\"}"))
	f.Add([]byte("k"), []byte("a\x1b\nb"), []byte("a\u009b\nb\xff"))
	f.Add([]byte("k"), []byte(`{"apiVersion":"\u001b","kind":"\\","metadata":{"name":"\u009b"}}`), []byte("k8s:enc:\x1b:b:c:"))
	f.Fuzz(func(t *testing.T, key, before, after []byte) {
		if len(key)+len(before)+len(after) > 1<<16 {
			return
		}
		kept := bytes.Clone(before)
		for _, s := range fuzzStyles {
			out := AppendValue(nil, key, before, &s)
			if bad := badRune(out); bad >= 0 {
				t.Fatalf("%+v: %U in %q", s, bad, out)
			}
			checkObject(t, append(AppendValueJSON([]byte("{"), key, before, &s), '}'))
			d := DiffValues(key, before, after, &s)
			if bad := badRune(bytes.ReplaceAll(d.AppendLines(nil, "", &s), []byte("\n"), nil)); bad >= 0 {
				t.Fatalf("%+v: %U in lines of %q and %q", s, bad, before, after)
			}
			checkObject(t, d.AppendJSON(nil, &s))
		}
		if got := AppendMasked(nil, before); len(got) != len(before) {
			t.Fatalf("%q masked as %q", before, got)
		}
		if !bytes.Equal(kept, before) {
			t.Fatal("the value was changed")
		}
	})
}

func checkObject(t *testing.T, out []byte) {
	t.Helper()
	if bad := badRune(out); bad >= 0 {
		t.Fatalf("JSON has %U: %q", bad, out)
	}
	if !json.Valid(out) || !utf8.Valid(out) || duplicate(out) != "" {
		t.Fatalf("no JSON object: %s", out)
	}
}

// FuzzReference compares every payload that etcd's own types can read, and ours takes for a
// request, with what they read.
func FuzzReference(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, _ int32, data []byte) {
		var r Request
		_ = Payload(&r, normal(data)) // bytes that are no request are left to FuzzDecode
		_, ok := r.body.(internalRequest)
		if !ok || msgInternal.lookup().has(data, msgInternal.lookup().named("v2")) ||
			bytes.Contains(r.AppendJSON(nil, Style{}), []byte(`"unknown_fields"`)) ||
			bytes.Contains(r.AppendJSON(nil, Style{}), []byte(`"too_deep"`)) {
			return // what etcd 3.7 does not show
		}
		diff, err := compareWithReference(data)
		if err != nil {
			return // not UTF-8, which protobuf refuses
		}
		if diff != "" {
			t.Fatalf("%x\n%s", data, diff)
		}
	})
}

// FuzzSecrets changes everything around a secret: it must not show up in any view, whatever
// follows, so long as what precedes it does not make it part of another field.
func FuzzSecrets(f *testing.F) {
	f.Add([]byte{}, []byte{}, "root")
	f.Add([]byte("\xa2\x06\x02\x08\x07"), []byte("\x08\x07"), "a\x1b")
	f.Fuzz(func(t *testing.T, before, after []byte, name string) {
		if leaks(before) || leaks(after) || leaks([]byte(name)) || !msgInternal.lookup().check(before, 0) {
			return
		}
		for _, m := range []*pb.AuthUserAddRequest{{Name: name, Password: planted}, {HashedPassword: planted}} {
			data := append(bytes.Clone(before), pbBytes(1100, pbMessage(m))...)
			data = append(data, after...)
			for _, spec := range plainSpecs[:1] {
				if out, _ := show(t, spec, data, Style{Values: ValuesFull}); leaks(out) {
					t.Fatalf("%x: decoder %s shows the secret: %s", data, spec, out)
				}
			}
		}
	})
}

// pbMessage returns the bytes of a message whose strings need not be UTF-8.
func pbMessage(m *pb.AuthUserAddRequest) string {
	return pbBytes(1, m.Name) + pbBytes(2, m.Password) + pbBytes(4, m.HashedPassword)
}
