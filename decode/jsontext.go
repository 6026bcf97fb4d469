package decode

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxSafe is the largest integer up to which every JSON reader has all integers: 2^53.
const maxSafe = 1 << 53

// appendName appends the name of a member, with a comma where one member precedes it.
func appendName(dst []byte, name string) []byte {
	if c := dst[len(dst)-1]; c != '{' && c != '[' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// appendComma appends a comma where an element precedes.
func appendComma(dst []byte) []byte {
	if c := dst[len(dst)-1]; c != '{' && c != '[' {
		dst = append(dst, ',')
	}
	return dst
}

// appendInt appends an integer: as a number where every reader gets it right, else as a string.
func appendInt(dst []byte, n int64) []byte {
	if n >= -maxSafe && n <= maxSafe {
		return strconv.AppendInt(dst, n, 10)
	}
	return append(strconv.AppendInt(append(dst, '"'), n, 10), '"')
}

// appendUint is appendInt for unsigned integers.
func appendUint(dst []byte, n uint64) []byte {
	if n <= maxSafe {
		return strconv.AppendUint(dst, n, 10)
	}
	return append(strconv.AppendUint(append(dst, '"'), n, 10), '"')
}

// appendID appends an ID as etcd prints it: hex, without leading zeros.
func appendID(dst []byte, id uint64) []byte {
	return append(strconv.AppendUint(append(dst, '"'), id, 16), '"')
}

// appendString appends a string. Characters that aren't printable are escaped, those beyond ASCII
// too, so that JSON on a terminal is as harmless as a summary. Text that is no UTF-8 gets U+FFFD in
// place of the bytes that aren't: callers to whom that matters have looked before.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for len(text) > 0 {
		var n int
		dst, n = appendASCII(dst, text)
		if text = text[n:]; len(text) == 0 {
			break
		}
		r, n := utf8.DecodeRune(text)
		dst = appendJSONRune(dst, r)
		text = text[n:]
	}
	return append(dst, '"')
}

// appendASCII appends the beginning of text that is printable ASCII, with quotes and backslashes
// escaped, and returns how much of text that was. It takes eight bytes at a time: all are copied, and
// those before the first that can't stand as it is are kept.
func appendASCII(dst, text []byte) (out []byte, n int) {
	dst = slices.Grow(dst, 2*len(text)+8)
	at := len(dst)
	dst = dst[:cap(dst)]
	for len(text)-n >= 8 {
		w := binary.LittleEndian.Uint64(text[n:])
		binary.LittleEndian.PutUint64(dst[at:], w)
		k := bits.TrailingZeros64(notPlain(w)) / 8
		n, at = n+k, at+k
		if k == 8 {
			continue
		}
		c := text[n]
		if c != '"' && c != '\\' {
			return dst[:at], n
		}
		dst[at], dst[at+1] = '\\', c
		n, at = n+1, at+2
	}
	for n < len(text) && isPlain(text[n]) {
		dst[at] = text[n]
		n, at = n+1, at+1
	}
	return dst[:at], n
}

func appendJSONRune(dst []byte, r rune) []byte {
	switch {
	case r == '"' || r == '\\':
		return append(dst, '\\', byte(r))
	case r == '\n':
		return append(dst, '\\', 'n')
	case r == '\r':
		return append(dst, '\\', 'r')
	case r == '\t':
		return append(dst, '\\', 't')
	case strconv.IsPrint(r):
		return utf8.AppendRune(dst, r)
	}
	return appendUnicodeEscape(dst, r)
}

// appendUnicodeEscape appends \uxxxx, twice for a rune beyond the basic plane.
func appendUnicodeEscape(dst []byte, r rune) []byte {
	const surrogate, low, beyond = 0xd800, 0xdc00, 0x10000
	if r >= beyond {
		r -= beyond
		dst = appendHexDigits(append(dst, `\u`...), uint64(surrogate+r>>10), 4)
		r = low + r&0x3ff
	}
	return appendHexDigits(append(dst, `\u`...), uint64(r), 4)
}

// plainPrefix returns the length of the prefix that a JSON string holds unchanged and that is
// ASCII. It looks at eight bytes at a time.
func plainPrefix(text []byte) int {
	n := 0
	for len(text)-n >= 8 {
		k := bits.TrailingZeros64(notPlain(binary.LittleEndian.Uint64(text[n:]))) / 8
		if n += k; k < 8 {
			return n
		}
	}
	for n < len(text) && isPlain(text[n]) {
		n++
	}
	return n
}

func isPlain(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

// notPlain returns a word whose lowest set bit lies in the first of the eight bytes in w for which
// isPlain doesn't hold; 0 if there is none. Bits above it mean nothing: a borrow out of one byte
// spoils the test of the next.
func notPlain(w uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	bad := w | (w + ones)         // not ASCII, or DEL
	bad |= w - ones*' '           // below space
	bad |= (w ^ ones*'"') - ones  // a quote
	bad |= (w ^ ones*'\\') - ones // a backslash
	return bad & highs
}

// appendData appends a member that holds bytes: as a string under its name where they are UTF-8,
// else as base64 under its name with _base64.
func appendData(dst []byte, name string, data []byte) []byte {
	return appendDataSuffix(dst, name, "", data)
}

func appendDataSuffix(dst []byte, name, suffix string, data []byte) []byte {
	dst = append(append(append(appendComma(dst), '"'), name...), suffix...)
	if utf8.Valid(data) {
		return appendString(append(dst, '"', ':'), data)
	}
	dst = append(dst, `_base64":"`...)
	return append(base64.StdEncoding.AppendEncode(dst, data), '"')
}

// appendHarmless appends JSON that someone else wrote, with the characters escaped that
// appendString escapes. In JSON that is valid and compact those stand in strings only, where an
// escape means the same.
func appendHarmless(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if strconv.IsPrint(r) {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = appendUnicodeEscape(dst, r)
		}
		text = text[n:]
	}
	return dst
}
