// Package hexdoc reads the hex dumps in packages' documentation, for the tests that hold them against what is written.
package hexdoc

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var line = regexp.MustCompile(`^//\t([0-9a-f]{8})  ((?:[0-9a-f]{2} {1,2})+) +\S`)

// Bytes returns the bytes of the dump in a Go file, whose offsets must be right.
func Bytes(tb testing.TB, file string) (b []byte) {
	tb.Helper()
	doc, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for text := range strings.Lines(string(doc)) {
		m := line.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if off := fmt.Sprintf("%08x", len(b)); m[1] != off {
			tb.Fatalf("line %q, want offset %s", text, off)
		}
		data, err := hex.DecodeString(strings.ReplaceAll(m[2], " ", ""))
		if err != nil {
			tb.Fatal(err)
		}
		b = append(b, data...)
	}
	return b
}
