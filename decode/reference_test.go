package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// compareWithReference reads a payload with etcd's own types and with ours, and returns how their
// JSON differs once spelling is out of the way: what ours writes more is taken off, and both are
// brought to decimal integers and plain bytes.
func compareWithReference(data []byte) (diff string, err error) {
	var m etcdserverpb.InternalRaftRequest
	if err := proto.Unmarshal(data, &m); err != nil {
		return "", err
	}
	return compareWithMessage(data, &m)
}

// compareWithMessage compares what we read in a payload with a message.
func compareWithMessage(data []byte, m *etcdserverpb.InternalRaftRequest) (diff string, err error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return "", err
	}
	var want map[string]any
	numbers := json.NewDecoder(bytes.NewReader(text))
	numbers.UseNumber()
	if err := numbers.Decode(&want); err != nil {
		return "", err
	}
	var r Request
	if err := Payload(&r, normal(data)); err != nil {
		return "", err
	}
	got := fieldsOf(&r, Style{Values: ValuesFull, ShowSecrets: true})
	d := m.ProtoReflect().Descriptor()
	gotPlain, err := plainOurs(d, got)
	if err != nil {
		return "", err
	}
	return cmp.Diff(plainTheirs(d, want), gotPlain), nil
}

// plainTheirs turns the output of protojson into names in snake case and values as strings.
func plainTheirs(d protoreflect.MessageDescriptor, m map[string]any) map[string]any {
	out := make(map[string]any)
	for name, v := range m {
		f := d.Fields().ByTextName(name)
		out[snakeCase(name)] = plainTheirValue(f, v)
	}
	return out
}

