package decode

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/jsontext"
)

// appendValue appends a value for people: its size, and as much of it as the style asks for.
func appendValue(dst, value []byte, s *Style) []byte {
	dst = AppendSize(dst, len(value))
	if s.Values == ValuesNone || len(value) == 0 {
		return dst
	}
	dst = append(dst, ' ')
	if o, ok := parseObject(value); ok && s.Values == ValuesShort {
		return o.appendSummary(dst)
	}
	limit := summaryValue
	if s.Values == ValuesFull {
		limit = -1
	}
	head := headOf(value, s.Values)
	switch {
	case !isText(head):
		return appendHex(dst, value, limit)
	case head[0] == '{' || head[0] == '[':
		return appendCompact(dst, value, limit)
	}
	return appendWord(dst, value, limit)
}

// appendArgument appends a value that stands among others: without its size where all of it is
// shown.
func appendArgument(dst, value []byte, s *Style) []byte {
	if s.Values == ValuesNone {
		return AppendSize(dst, len(value))
	}
	if s.Values == ValuesFull || len(value) <= summaryValue && isText(value) {
		return appendWord(dst, value, -1)
	}
	return appendValue(dst, value, s)
}

// headOf returns as much of the value as has to be looked at to show it.
func headOf(value []byte, v Values) []byte {
	if v == ValuesFull {
		return value
	}
	return prefix(value, jsonValue)
}

// prefix returns at most size bytes, and does not end within a character if what it ends in is one.
func prefix(text []byte, size int) []byte {
	if len(text) <= size {
		return text
	}
	for n := size; n > size-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			return text[:n]
		}
	}
	return text[:size]
}

// isText reports whether all of b is UTF-8 and none of it a control character other than those that
// text files hold.
func isText(b []byte) bool {
	for len(b) > 0 {
		n := jsontext.PlainPrefix(b)
		if b = b[n:]; len(b) == 0 {
			return true
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) && !isSpace(r) && r < 0xa0 {
			return false
		}
		b = b[n:]
	}
	return true
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' }

// appendHex appends 0x and the bytes in hex, at most limit columns.
func appendHex(dst, b []byte, limit int) []byte {
	dst = append(dst, "0x"...)
	n, more := len(b), false
	if limit >= 0 && 2*n > limit {
		n, more = limit/2, true
	}
	for _, c := range b[:n] {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&0xf])
	}
	if more {
		dst = append(dst, "…"...)
	}
	return dst
}

// appendCompact appends text that looks like JSON without the white space between its tokens. It
// need not be valid, and with a limit is not even read to its end.
func appendCompact(dst, text []byte, limit int) []byte {
	inString, used := false, 0
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		raw := text[:n]
		text = text[n:]
		if !inString && isSpace(r) {
			continue
		}
		if inString && r == '\\' && len(text) > 0 && text[0] < utf8.RuneSelf {
			raw = raw[:2:2]
			text = text[1:]
		} else if r == '"' {
			inString = !inString
		}
		size := len(dst)
		dst = appendToken(dst, raw, r)
		used += columns(dst[size:])
		if limit >= 0 && used > limit {
			return append(dst[:size], "…"...)
		}
	}
	return dst
}

// appendCompactOf appends a space and as much of the JSON as the style wants, if it wants any.
func appendCompactOf(dst, text []byte, s *Style) []byte {
	switch s.Values {
	case ValuesNone:
		return dst
	case ValuesFull:
		return appendCompact(append(dst, ' '), text, -1)
	}
	return appendCompact(append(dst, ' '), text, summaryValue)
}

// appendToken appends one character of JSON, or a backslash and the one that it escapes.
func appendToken(dst, raw []byte, r rune) []byte {
	switch {
	case r != '"' && r != '\\':
		return appendRune(dst, raw, r)
	case len(raw) == 1 || raw[1] == '"' || raw[1] == '\\':
		return append(dst, raw...)
	}
	return appendRune(append(dst, '\\'), raw[1:], rune(raw[1]))
}

// appendValueJSON appends the members that stand for a value: NAME_size always; NAME, or
// NAME_base64, where all of it is shown; NAME_prefix, or NAME_prefix_base64, where only its
// beginning is; and NAME_kubernetes where Kubernetes stored it, instead of the beginning.
func appendValueJSON(dst []byte, name string, value []byte, s *Style) []byte {
	dst = appendSizeOf(dst, name, value)
	if s.Values == ValuesNone {
		return dst
	}
	o, ok := parseObject(value)
	if ok {
		dst = append(append(append(dst, `,"`...), name...), `_kubernetes":`...)
		dst = o.appendJSON(dst)
	}
	switch {
	case s.Values == ValuesFull || !ok && len(value) <= jsonValue:
		return jsontext.AppendBytes(dst, name, value)
	case ok:
		return dst
	}
	return appendPrefixJSON(dst, name, value)
}

// appendPrefixJSON appends the beginning of a value that is too long to be shown.
func appendPrefixJSON(dst []byte, name string, value []byte) []byte {
	if head := prefix(value, jsonPrefix); utf8.Valid(head) {
		return jsontext.AppendBytes(dst, name+"_prefix", head)
	}
	return jsontext.AppendBase64(dst, name+"_prefix", value[:jsonPrefix])
}

// isJSON reports whether data looks like a JSON object or array, from its ends.
func isJSON(data []byte) bool {
	data = bytes.TrimSpace(data)
	if len(data) < 2 {
		return false
	}
	first, last := data[0], data[len(data)-1]
	return first == '{' && last == '}' || first == '[' && last == ']'
}
