package jsontext

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendString appends a string. Characters that aren't printable are escaped, those beyond ASCII
// too. Text that is no UTF-8 gets U+FFFD in place of the bytes that aren't: callers to whom that
// matters take [AppendBytes].
func AppendString[T ~string | ~[]byte](dst []byte, text T) []byte {
	return append(appendText(append(dst, '"'), []byte(text)), '"')
}

// appendText is AppendString without the quotes around it.
func appendText(dst, text []byte) []byte {
	for {
		var n int
		dst, n = appendASCII(dst, text)
		if text = text[n:]; len(text) == 0 {
			return dst
		}
		for first := true; len(text) > 0 && (first || text[0] >= utf8.RuneSelf); first = false {
			r, n := utf8.DecodeRune(text)
			dst = appendRune(dst, r)
			text = text[n:]
		}
	}
}

const (
	wordSize = 8  // bytes that are looked at together
	byBytes  = 32 // bytes that are looked at one by one
)

// appendASCII appends the beginning of text that is printable ASCII, with quotes and backslashes
// escaped, and returns how much of text that was. Eight bytes that can stand as they are go together.
// Where they can't, the text is likely to be JSON itself, and the next ones are looked at one by one.
func appendASCII(dst, text []byte) (out []byte, n int) {
	at := len(dst)
	dst = slices.Grow(dst, 2*len(text))
	dst = dst[:cap(dst)]
	for n < len(text) {
		for len(text)-n >= wordSize {
			w := binary.LittleEndian.Uint64(text[n:])
			if special(w) != 0 {
				break
			}
			binary.LittleEndian.PutUint64(dst[at:], w)
			n, at = n+wordSize, at+wordSize
		}
		for _, c := range text[n:min(n+byBytes, len(text))] {
			if !isPlain(c) {
				if c != '"' && c != '\\' {
					return dst[:at], n
				}
				dst[at] = '\\'
				at++
			}
			dst[at] = c
			n, at = n+1, at+1
		}
	}
	return dst[:at], n
}

// PlainPrefix returns the length of the prefix that a JSON string holds unchanged and that is
// ASCII.
func PlainPrefix(text []byte) int {
	n := 0
	for len(text)-n >= wordSize {
		k := bits.TrailingZeros64(special(binary.LittleEndian.Uint64(text[n:]))) / 8
		if n += k; k < wordSize {
			return n
		}
	}
	for n < len(text) && isPlain(text[n]) {
		n++
	}
	return n
}

func isPlain(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

// special returns a word whose lowest bit lies in the first byte of w for which isPlain doesn't
// hold; 0 if there is none. Bits above it mean nothing: a borrow out of one byte spoils the test of
// the next.
func special(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	bad := w | (w + ones)         // not ASCII, or DEL
	bad |= w - ones*' '           // below space
	bad |= (w ^ ones*'"') - ones  // a quote
	bad |= (w ^ ones*'\\') - ones // a backslash
	return bad & highs
}

func appendRune(dst []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(dst, '\\', 'n')
	case r == '\r':
		return append(dst, '\\', 'r')
	case r == '\t':
		return append(dst, '\\', 't')
	case strconv.IsPrint(r):
		return utf8.AppendRune(dst, r)
	}
	return appendEscape(dst, r)
}

// appendEscape appends \uxxxx, twice for a rune beyond the basic plane.
func appendEscape(dst []byte, r rune) []byte {
	const surrogate, low, beyond = 0xd800, 0xdc00, 0x10000
	if r >= beyond {
		r -= beyond
		dst = AppendHex(append(dst, `\u`...), uint64(surrogate+r>>10), 4)
		r = low + r&0x3ff
	}
	return AppendHex(append(dst, `\u`...), uint64(r), 4)
}

// AppendHarmless appends JSON that someone else wrote, with the characters escaped that
// [AppendString] escapes. In JSON that is valid and compact those stand in strings only, where an
// escape means the same.
func AppendHarmless(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if strconv.IsPrint(r) {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = appendEscape(dst, r)
		}
		text = text[n:]
	}
	return dst
}