func plainTheirValue(f protoreflect.FieldDescriptor, v any) any {
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = plainTheirValue(f, e)
		}
		return out
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		return plainTheirs(f.Message(), v.(map[string]any))
	case protoreflect.BytesKind:
		b, err := base64.StdEncoding.DecodeString(v.(string))
		if err != nil {
			panic(err) // protojson wrote it
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

// derived are the members that ours adds to those of etcd's messages.
func derived(name string) bool {
	return name == "member_suffix" || name == "server_started" ||
		strings.HasSuffix(name, "_size") || strings.HasSuffix(name, "_kubernetes")
}

// plainOurs does for our JSON what plainTheirs does for protojson's.
func plainOurs(d protoreflect.MessageDescriptor, m map[string]any) (map[string]any, error) {
	fields := make(map[string]protoreflect.FieldDescriptor)
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		fields[snakeCase(string(f.Name()))] = f
	}
	out := make(map[string]any)
	for name, v := range m {
		if derived(name) {
			continue
		}
		base, isBase64 := strings.CutSuffix(name, "_base64")
		f := fields[base]
		if f == nil {
			return nil, fmt.Errorf("%s: no field %s", d.FullName(), name)
		}
		if isBase64 {
			b, err := base64.StdEncoding.DecodeString(v.(string))
			if err != nil {
				return nil, err
			}
			out[base] = string(b)
			continue
		}
		plain, err := plainOurValue(f, v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !isDefault(f, plain) {
			out[base] = plain
		}
	}
	return out, nil
}

// isDefault reports whether a value is what protojson leaves out.
func isDefault(f protoreflect.FieldDescriptor, v any) bool {
	if f.ContainingOneof() != nil {
		return false
	}
	switch f.Kind() {
	case protoreflect.EnumKind:
		return v == string(f.Enum().Values().ByNumber(0).Name())
	case protoreflect.BoolKind:
		return v == "false"
	case protoreflect.Int64Kind, protoreflect.Uint64Kind:
		return v == "0"
	}
	return v == ""
}

func plainOurValue(f protoreflect.FieldDescriptor, v any) (any, error) {
	if list, ok := v.([]any); ok {
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = plainOurValue(f, e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		return plainOurs(f.Message(), v.(map[string]any))
	case protoreflect.Int64Kind, protoreflect.Uint64Kind:
		return plainInteger(f, v)
	}
	return fmt.Sprint(v), nil
}

// plainInteger returns an integer in decimal. Which ones are IDs, and so in hex, is said here once
// more, on purpose.
func plainInteger(f protoreflect.FieldDescriptor, v any) (any, error) {
	switch snakeCase(string(f.Name())) {
	case "id", "lease", "member_id":
		id, err := strconv.ParseUint(v.(string), 16, 64)
		if f.Kind() == protoreflect.Int64Kind {
			return strconv.FormatInt(int64(id), 10), err
		}
		return strconv.FormatUint(id, 10), err
	}
	return fmt.Sprint(v), nil
}

// TestCorpusAgainstReference decodes every request in every log with etcd's own types, field by
// field. A request that several members have is looked at once. The logs hold 100,000 puts that
// differ in the key only: beyond the first ones of a log their fields are compared directly.
func TestCorpusAgainstReference(t *testing.T) {
	const inFull = 1000
	seen := make(map[string]bool)
	checked := make(map[Op]int)
	for _, l := range corpus.Logs(t) {
		var r Request
		puts := 0
		for e := range entriesOf(t, l) {
			if err := Payload(&r, e); err != nil {
				t.Errorf("%s: %v", l.Name, err)
			}
			if _, ok := r.body.(internalRequest); !ok || seen[string(e.Data)] {
				checkOther(t, l, &r, e)
				continue
			}
			seen[string(e.Data)] = true
			checked[r.Op]++
			if r.Op == OpPut {
				puts++
			}
			compare := compareWithReference
			if r.Op == OpPut && puts > inFull {
				compare = r.comparePut
			}
			if diff, err := compare(e.Data); diff != "" || err != nil {
				t.Fatalf("%s: entry %s: %v\n%s", l.Name, e.ID(), err, diff)
			}
		}
	}
	t.Log(checked)
	for _, op := range []Op{OpPut, OpTxn, OpDeleteRange, OpCompaction, OpLeaseGrant, OpLeaseRevoke,
		OpLeaseCheckpoint, OpAlarm, "authenticate", "auth_user_add", "cluster_version_set"} {
		if checked[op] == 0 {
			t.Errorf("no %s in the logs", op)
		}
	}
}

// comparePut compares what the request says of a put with what etcd's types do.
func (r *Request) comparePut(data []byte) (diff string, err error) {
	var m etcdserverpb.InternalRaftRequest
	if err := proto.Unmarshal(data, &m); err != nil {
		return "", err
	}
	want := []string{string(m.Put.Key), string(m.Put.Value), fmt.Sprint(uint64(m.Put.Lease), m.Header.ID)}
	var got []string
	for a := range r.Accesses() {
		got = append(got, string(a.Key), string(a.Value), fmt.Sprint(a.Lease, r.ID))
	}
	return cmp.Diff(want, got), nil
}

// checkOther checks that an entry that isn't an InternalRaftRequest is of the other kinds that etcd
// writes.
func checkOther(t *testing.T, l corpus.Log, r *Request, e *raftpb.Entry) {
	switch r.body.(type) {
	case internalRequest, v2Request, confChangeBody:
	default:
		if r.Op != OpEmpty {
			t.Errorf("%s: entry %s: %s", l.Name, e.ID(), r.Op)
		}
	}
}

// TestEveryRequestAgainstReference builds one request for every field of InternalRaftRequest, with
// every field of the request set, down to a transaction in a transaction.
func TestEveryRequestAgainstReference(t *testing.T) {
	d := (&etcdserverpb.InternalRaftRequest{}).ProtoReflect().Descriptor()
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if f.Kind() != protoreflect.MessageKind || f.Name() == "header" {
			continue
		}
		t.Run(string(f.Name()), func(t *testing.T) {
			for variant := range 5 {
				data := crafted(t, f, variant)
				if diff, err := compareWithReference(data); diff != "" || err != nil {
					t.Errorf("variant %d: %v\n%s", variant, err, diff)
				}
				var r Request
				if err := Payload(&r, normal(data)); err != nil || string(r.Op) != string(f.Name()) {
					t.Errorf("op %s, want %s; %v", r.Op, f.Name(), err)
				}
			}
		})
	}
}

// crafted returns a request in which everything below field f is set. The variant chooses the field
// of each oneof, and the values.
func crafted(t *testing.T, f protoreflect.FieldDescriptor, variant int) []byte {
	t.Helper()
	m := &etcdserverpb.InternalRaftRequest{
		Header: &etcdserverpb.RequestHeader{ID: 0xb37aa1fb7d76e501, Username: "alice", AuthRevision: 17},
	}
	m.ProtoReflect().Set(f, fill(m.ProtoReflect().NewField(f), f, variant, 0))
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fill(v protoreflect.Value, f protoreflect.FieldDescriptor, variant, depth int,
) protoreflect.Value {
	if f.IsList() {
		for i := range 3 {
			e := v.List().NewElement()
			v.List().Append(fillOne(e, f, variant+i, depth))
		}
		return v
	}
	return fillOne(v, f, variant, depth)
}

func fillOne(v protoreflect.Value, f protoreflect.FieldDescriptor, variant, depth int,
) protoreflect.Value {
	const big = 1<<63 - 5
	switch f.Kind() {
	case protoreflect.MessageKind:
		fillMessage(v.Message(), variant, depth+1)
		return v
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(variant%2 == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(variant % f.Enum().Values().Len()))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString([]string{"", "s", "zwei Wörter", "a\"\\\n\x1b[31m", "\u202e"}[variant%5])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([][]byte{nil, []byte("k"), {0, 0xff}, []byte("\u009b\t"),
			[]byte(strings.Repeat("long ", 200))}[variant%5])
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64([]int64{0, -1, 1 << 53, 1<<53 + 1, big}[variant%5])
	}
	return protoreflect.ValueOfUint64([]uint64{0, 1, 1 << 53, 1<<53 + 1, 1<<64 - 1}[variant%5])
}

func fillMessage(m protoreflect.Message, variant, depth int) {
	const deepest = 6
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if one := f.ContainingOneof(); one != nil && i != chosen(one, variant) {
			continue
		}
		if f.Kind() == protoreflect.MessageKind && depth >= deepest {
			continue
		}
		m.Set(f, fill(m.NewField(f), f, variant, depth))
	}
}

// chosen returns the index, within its message, of the field that a variant sets in a oneof.
func chosen(one protoreflect.OneofDescriptor, variant int) int {
	return one.Fields().Get(variant % one.Fields().Len()).Index()
}
