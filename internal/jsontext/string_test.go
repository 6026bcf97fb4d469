package jsontext

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestEveryByteInEveryPlace compares the steps of eight bytes with steps of one, for every byte in
// every place of texts of every length up to three words, among plain text and among quotes.
func TestEveryByteInEveryPlace(t *testing.T) {
	for _, fill := range []string{"a", `"`, `a"`, `\\b"`} {
		for size := range 3*wordSize + 1 {
			for at := range size {
				text := []byte(strings.Repeat(fill, size))[:size]
				for c := range 256 {
					text[at] = byte(c)
					if got, want := AppendString(nil, text), byRunes(text); !bytes.Equal(got, want) {
						t.Fatalf("%q: %q, want %q", text, got, want)
					}
					if got, want := PlainPrefix(text), plainByBytes(text); got != want {
						t.Fatalf("%q: plain up to %d, want %d", text, got, want)
					}
				}
			}
		}
	}
}

// byRunes is AppendString as simple as can be.
func byRunes(text []byte) []byte {
	dst := []byte{'"'}
	for _, r := range string(text) {
		if r == '"' || r == '\\' {
			dst = append(dst, '\\')
		}
		dst = appendRune(dst, r)
	}
	return append(dst, '"')
}

func plainByBytes(text []byte) int {
	for i, c := range text {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return i
		}
	}
	return len(text)
}

// TestEveryRune writes every rune, and reads it back with encoding/json.
func TestEveryRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		text := "a" + string(r) + "b"
		out := AppendString(nil, text)
		if i := bytes.IndexFunc(out, notPrintable); i >= 0 {
			t.Fatalf("%U: %q is not printable at %d", r, out, i)
		}
		var got string
		if err := json.Unmarshal(out, &got); err != nil || got != text {
			t.Fatalf("%U: read back as %q: %v", r, got, err)
		}
	}
}

func notPrintable(r rune) bool { return !strconv.IsPrint(r) }

// Whatever is in a string, its JSON is valid, means the same, and holds nothing that a terminal
// obeys.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{
		"", "plain", "\"\\\n\t\r\x00\x1b\x7f", "ünï ☃ 世界", "\u202e\u0085\ufeff", "\xff\xc0", "𝄞\U000e0001",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := AppendString([]byte("kept"), s)
		b, ok := bytes.CutPrefix(b, []byte("kept"))
		if !ok {
			t.Fatalf("%q: what came before is gone", b)
		}
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if utf8.ValidString(s) && got != s {
			t.Errorf("got %q, want %q", got, s)
		}
		if i := bytes.IndexFunc(b, notPrintable); i >= 0 {
			t.Errorf("%q: not printable at %d", b, i)
		}
		testBytes(t, []byte(s))
	})
}

// testBytes checks that bytes come back from AppendBytes as they were, text or not.
func testBytes(t *testing.T, data []byte) {
	t.Helper()
	b := append(AppendBytes([]byte{'{'}, "a", data), '}')
	var got struct {
		Text   *string `json:"a"`
		Base64 []byte  `json:"a_base64"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if text := utf8.Valid(data); text != (got.Text != nil) {
		t.Fatalf("%q became %s", data, b)
	} else if text && *got.Text != string(data) || !text && !bytes.Equal(got.Base64, data) {
		t.Errorf("%q became %s", data, b)
	}
}

func TestMembers(t *testing.T) {
	b := AppendName([]byte{'{'}, "ids")
	b = AppendID(AppendComma(append(b, '[')), 0)
	b = AppendID(AppendComma(b), 0x8211f1d0f64f3269)
	b = AppendID(AppendComma(b), 16)
	b = append(b, ']')
	b = AppendName(b, "json")
	b = append(AppendHarmless(b, []byte("[\"\u202e\"]")), '}')
	const want = `{"ids":["0","8211f1d0f64f3269","10"],"json":["\u202e"]}`
	if string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
}

func TestIntegers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", -1: "-1", 1 << 53: "9007199254740992", -1 << 53: "-9007199254740992",
		1<<53 + 1: `"9007199254740993"`, -1<<53 - 1: `"-9007199254740993"`,
		math.MinInt64: `"-9223372036854775808"`,
	} {
		if got := string(AppendInt(nil, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
		if got := string(AppendUint(nil, uint64(n))); n >= 0 && got != want {
			t.Errorf("%d unsigned: %s, want %s", n, got, want)
		}
	}
	if got, want := string(AppendUint(nil, math.MaxUint64)), `"18446744073709551615"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func BenchmarkAppendString(b *testing.B) {
	for name, text := range map[string]string{
		"plain": strings.Repeat("plain text without quotes ", 40),
		"json":  strings.Repeat(`{"kind":"Pod","labels":{"app":"web"}} `, 27),
		"greek": strings.Repeat("Ελληνικά ", 60),
		"key":   "/registry/pods/default/web-00000001",
	} {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendString(dst[:0], text)
			}
		})
	}
}
