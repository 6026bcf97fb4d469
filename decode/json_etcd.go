package decode

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// redacted stands where a secret would.
const redacted = "[redacted]"

// internalRequest shows an InternalRaftRequest.
type internalRequest struct{}

func (internalRequest) appendJSON(dst []byte, r *Request, s *Style) []byte {
	w := messageWriter{style: s, request: r, values: r.values}
	dst = w.fields(dst, msgInternal.lookup(), r.data, frame{end: r.top})
	r.keep(w.values)
	return dst
}

// v2Request shows a Request of the v2 store, under the name that it has in an InternalRaftRequest.
type v2Request struct{}

func (v2Request) appendJSON(dst []byte, r *Request, s *Style) []byte {
	w := messageWriter{style: s, request: r, values: r.values}
	dst = append(jsontext.AppendName(dst, "v2"), '{')
	dst = append(w.fields(dst, msgV2.lookup(), r.main.data, frame{end: len(r.values)}), '}')
	r.keep(w.values)
	return dst
}

// messageWriter writes messages of the schema as JSON. Its stack of values has those of the
// message that is being written, above those of the messages around it.
type messageWriter struct {
	style   *Style
	request *Request // whose values the stack begins with
	values  []value
}

// frame is a message that is being written: where its fields begin and end on the stack, and how
// many messages are around it.
type frame struct{ base, end, depth int }

func (w *messageWriter) object(dst []byte, m *message, b []byte, depth int) []byte {
	if depth > maxDepth {
		dst = append(dst, `{"too_deep":true,"size":`...)
		return append(strconv.AppendInt(dst, int64(len(b)), 10), '}')
	}
	f := frame{base: len(w.values), depth: depth}
	w.values = m.collect(w.values, b)
	f.end = len(w.values)
	dst = w.fields(append(dst, '{'), m, b, f)
	w.values = w.values[:f.base]
	return append(dst, '}')
}

// main writes the message that the request is about, whose fields are on the stack from the start.
func (w *messageWriter) main(dst []byte) []byte {
	v := &w.request.main
	f := frame{base: w.request.top, end: len(w.request.values), depth: 1}
	return append(w.fields(append(dst, '{'), v.field.msg.lookup(), v.data, f), '}')
}

// fields writes the fields of a message in the order in which they first occur.
func (w *messageWriter) fields(dst []byte, m *message, b []byte, f frame) []byte {
	hideStored := m == msgV2.lookup() && holdsPasswords(w.values[f.base:f.end]) && !w.style.ShowSecrets
	for i := f.base; i < f.end; i++ {
		v := &w.values[i] // stays what it is, even if the stack moves on
		switch {
		case v.field == nil:
			dst = appendUnknownFields(dst, m, b)
		case v.field.flag&repeated != 0:
			dst = w.list(dst, m, b, listOf{v.field, f.depth})
		case v.field.kind == kindValue && hideStored:
			dst = jsontext.AppendString(jsontext.AppendName(dst, v.field.name), redacted)
		case v.field.kind == kindValue:
			under := stored{keyOf(w.values[f.base:f.end]), v.data}
			dst = appendValueJSON(dst, v.field.name, under, w.style)
		default:
			dst = w.member(dst, v, f.depth)
		}
	}
	return appendDefaults(dst, m, w.values[f.base:f.end])
}

// listOf is a field that is a list, in a message at some depth.
type listOf struct {
	field *field
	depth int
}

func (w *messageWriter) list(dst []byte, m *message, b []byte, l listOf) []byte {
	dst = append(jsontext.AppendName(dst, l.field.name), '[')
	for v := range m.known(b) {
		if v.field != l.field {
			continue
		}
		dst = jsontext.AppendComma(dst)
		if v.field.kind == kindMessage {
			dst = w.object(dst, v.field.msg.lookup(), v.data, l.depth+1)
		} else {
			dst = jsontext.AppendString(dst, v.data)
		}
	}
	return append(dst, ']')
}

func (w *messageWriter) member(dst []byte, v *value, depth int) []byte {
	f := v.field
	switch f.kind {
	case kindString, kindBytes:
		return jsontext.AppendBytes(dst, f.name, v.data)
	case kindSecret:
		if w.style.ShowSecrets {
			return jsontext.AppendBytes(dst, f.name, v.data)
		}
		return jsontext.AppendString(jsontext.AppendName(dst, f.name), redacted)
	}
	dst = jsontext.AppendName(dst, f.name)
	switch f.kind {
	case kindMessage:
		if depth == 0 && f == w.request.main.field {
			return w.main(dst)
		}
		return w.object(dst, f.msg.lookup(), v.data, depth+1)
	case kindRequestID:
		return w.request.origin.append(jsontext.AppendID(dst, v.n), v.n)
	case kindID:
		return jsontext.AppendID(dst, v.n)
	case kindUint:
		return jsontext.AppendUint(dst, v.n)
	case kindBool:
		return strconv.AppendBool(dst, protowire.DecodeBool(v.n))
	case kindEnum:
		return appendEnum(dst, f, v.n)
	}
	return jsontext.AppendInt(dst, int64(v.n))
}

// appendEnum appends the name of an enum's value, or its number if it has none.
func appendEnum(dst []byte, f *field, n uint64) []byte {
	if v := int32(n); v >= 0 && int(v) < len(f.enum) {
		return append(append(append(dst, '"'), f.enum[v]...), '"')
	}
	return strconv.AppendInt(dst, int64(int32(n)), 10)
}

// appendDefaults appends the fields of a message that the wire leaves out although they tell what
// the message means: a compare without a result asks for equality.
func appendDefaults(dst []byte, m *message, present []value) []byte {
	for _, f := range m.defaults {
		switch {
		case find(present, f.name) != nil:
		case f.kind == kindBool:
			dst = strconv.AppendBool(jsontext.AppendName(dst, f.name), false)
		default:
			dst = appendEnum(jsontext.AppendName(dst, f.name), f, 0)
		}
	}
	return dst
}

var wireTypeNames = [...]string{
	protowire.VarintType:     "varint",
	protowire.Fixed64Type:    "fixed64",
	protowire.BytesType:      "bytes",
	protowire.StartGroupType: "group",
	protowire.EndGroupType:   "end_group",
	protowire.Fixed32Type:    "fixed32",
}

// appendUnknownFields describes the fields that the schema doesn't know: those of a later etcd. Of
// what they hold only the size is shown, since it may be a secret.
func appendUnknownFields(dst []byte, m *message, b []byte) []byte {
	dst = append(jsontext.AppendName(dst, "unknown_fields"), '[')
	more := 0
	for v := range m.unknown(b) {
		if more++; more > jsonUnknown {
			continue
		}
		dst = jsontext.AppendName(append(jsontext.AppendComma(dst), '{'), "number")
		dst = strconv.AppendInt(dst, int64(v.num), 10)
		dst = append(append(append(dst, `,"wire_type":"`...), wireTypeNames[v.typ]...), '"')
		dst = strconv.AppendInt(jsontext.AppendName(dst, "size"), int64(v.size()), 10)
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	if more > jsonUnknown {
		dst = strconv.AppendInt(jsontext.AppendName(dst, "unknown_fields_left_out"), int64(more-jsonUnknown), 10)
	}
	return dst
}

// size returns the number of bytes of the field's content.
func (v *value) size() int {
	if v.typ == protowire.VarintType {
		return protowire.SizeVarint(v.n)
	}
	return len(v.data)
}
