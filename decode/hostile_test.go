package decode

import (
	"strings"
	"testing"
)

// TestHostile gives the decoder the largest payloads that etcd lets through, made to be expensive.
// That it comes to an end is the test; the memory for each is bounded by a multiple of the payload.
func TestHostile(t *testing.T) {
	const size = 1 << 18
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, data := range map[string]string{
		"puts in parts":        fill("\x22\x02\x20\x01"),
		"empty compares":       pbBytes(6, fill("\x0a\x00")),
		"empty operations":     pbBytes(6, fill("\x12\x00")),
		"nested parts":         pbBytes(6, pbBytes(2, pbBytes(4, fill("\x12\x04\x22\x02\x12\x00")))),
		"unknown fields":       pbBytes(4, fill("\x78\x01")),
		"checkpoints":          pbBytes(11, fill("\x0a\x00")),
		"urls":                 pbBytes(1301, pbBytes(2, fill("\x12\x00"))),
		"oneofs":               pbBytes(6, pbBytes(1, fill("\x20\x01\x28\x01"))),
		"oneof of messages":    pbBytes(6, pbBytes(2, fill("\x0a\x00\x12\x00"))),
		"deep transactions":    nestedTxn(5000),
		"groups":               fill("\xfb\x7f"),
		"users in the v2 form": fill("\x12\x03PUT\x1a\x08/2/users\x22\x01x"),
		"commands":             fill("*1\r\n$1\r\nx\r\n"),
		"arguments":            "*100000\r\n" + strings.Repeat("$1\r\nx\r\n", 100000),
		"json arrays":          fill("["),
		"json within":          strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"escapes":              fill("\x1b"),
		"wide":                 fill("漢"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, spec := range plainSpecs {
				d, err := New(spec, Env{})
				if err != nil {
					t.Fatal(err)
				}
				var r Request
				_ = d.Decode(&r, normal([]byte(data))) // either way, it can be shown
				checkShown(t, &r, Style{Values: ValuesFull})
				for range r.Accesses() {
					continue
				}
				if got, limit := cap(r.values)+cap(r.scratch), 2*len(data)+1000; got > limit {
					t.Errorf("%s keeps %d, want at most %d", spec, got, limit)
				}
			}
		})
	}
}
