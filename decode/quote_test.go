package decode

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAppendSize(t *testing.T) {
	for size, want := range map[int]string{
		0: "0 B", 11: "11 B", 1023: "1023 B", 1024: "1.0 KiB", 1229: "1.2 KiB", 1<<20 - 1: "1.0 MiB",
		900_000: "878.9 KiB", 1_572_864: "1.5 MiB", 1 << 50: "1024.0 TiB",
	} {
		if got := string(appendSize(nil, size)); got != want {
			t.Errorf("%d: %q, want %q", size, got, want)
		}
	}
}

func TestAppendIntegers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", -1: "-1", 1 << 53: "9007199254740992", -1 << 53: "-9007199254740992",
		1<<53 + 1: `"9007199254740993"`, -1<<53 - 1: `"-9007199254740993"`,
		math.MinInt64: `"-9223372036854775808"`,
	} {
		if got := string(appendInt(nil, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
		if got := string(appendUint(nil, uint64(n))); n >= 0 && got != want {
			t.Errorf("%d unsigned: %s, want %s", n, got, want)
		}
	}
	if got, want := string(appendUint(nil, math.MaxUint64)), `"18446744073709551615"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAppendWord(t *testing.T) {
	for _, tt := range []struct {
		word  string
		limit int
		want  string
	}{
		{"/registry/pods/a", 99, "/registry/pods/a"},
		{"", 99, `""`},
		{"two words", 99, `"two words"`},
		{"größe", 99, `"größe"`},
		{"a\x1b[31mb", 99, `"a\x1b[31mb"`},
		{"a\nb\r\t", 99, `"a\nb\r\t"`},
		{`q"\`, 99, `"q\"\\"`},
		{"\u202eevil", 99, `"\u202eevil"`},         // right-to-left override
		{"c1 \u009b31m", 99, `"c1 \u009b31m"`},     // an escape sequence in one character
		{"\xff\x00", 99, `"\xff\x00"`},             // no UTF-8
		{"tag \U000e0041", 99, `"tag \U000e0041"`}, // invisible
		{"abcdef", 4, `"abcd…"`},                   // cut
		{"漢字漢字", 5, `"漢字…"`},                       // two columns each
		{strings.Repeat("x", 600), -1, strings.Repeat("x", 600)},
	} {
		if got := string(appendWord(nil, []byte(tt.word), tt.limit)); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.word, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  string
	}{
		{"put a 1 B", 0, "put a 1 B"},
		{"put a 1 B", 9, "put a 1 B"},
		{"put a 1 B", 8, "put a 1…"},
		{"put a 1 B", 1, "…"},
		{"漢字", 4, "漢字"},
		{"漢字", 3, "漢…"},
		{"漢字", 2, "…"},
		{"größe 1", 7, "größe 1"},
		{"größe 12", 7, "größe …"},
	} {
		got := string(cut([]byte("kept "+tt.line), len("kept "), tt.width))
		if got != "kept "+tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}

// TestPlainPrefix compares the eight-byte steps with the one-byte ones, for every byte in every
// place.
func TestPlainPrefix(t *testing.T) {
	for c := range 256 {
		for at := range 24 {
			text := []byte(strings.Repeat("a", 24))
			text[at] = byte(c)
			want := 24
			if !isPlain(byte(c)) {
				want = at
			}
			if got := plainPrefix(text); got != want {
				t.Fatalf("byte %#x at %d: %d, want %d", c, at, got, want)
			}
		}
	}
}

// TestAppendStringIsJSON writes every rune, and reads it back with encoding/json.
func TestAppendStringIsJSON(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		text := "a" + string(r) + "b"
		out := appendString(nil, []byte(text))
		if bad := badRune(out); bad >= 0 {
			t.Fatalf("%U: %q has %U", r, out, bad)
		}
		var got string
		if err := json.Unmarshal(out, &got); err != nil || got != text {
			t.Fatalf("%U: read back as %q: %v", r, got, err)
		}
	}
}

// badRune returns the first rune of text that may act on a terminal, or -1.
func badRune(text []byte) rune {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return r
		}
		text = text[n:]
	}
	return -1
}
