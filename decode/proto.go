package decode

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/raftctl/raftctl/internal/jsontext"
	"github.com/raftctl/raftctl/raftpb"
)

// protoDecoder reads payloads that are one message of a schema that the user has.
type protoDecoder struct {
	typ         protoreflect.MessageType
	types       *dynamicpb.Types
	showSecrets bool
}

var errNoFiles = errors.New("there is no way to read files")

// newProto takes the name of a file with a FileDescriptorSet, as protoc writes with
// --include_imports --descriptor_set_out, and the full name of a message in it.
func newProto(arg string, env Env) (payloadDecoder, error) {
	i := strings.LastIndexByte(arg, ':')
	if i <= 0 || i == len(arg)-1 {
		return nil, fmt.Errorf("%q, want FILE:MESSAGE", arg)
	}
	if env.ReadFile == nil {
		return nil, errNoFiles
	}
	path, name := arg[:i], protoreflect.FullName(arg[i+1:])
	raw, err := env.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("%s: not a descriptor set: %w", path, err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d, err := files.FindDescriptorByName(name)
	if err != nil {
		return nil, fmt.Errorf("%s: message %s: %w", path, name, err)
	}
	m, ok := d.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s: %s is no message", path, name)
	}
	return &protoDecoder{dynamicpb.NewMessageType(m), dynamicpb.NewTypes(files), env.ShowSecrets}, nil
}

// maxProtoDepth bounds how deep messages may lie within each other.
const maxProtoDepth = 100

func (d *protoDecoder) payload(r *Request, e *raftpb.Entry) error {
	text, err := d.toJSON(r.open(e.Data, d.showSecrets))
	if err != nil {
		r.body = opaque{}
		return &PayloadError{Entry: e.ID(), Reason: "not a " + d.name(), Err: err}
	}
	r.Op, r.body = "proto", &protoBody{d.name(), text}
	return nil
}

func (d *protoDecoder) name() string { return string(d.typ.Descriptor().FullName()) }

func (d *protoDecoder) toJSON(data []byte) ([]byte, error) {
	m := d.typ.New().Interface()
	in := proto.UnmarshalOptions{RecursionLimit: maxProtoDepth, Resolver: d.types, AllowPartial: true}
	if err := in.Unmarshal(data, m); err != nil {
		return nil, err
	}
	out := protojson.MarshalOptions{UseProtoNames: true, Resolver: d.types, AllowPartial: true}
	text, err := out.Marshal(m)
	if err != nil {
		return nil, err
	}
	return appendEmbedded(nil, text), nil // protojson varies its white space on purpose
}

// protoBody shows a message as the JSON that protobuf defines for it.
type protoBody struct {
	name string
	text []byte
}

func (b *protoBody) appendSummary(dst []byte, _ *Request, s *Style) []byte {
	return appendCompactOf(append(dst, b.name...), b.text, s)
}

func (b *protoBody) appendJSON(dst []byte, r *Request, s *Style) []byte {
	dst = jsontext.AppendString(jsontext.AppendName(dst, "message"), b.name)
	if s.Values == ValuesNone {
		return appendSizeOf(dst, "proto", r.data)
	}
	return appendJSONOf(dst, "proto", b.text, s)
}
