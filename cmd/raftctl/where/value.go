package where

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// Value computes a field of the row at hand. Only what is asked for is computed.
type Value[R Row] interface {
	typ() string // a key of celTypes
	// appendJSON appends the member, or nothing if the row doesn't have the field.
	appendJSON(b []byte, m *member[R], r R) []byte
	// cel returns the value for --where; ok is false if the row doesn't have the field.
	cel(r R) (v ref.Val, ok bool)
}

// celTypes are the types of --where, by the names that help texts give them.
var celTypes = map[string]*cel.Type{
	"string": cel.StringType,
	"int":    cel.IntType,
	"bool":   cel.BoolType,
	"map":    cel.MapType(cel.StringType, cel.DynType),
	"list":   cel.ListType(cel.MapType(cel.StringType, cel.DynType)),
}

// The kinds of values are functions that return the value, and whether the row has it.
type (
	// Number is an integer.
	Number[R Row] func(R) (uint64, bool)
	// ID is an ID, as etcd prints it.
	ID[R Row] func(R) (uint64, bool)
	// Sum is a checksum: eight hex digits.
	Sum[R Row] func(R) (uint32, bool)
	// Word is text of ours, which stands in JSON as it is.
	Word[R Row] func(R) (string, bool)
	// Prose is text of any kind.
	Prose[R Row] func(R) (string, bool)
	// Line is text in a buffer that is used again.
	Line[R Row] func(R) ([]byte, bool)
	// Text is bytes: as base64 under another name if they are no UTF-8.
	Text[R Row] func(R) ([]byte, bool)
	// Base64Text is bytes, always as base64.
	Base64Text[R Row] func(R) ([]byte, bool)
	// Truth is a condition.
	Truth[R Row] func(R) (bool, bool)
	// Flag is a condition that is left out if it doesn't hold.
	Flag[R Row] func(R) bool
	// Object appends JSON: null if the row doesn't have it.
	Object[R Row] func([]byte, R) []byte
)

// Shown is bytes whose JSON is more than one member, or another one than their name says.
type Shown[R Row] struct {
	Append func(b []byte, r R) []byte    // appends the members
	Bytes  func(r R) (b []byte, ok bool) // for --where
}

// Silent is a field of --where that JSON doesn't have, or has within another one.
type Silent[R Row] struct{ Value[R] }

// List is a list of objects.
type List[R Row] struct {
	// Append appends the member itself, and perhaps one that says what it left out.
	Append func(b []byte, r R) []byte
	// Tells reports whether it tells more than other fields do. Else it is left out of JSON, but not of
	// --where.
	Tells func(r R) bool
}

func (Number[R]) typ() string { return "int" }

func (get Number[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	n, ok := get(r)
	if !ok {
		return b
	}
	return strconv.AppendUint(m.appendLead(b), n, 10)
}

// cel returns CEL's int, so that expressions need no suffix. What doesn't fit is as large as can be.
func (get Number[R]) cel(r R) (ref.Val, bool) {
	n, ok := get(r)
	return types.Int(min(n, math.MaxInt64)), ok
}

func (ID[R]) typ() string { return "string" }

func (get ID[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	n, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendID(m.appendLead(b), n)
}

func (get ID[R]) cel(r R) (ref.Val, bool) {
	n, ok := get(r)
	return types.String(strconv.FormatUint(n, 16)), ok
}

func (Sum[R]) typ() string { return "string" }

func (get Sum[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	n, ok := get(r)
	if !ok {
		return b
	}
	b = append(m.appendLead(b), '"')
	return append(jsontext.AppendHex(b, uint64(n), 8), '"')
}

func (get Sum[R]) cel(r R) (ref.Val, bool) {
	n, ok := get(r)
	return types.String(jsontext.AppendHex(nil, uint64(n), 8)), ok
}

func (Word[R]) typ() string { return "string" }

func (get Word[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	b = append(m.appendLead(b), '"')
	return append(append(b, s...), '"')
}

func (get Word[R]) cel(r R) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok
}

func (Prose[R]) typ() string { return "string" }

func (get Prose[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendString(m.appendLead(b), s)
}

func (get Prose[R]) cel(r R) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok
}

func (Line[R]) typ() string { return "string" }

func (get Line[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendString(m.appendLead(b), s)
}

func (get Line[R]) cel(r R) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok
}

func (Text[R]) typ() string { return "string" }

func (get Text[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendBytes(b, m.name, s)
}

func (get Text[R]) cel(r R) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok && utf8.Valid(s)
}

func (Base64Text[R]) typ() string { return "string" }

func (get Base64Text[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	b = append(m.appendLead(b), '"')
	return append(base64.StdEncoding.AppendEncode(b, s), '"')
}

func (get Base64Text[R]) cel(r R) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(base64.StdEncoding.EncodeToString(s)), ok
}

func (Truth[R]) typ() string { return "bool" }

func (get Truth[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	holds, ok := get(r)
	if !ok {
		return b
	}
	return strconv.AppendBool(m.appendLead(b), holds)
}

func (get Truth[R]) cel(r R) (ref.Val, bool) {
	v, ok := get(r)
	return types.Bool(v), ok
}

func (Flag[R]) typ() string { return "bool" }

func (get Flag[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	if !get(r) {
		return b
	}
	return append(m.appendLead(b), "true"...)
}

func (get Flag[R]) cel(r R) (ref.Val, bool) { return types.True, get(r) }

func (Object[R]) typ() string { return "map" }

func (get Object[R]) appendJSON(b []byte, m *member[R], r R) []byte {
	return get(m.appendLead(b), r)
}

func (get Object[R]) cel(r R) (ref.Val, bool) {
	v := readJSON(get(nil, r))
	return types.DefaultTypeAdapter.NativeToValue(v), v != nil
}

func (List[R]) typ() string { return "list" }

func (l List[R]) appendJSON(b []byte, _ *member[R], r R) []byte {
	if !l.Tells(r) {
		return b
	}
	return l.Append(b, r)
}

func (l List[R]) cel(r R) (ref.Val, bool) {
	b := l.Append([]byte{'{'}, r)
	members, _ := readJSON(append(b, '}')).(map[string]any)
	for _, v := range members {
		if elements, ok := v.([]any); ok {
			return types.DefaultTypeAdapter.NativeToValue(elements), true
		}
	}
	return nil, false
}

func (Shown[R]) typ() string { return "string" }

func (s Shown[R]) appendJSON(b []byte, _ *member[R], r R) []byte { return s.Append(b, r) }

func (s Shown[R]) cel(r R) (ref.Val, bool) {
	text, ok := s.Bytes(r)
	return types.String(text), ok && utf8.Valid(text)
}

func (Silent[R]) appendJSON(b []byte, _ *member[R], _ R) []byte { return b }

// readJSON returns JSON as maps and slices, with whole numbers as int64.
func readJSON(b []byte) any {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil // what we append is JSON
	}
	return wholeNumbers(v)
}

func wholeNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // out of range: infinite
		return f
	case map[string]any:
		for k, e := range v {
			v[k] = wholeNumbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = wholeNumbers(e)
		}
	}
	return v
}

var (
	emptyMap  = types.DefaultTypeAdapter.NativeToValue(map[string]any{})
	emptyList = types.DefaultTypeAdapter.NativeToValue([]map[string]any{})
)

// absent returns the value of a field that a row doesn't have.
func absent(typ string) ref.Val {
	switch typ {
	case "int":
		return types.IntZero
	case "bool":
		return types.False
	case "map":
		return emptyMap
	case "list":
		return emptyList
	}
	return types.String("")
}
