package decode

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAppendSize(t *testing.T) {
	for size, want := range map[int]string{
		0: "0 B", 11: "11 B", 1023: "1023 B", 1024: "1.0 KiB", 1229: "1.2 KiB", 1<<20 - 1: "1.0 MiB",
		900_000: "878.9 KiB", 1_572_864: "1.5 MiB", 1 << 50: "1.0 PiB",
	} {
		if got := string(appendSize(nil, size)); got != want {
			t.Errorf("%d: %q, want %q", size, got, want)
		}
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
