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

// value computes a field of the record at hand. Only what is asked for is computed.
type value interface {
	typ() string // a key of celTypes
	// appendJSON appends the member, or nothing if the record doesn't have the field.
	appendJSON(b []byte, m *member, r *Row) []byte
	// cel returns the value for --where; ok is false if the record doesn't have the field.
	cel(r *Row) (v ref.Val, ok bool)
}

// celTypes are the types of --where, by the names that help texts give them.
var celTypes = map[string]*cel.Type{
	"string": cel.StringType,
	"int":    cel.IntType,
	"bool":   cel.BoolType,
	"map":    cel.MapType(cel.StringType, cel.DynType),
	"list":   cel.ListType(cel.MapType(cel.StringType, cel.DynType)),
}

// The kinds of values. Each is a function that returns the value, and whether the record has it.
type (
	number     func(*Row) (uint64, bool) // an integer
	id         func(*Row) (uint64, bool) // an ID, as etcd prints it
	sum        func(*Row) (uint32, bool) // a checksum: eight hex digits
	word       func(*Row) (string, bool) // text of ours, which stands in JSON as it is
	prose      func(*Row) (string, bool) // text of any kind
	line       func(*Row) ([]byte, bool) // text in a buffer that is used again
	text       func(*Row) ([]byte, bool) // bytes: as base64 under another name if they are no UTF-8
	base64Text func(*Row) ([]byte, bool) // bytes, always as base64
	truth      func(*Row) (bool, bool)   // a condition
	flag       func(*Row) bool           // a condition that is left out if it doesn't hold
	object     func([]byte, *Row) []byte // appends JSON: null if the record doesn't have it
)

// list is a list of objects.
type list struct {
	// append appends the member itself, and perhaps one that says what it left out.
	append func(b []byte, r *Row) []byte
	// tells reports whether it tells more than other fields do. Else it is left out of JSON, but not of
	// --where.
	tells func(r *Row) bool
}

func (number) typ() string { return "int" }

func (get number) appendJSON(b []byte, m *member, r *Row) []byte {
	n, ok := get(r)
	if !ok {
		return b
	}
	return strconv.AppendUint(m.appendLead(b), n, 10)
}

// cel returns CEL's int, so that expressions need no suffix. What doesn't fit is as large as can be.
func (get number) cel(r *Row) (ref.Val, bool) {
	n, ok := get(r)
	return types.Int(min(n, math.MaxInt64)), ok
}

func (id) typ() string { return "string" }

func (get id) appendJSON(b []byte, m *member, r *Row) []byte {
	n, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendID(m.appendLead(b), n)
}

func (get id) cel(r *Row) (ref.Val, bool) {
	n, ok := get(r)
	return types.String(strconv.FormatUint(n, 16)), ok
}

func (sum) typ() string { return "string" }

func (get sum) appendJSON(b []byte, m *member, r *Row) []byte {
	n, ok := get(r)
	if !ok {
		return b
	}
	b = append(m.appendLead(b), '"')
	return append(jsontext.AppendHex(b, uint64(n), 8), '"')
}

func (get sum) cel(r *Row) (ref.Val, bool) {
	n, ok := get(r)
	return types.String(jsontext.AppendHex(nil, uint64(n), 8)), ok
}

func (word) typ() string { return "string" }

func (get word) appendJSON(b []byte, m *member, r *Row) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	b = append(m.appendLead(b), '"')
	return append(append(b, s...), '"')
}

func (get word) cel(r *Row) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok
}

func (prose) typ() string { return "string" }

func (get prose) appendJSON(b []byte, m *member, r *Row) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendString(m.appendLead(b), s)
}

func (get prose) cel(r *Row) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok
}

func (line) typ() string { return "string" }

func (get line) appendJSON(b []byte, m *member, r *Row) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendString(m.appendLead(b), s)
}

func (get line) cel(r *Row) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok
}

func (text) typ() string { return "string" }

func (get text) appendJSON(b []byte, m *member, r *Row) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	return jsontext.AppendBytes(b, m.name, s)
}

func (get text) cel(r *Row) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(s), ok && utf8.Valid(s)
}

func (base64Text) typ() string { return "string" }

func (get base64Text) appendJSON(b []byte, m *member, r *Row) []byte {
	s, ok := get(r)
	if !ok {
		return b
	}
	b = append(m.appendLead(b), '"')
	return append(base64.StdEncoding.AppendEncode(b, s), '"')
}

func (get base64Text) cel(r *Row) (ref.Val, bool) {
	s, ok := get(r)
	return types.String(base64.StdEncoding.EncodeToString(s)), ok
}

func (truth) typ() string { return "bool" }

func (get truth) appendJSON(b []byte, m *member, r *Row) []byte {
	holds, ok := get(r)
	if !ok {
		return b
	}
	return strconv.AppendBool(m.appendLead(b), holds)
}

func (get truth) cel(r *Row) (ref.Val, bool) {
	v, ok := get(r)
	return types.Bool(v), ok
}

func (flag) typ() string { return "bool" }

func (get flag) appendJSON(b []byte, m *member, r *Row) []byte {
	if !get(r) {
		return b
	}
	return append(m.appendLead(b), "true"...)
}

func (get flag) cel(r *Row) (ref.Val, bool) { return types.True, get(r) }

func (object) typ() string { return "map" }

func (get object) appendJSON(b []byte, m *member, r *Row) []byte {
	return get(m.appendLead(b), r)
}

func (get object) cel(r *Row) (ref.Val, bool) {
	v := readJSON(get(nil, r))
	return types.DefaultTypeAdapter.NativeToValue(v), v != nil
}

func (list) typ() string { return "list" }

func (l list) appendJSON(b []byte, _ *member, r *Row) []byte {
	if !l.tells(r) {
		return b
	}
	return l.append(b, r)
}

func (l list) cel(r *Row) (ref.Val, bool) {
	b := l.append([]byte{'{'}, r)
	members, _ := readJSON(append(b, '}')).(map[string]any)
	for _, v := range members {
		if elements, ok := v.([]any); ok {
			return types.DefaultTypeAdapter.NativeToValue(elements), true
		}
	}
	return nil, false
}

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

// absent returns the value of a field that a record doesn't have.
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
