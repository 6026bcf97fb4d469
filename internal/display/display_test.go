package display

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{
		-1: "0 B", 0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB",
		1279: "1.2 KiB", 1280: "1.3 KiB", 1382: "1.3 KiB", 1383: "1.4 KiB", // 1.25, 1.35 are in between
		1<<20 - 1: "1.0 MiB", 1048524: "1023.9 KiB", 1048525: "1.0 MiB", 64_000_000: "61.0 MiB",
		1 << 40: "1.0 TiB", math.MaxInt64: "8.0 EiB",
	} {
		if got := FormatSize(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

// The tenths are those of exact arithmetic.
func TestFormatSizeIsExact(t *testing.T) {
	for range 20_000 {
		n := int64(rand.Uint64() >> (1 + rand.UintN(63)))
		got := FormatSize(n)
		number, unit, _ := strings.Cut(got, " ")
		if unit == "B" {
			continue
		}
		shift := uint(10 * (1 + strings.Index("KMGTPE", unit[:1])))
		// floor(10n/2^shift + 1/2), as a fraction over 2^(shift+1)
		exact := new(big.Int).Mul(big.NewInt(n), big.NewInt(20))
		exact.Add(exact, new(big.Int).Lsh(big.NewInt(1), shift))
		exact.Rsh(exact, shift+1)
		if want := exact.String(); strings.Replace(number, ".", "", 1) != want {
			t.Errorf("%d: got %q, want %s tenths", n, got, want)
		}
	}
}

func TestWidthAndCut(t *testing.T) {
	for _, tc := range []struct {
		text  string
		width int
		cut   string // to 5 columns
	}{
		{"", 0, ""}, {"abc", 3, "abc"}, {"abcde", 5, "abcde"}, {"abcdef", 6, "abcd…"},
		{"世界", 4, "世界"}, {"世界世界", 8, "世界…"}, {"e\u0301e\u0301", 2, "e\u0301e\u0301"}, {"ﬀﬀﬀﬀﬀ", 5, "ﬀﬀﬀﬀﬀ"},
	} {
		if got := Width(tc.text); got != tc.width {
			t.Errorf("width of %q: got %d, want %d", tc.text, got, tc.width)
		}
		if got := string(Cut([]byte(tc.text), 5, Ellipsis)); got != tc.cut {
			t.Errorf("cut of %q: got %q, want %q", tc.text, got, tc.cut)
		}
	}
}

func TestAppendASCII(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "too lo…": "too lo...", "███▌": "####", "schlüssel": `schl\u00fcssel`,
		"🐛": `\U0001f41b`, "a\xffb": `a\xffb`,
	} {
		if got := string(AppendASCII(nil, []byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for r := range rune(utf8.MaxRune) {
		for _, c := range AppendASCII(nil, []byte(string(r))) {
			if c >= utf8.RuneSelf {
				t.Fatalf("%U: not ASCII", r)
			}
		}
	}
}
