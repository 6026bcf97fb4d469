package decode

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/raftctl/raftctl/internal/display"
	"github.com/raftctl/raftctl/internal/jsontext"
)

// AppendValue appends a value for people: its size, and as much of it as the style asks for, without
// the secrets that it has or, by its key, is. An object that Kubernetes stored is named. Nothing in it
// can act on a terminal. The key may be nil.
func AppendValue(dst, key, value []byte, s *Style) []byte {
	return appendValue(dst, stored{key, value}, s)
}

func appendValue(dst []byte, v stored, s *Style) []byte {
	dst = appendSize(dst, len(v.value))
	if s.Values == ValuesNone || len(v.value) == 0 {
		return dst
	}
	dst = append(dst, ' ')
	if o, ok := Kubernetes(v.value); ok {
		return appendObject(dst, v, &o, s)
	}
	return appendExposed(dst, v.expose(nil, v.judged(s), s), s)
}

// appendObject appends a value that Kubernetes stored.
func appendObject(dst []byte, v stored, o *Object, s *Style) []byte {
	if s.Values == ValuesShort {
		if dst = o.appendSummary(dst); !s.ShowSecrets && v.isSecret(o) {
			dst = append(append(dst, ' '), redacted...)
		}
		return dst
	}
	e := v.expose(o, -1, s)
	if e.all {
		dst = append(o.appendSummary(dst), ' ')
	}
	return appendExposed(dst, e, s)
}

// judged returns how many bytes of a value are looked at for a summary.
func (v stored) judged(s *Style) int {
	switch {
	case s.Values == ValuesFull:
		return -1
	case v.value[0] == '{' || v.value[0] == '[':
		return judgedCompact
	}
	return judgedSummary
}

// appendExposed appends what may be shown of a value, and an ellipsis if that isn't all.
func appendExposed(dst []byte, e exposed, s *Style) []byte {
	if e.all {
		return append(dst, redacted...)
	}
	start := len(dst)
	head := headOf(e.text, s.Values)
	switch {
	case !isText(head):
		return appendHex(dst, e.text, limitOf(s))
	case head[0] == '{' || head[0] == '[':
		dst = appendCompact(dst, e.text, limitOf(s))
	default:
		dst = appendWord(dst, e.text, limitOf(s))
	}
	return e.appendEllipsis(dst, start)
}

// limitOf returns how many columns of a value a summary shows; below 0 it is all of them.
func limitOf(s *Style) int {
	if s.Values == ValuesFull {
		return -1
	}
	return summaryValue
}

// appendEllipsis says that there is more of a value than its beginning, which stands behind start, if that
// isn't said yet.
func (e *exposed) appendEllipsis(dst []byte, start int) []byte {
	if !e.whole && !bytes.HasSuffix(bytes.TrimSuffix(dst[start:], []byte{'"'}), []byte(display.Ellipsis)) {
		dst = append(dst, display.Ellipsis...)
	}
	return dst
}

// appendArgument appends a value that stands among others: without its size where all of it is
// shown.
func appendArgument(dst []byte, v stored, s *Style) []byte {
	if s.Values == ValuesNone {
		return appendSize(dst, len(v.value))
	}
	if s.Values == ValuesShort && (len(v.value) > summaryValue || !isText(v.value)) {
		return appendValue(dst, v, s)
	}
	var e exposed
	if o, ok := Kubernetes(v.value); ok {
		e = v.expose(&o, -1, s)
	} else {
		e = v.expose(nil, -1, s)
	}
	if e.all {
		return append(dst, redacted...)
	}
	return appendWord(dst, e.text, -1)
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
	if s.Values == ValuesNone {
		return dst
	}
	v := stored{value: text}
	e := v.expose(nil, v.judged(s), s)
	if dst = append(dst, ' '); e.all {
		return append(dst, redacted...)
	}
	start := len(dst)
	return e.appendEllipsis(appendCompact(dst, e.text, limitOf(s)), start)
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

// AppendValueJSON appends the members of a JSON object that stand for a value: value_size always;
// value, or value_base64 where it is no UTF-8, where all of it is shown; value_prefix, or
// value_prefix_base64, where only its beginning is; value_kubernetes where Kubernetes stored it, instead
// of the beginning if it did so in protobuf; and value_redacted, which is true, where a secret is left out.
// A value that is a secret altogether is "[redacted]". The key may be nil.
func AppendValueJSON(dst, key, value []byte, s *Style) []byte {
	return appendValueJSON(dst, "value", stored{key, value}, s)
}

// appendValueJSON is AppendValueJSON with another name in place of value.
func appendValueJSON(dst []byte, name string, v stored, s *Style) []byte {
	dst = appendSizeOf(dst, name, v.value)
	if s.Values == ValuesNone {
		return dst
	}
	var o *Object
	if object, ok := Kubernetes(v.value); ok {
		o = &object
		dst = append(append(append(dst, `,"`...), name...), `_kubernetes":`...)
		dst = o.appendJSON(dst)
		if s.Values == ValuesShort && !o.json {
			return v.appendHiddenObject(dst, name, s)
		}
	}
	if s.Values == ValuesShort && len(v.value) > jsonValue {
		e := v.expose(o, judgedPrefix, s)
		return e.appendJSON(dst, name, jsonPrefix)
	}
	e := v.expose(o, -1, s)
	return e.appendJSON(dst, name, -1)
}

// appendHiddenObject appends the members of a value in protobuf of which no more is shown than its name:
// those that say that it is a secret.
func (v stored) appendHiddenObject(dst []byte, name string, s *Style) []byte {
	o, _ := Kubernetes(v.value)
	if s.ShowSecrets || !v.isSecret(&o) {
		return dst
	}
	e := exposed{all: true}
	return e.appendJSON(dst, name, -1)
}

// appendJSON appends the members for what may be shown of a value: all of it if limit is below 0, else
// so many bytes.
func (e *exposed) appendJSON(dst []byte, name string, limit int) []byte {
	switch {
	case e.all:
		e.first = 0
		dst = jsontext.AppendString(jsontext.AppendName(dst, name), redacted)
	case limit < 0:
		dst = jsontext.AppendBytes(dst, name, e.text)
	default:
		dst = appendPrefixJSON(dst, name, e.text)
	}
	if e.first >= 0 && (limit < 0 || e.first < limit) {
		dst = appendRedacted(dst, name)
	}
	return dst
}

// appendRedacted appends the member that says that something was left out.
func appendRedacted(dst []byte, name string) []byte {
	return append(append(append(dst, `,"`...), name...), `_redacted":true`...)
}

// appendPrefixJSON appends the beginning of a value that is too long to be shown.
func appendPrefixJSON(dst []byte, name string, value []byte) []byte {
	if head := prefix(value, jsonPrefix); utf8.Valid(head) {
		return jsontext.AppendBytes(dst, name+"_prefix", head)
	}
	return jsontext.AppendBase64(dst, name+"_prefix", value[:min(len(value), jsonPrefix)])
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
