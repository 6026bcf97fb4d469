package raftpb

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	ref "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// published compiles raft.proto.
func published(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{}}
	files, err := compiler.Compile(t.Context(), "raft.proto")
	if err != nil {
		t.Fatal(err)
	}
	return files[0]
}

// TestPublishedProto compares all that raft.proto says on the wire form with the reference's file.
func TestPublishedProto(t *testing.T) {
	got, want := outline(published(t)), outline(ref.File_raft_proto)
	if diff := diff(want, got); diff != "" {
		t.Errorf("-reference +ours:\n%s", diff)
	}
	if len(got) < 70 {
		t.Errorf("%d fields and enum values, want at least 70", len(got))
	}
}

// outline returns a line for every field and enum value of a file, by its full name.
func outline(file protoreflect.FileDescriptor) map[string]string {
	lines := map[string]string{"syntax": file.Syntax().String(), "package": string(file.Package())}
	for i := range file.Messages().Len() {
		maps.Copy(lines, outlineMessage(file.Messages().Get(i)))
	}
	for i := range file.Enums().Len() {
		enum := file.Enums().Get(i)
		for j := range enum.Values().Len() {
			v := enum.Values().Get(j)
			lines[fmt.Sprintf("%s.%s", enum.Name(), v.Name())] = fmt.Sprint(v.Number())
		}
	}
	return lines
}

func outlineMessage(m protoreflect.MessageDescriptor) map[string]string {
	lines := map[string]string{}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		line := fmt.Sprint(f.Number(), " ", f.Cardinality(), " ", f.Kind(), " packed:", f.IsPacked())
		if f.Message() != nil {
			line += " " + string(f.Message().FullName())
		}
		if f.Enum() != nil {
			line += " " + string(f.Enum().FullName())
		}
		lines[string(f.FullName())] = line
	}
	return lines
}

// The schemas by which the codec names fields, and the structs, agree with raft.proto.
func TestSchemas(t *testing.T) {
	schemas := map[*schema]any{
		entrySchema: Entry{}, hardStateSchema: HardState{}, confStateSchema: ConfState{},
		snapshotMetadataSchema: SnapshotMetadata{}, snapshotSchema: Snapshot{},
		messageSchema: Message{}, confChangeSchema: ConfChange{},
		confChangeSingleSchema: ConfChangeSingle{}, confChangeV2Schema: ConfChangeV2{},
	}
	messages := published(t).Messages()
	if len(schemas) != messages.Len() {
		t.Errorf("%d schemas, raft.proto has %d messages", len(schemas), messages.Len())
	}
	for s, x := range schemas {
		fields := messages.ByName(protoreflect.Name(s.name)).Fields()
		if len(s.fields) != fields.Len() {
			t.Errorf("%s: %d fields, raft.proto has %d", s.name, len(s.fields), fields.Len())
			continue
		}
		for i, f := range s.fields {
			want := fields.ByNumber(protoreflect.FieldNumber(i + 1))
			if f.name != string(want.Name()) || f.wire != wireOf(want.Kind()) {
				t.Errorf("%s: field %d is %v, raft.proto has %v", s.name, i+1, f, want)
			}
			if !hasField(x, f.name) {
				t.Errorf("%T has no field for %s", x, f.name)
			}
		}
	}
}

func wireOf(k protoreflect.Kind) uint64 {
	if k == protoreflect.BytesKind || k == protoreflect.MessageKind {
		return wireBytes
	}
	return wireVarint
}

// hasField reports whether the struct x has a field with that name, whatever its case.
func hasField(x any, name string) bool {
	name = strings.ReplaceAll(name, "_", "")
	same := func(s string) bool { return strings.EqualFold(s, name) }
	_, ok := reflect.TypeOf(x).FieldByNameFunc(same)
	return ok
}
