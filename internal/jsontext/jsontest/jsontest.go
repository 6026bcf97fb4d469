// Package jsontest looks at JSON in tests.
package jsontest

import (
	"encoding/json"
	"strings"
	"testing"
)

// Members returns the names of an object's members in their order.
func Members(tb testing.TB, object []byte) (names []string) {
	tb.Helper()
	d := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := d.Token(); err != nil {
		tb.Fatalf("%v: %s", err, object)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			tb.Fatalf("%v: %s", err, object)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			tb.Fatalf("%v: %s", err, object)
		}
	}
	return names
}
