package decode

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// fieldsOf returns the request as maps and slices: what AppendJSON writes, read back, with int64 for
// numbers that are integers.
func fieldsOf(r *Request, s Style) map[string]any {
	d := json.NewDecoder(bytes.NewReader(r.AppendJSON(nil, s)))
	d.UseNumber()
	fields := make(map[string]any)
	if err := d.Decode(&fields); err != nil {
		panic(err) // AppendJSON must write JSON
	}
	for name, v := range fields {
		fields[name] = withNumbers(v)
	}
	return fields
}

// withNumbers replaces the numbers in v by int64 or float64.
func withNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number64(v)
	case map[string]any:
		for name, e := range v {
			v[name] = withNumbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = withNumbers(e)
		}
	}
	return v
}

func number64(n json.Number) any {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i
	}
	f, err := n.Float64()
	if err != nil {
		return math.Inf(1) // beyond what a float64 holds
	}
	return f
}
