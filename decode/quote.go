package decode

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/jsontext"
)

const hexDigits = "0123456789abcdef"

// appendVisible appends text that comes from data so that nothing in it can act on a terminal or
// reorder a line: what is not printable, by strconv's definition, is escaped as Go does it, which
// covers control characters, C1 included, and bidi controls. It stops before limit columns are
// exceeded, and then appends an ellipsis. A limit below 0 is none.
func appendVisible(dst, text []byte, limit int) []byte {
	for used := 0; len(text) > 0; {
		head := text
		if limit >= 0 {
			head = text[:min(len(text), limit-used)]
		}
		if n := jsontext.PlainPrefix(head); n > 0 {
			dst = append(dst, head[:n]...)
			used, text = used+n, text[n:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		size := len(dst)
		dst = appendRune(dst, text[:n], r)
		used += columns(dst[size:])
		if limit >= 0 && used > limit {
			return append(dst[:size], display.Ellipsis...)
		}
		text = text[n:]
	}
	return dst
}

func appendRune(dst, raw []byte, r rune) []byte {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return append(dst, '\\', 'x', hexDigits[raw[0]>>4], hexDigits[raw[0]&0xf])
	case r == '\\' || r == '"':
		return append(dst, '\\', byte(r))
	case strconv.IsPrint(r):
		return append(dst, raw...)
	}
	return appendEscape(dst, r)
}

// appendEscape appends a rune that is not printable.
func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if r < 0x80 {
		return append(dst, '\\', 'x', hexDigits[r>>4], hexDigits[r&0xf])
	}
	if r < 0x10000 {
		return jsontext.AppendHex(append(dst, `\u`...), uint64(r), 4)
	}
	return jsontext.AppendHex(append(dst, `\U`...), uint64(r), 8)
}

// appendWord appends a key, name or path: bare where it is a word that can't be mistaken for
// anything else on the line, quoted otherwise.
func appendWord(dst, word []byte, limit int) []byte {
	if (limit < 0 || len(word) <= limit) && isBare(word) {
		return append(dst, word...)
	}
	return append(appendVisible(append(dst, '"'), word, limit), '"')
}

// isBare reports whether word is not empty and consists of printable ASCII other than spaces,
// quotes and backslashes.
func isBare(word []byte) bool {
	return len(word) > 0 && jsontext.PlainPrefix(word) == len(word) && bytes.IndexByte(word, ' ') < 0
}

// columns returns how many columns of a terminal the text takes.
func columns(text []byte) int { return display.Width(text) }

// cut shortens the line that begins at start to width columns; 0 leaves it as it is.
func cut(dst []byte, start, width int) []byte {
	if width <= 0 {
		return dst
	}
	return append(dst[:start], display.Cut(dst[start:], width, display.Ellipsis)...)
}

// appendSize appends a number of bytes for people.
func appendSize(dst []byte, size int) []byte { return display.AppendSize(dst, int64(size)) }
