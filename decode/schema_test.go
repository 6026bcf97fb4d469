package decode

import (
	"strings"
	"testing"
	"unicode"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestSchemaIsEtcds holds the tables against the descriptors of etcd's own types, from
// InternalRaftRequest down.
func TestSchemaIsEtcds(t *testing.T) {
	seen := make(map[protoreflect.FullName]bool)
	want := (&etcdserverpb.InternalRaftRequest{}).ProtoReflect().Descriptor()
	checkMessage(t, msgInternal.lookup(), want, seen)
	for _, m := range messages {
		// The v2 request is gone from etcd's schema since 3.7.
		if !seen[protoreflect.FullName(m.name)] && m.name != "etcdserverpb.Request" {
			t.Errorf("%s: in the tables, but etcd has no such message", m.name)
		}
	}
}

func checkMessage(t *testing.T, m *message, want protoreflect.MessageDescriptor,
	seen map[protoreflect.FullName]bool,
) {
	if m.name != string(want.FullName()) {
		t.Errorf("%s: table of %s", want.FullName(), m.name)
	}
	if seen[want.FullName()] {
		return
	}
	seen[want.FullName()] = true
	for i := range want.Fields().Len() {
		f := want.Fields().Get(i)
		got := m.find(f.Number())
		if got == nil {
			t.Errorf("%s: missing from the tables", f.FullName())
			continue
		}
		checkField(t, got, f, seen)
	}
	for _, f := range m.fields {
		if want.Fields().ByNumber(f.num) == nil && !want.ReservedRanges().Has(f.num) {
			t.Errorf("%s.%s: in the tables, but not etcd's", m.name, f.name)
		}
	}
}

func checkField(t *testing.T, got *field, want protoreflect.FieldDescriptor,
	seen map[protoreflect.FullName]bool,
) {
	name := want.FullName()
	if snake := snakeCase(string(want.Name())); got.name != snake {
		t.Errorf("%s: called %s, want %s", name, got.name, snake)
	}
	if (got.flag&repeated != 0) != want.IsList() {
		t.Errorf("%s: repeated %t, want %t", name, got.flag&repeated != 0, want.IsList())
	}
	if (got.one != 0) != (want.ContainingOneof() != nil) {
		t.Errorf("%s: oneof %d, want %v", name, got.one, want.ContainingOneof())
	}
	if !fits(got.kind, want.Kind()) {
		t.Errorf("%s: kind %d for %v", name, got.kind, want.Kind())
	}
	switch want.Kind() {
	case protoreflect.MessageKind:
		checkMessage(t, got.msg.lookup(), want.Message(), seen)
	case protoreflect.EnumKind:
		checkEnum(t, got, want.Enum())
	}
}

func checkEnum(t *testing.T, got *field, want protoreflect.EnumDescriptor) {
	if len(got.enum) != want.Values().Len() {
		t.Errorf("%s: %d names, want %d", want.FullName(), len(got.enum), want.Values().Len())
		return
	}
	for v, name := range got.enum {
		d := want.Values().ByNumber(protoreflect.EnumNumber(v))
		if d == nil || string(d.Name()) != name {
			t.Errorf("%s: %d is called %s, want %v", want.FullName(), v, name, d)
		}
	}
}

// fits reports whether a kind of ours may stand for a kind of protobuf.
func fits(k kind, want protoreflect.Kind) bool {
	switch want {
	case protoreflect.Uint64Kind:
		return k == kindUint || k == kindID || k == kindRequestID
	case protoreflect.Int64Kind:
		return k == kindInt || k == kindID
	case protoreflect.BoolKind:
		return k == kindBool
	case protoreflect.EnumKind:
		return k == kindEnum
	case protoreflect.StringKind:
		return k == kindString || k == kindSecret
	case protoreflect.BytesKind:
		return k == kindBytes || k == kindValue
	case protoreflect.MessageKind:
		return k == kindMessage
	}
	return false
}

// snakeCase turns etcd's mixed spellings into snake case: memberID, member_ID, hashedPassword, TTL.
func snakeCase(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// TestNoSecretGoesUnmarked looks for fields that are called like secrets but not treated as such.
func TestNoSecretGoesUnmarked(t *testing.T) {
	for _, m := range messages {
		for _, f := range m.fields {
			suspect := strings.Contains(f.name, "password") || strings.Contains(f.name, "token")
			if suspect && f.kind != kindSecret && f.kind != kindMessage && f.kind != kindBool {
				t.Errorf("%s.%s: not marked as a secret", m.name, f.name)
			}
		}
	}
}
