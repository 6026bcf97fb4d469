package decode

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// validJSON reports whether text is JSON that can stand within JSON.
func validJSON(text []byte) bool { return utf8.Valid(text) && json.Valid(text) }

// jsonMembers yields the members of an object: their names as they are written, without the quotes, and
// their values. It ends at what isn't JSON, and need not notice: whoever wants to know asks json.Valid.
func jsonMembers(text []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if len(text) == 0 || text[0] != '{' {
			return
		}
		for i := jsonSpace(text, 1); i < len(text) && text[i] == '"'; {
			end := jsonString(text, i)
			colon := jsonSpace(text, end)
			if end < 0 || colon >= len(text) || text[colon] != ':' {
				return
			}
			value := jsonSpace(text, colon+1)
			next := jsonSkip(text, value)
			if next <= value || !yield(text[i+1:end-1], text[value:next]) {
				return
			}
			if i = jsonSpace(text, next); i >= len(text) || text[i] != ',' {
				return
			}
			i = jsonSpace(text, i+1)
		}
	}
}

// jsonElements yields the elements of a list, as jsonMembers yields members.
func jsonElements(text []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		if len(text) == 0 || text[0] != '[' {
			return
		}
		for i := jsonSpace(text, 1); i < len(text) && text[i] != ']'; {
			next := jsonSkip(text, i)
			if next <= i || !yield(text[i:next]) {
				return
			}
			if i = jsonSpace(text, next); i >= len(text) || text[i] != ',' {
				return
			}
			i = jsonSpace(text, i+1)
		}
	}
}

// jsonSpace returns the offset behind white space.
func jsonSpace(text []byte, i int) int {
	for i >= 0 && i < len(text) && isSpace(rune(text[i])) {
		i++
	}
	return i
}

// jsonString returns the offset behind the string at an offset, -1 if it has no end.
func jsonString(text []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(text[min(i, len(text)):], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := i
		for text[slashes-1] == '\\' {
			slashes--
		}
		if (i-slashes)%2 == 0 {
			return i + 1
		}
	}
}

// jsonSkip returns the offset behind the value at an offset: the end of the text, or less than the offset,
// if the value has no end.
func jsonSkip(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			if i = jsonString(text, i) - 1; i < 0 {
				return -1
			}
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return i
			}
			depth--
		case depth == 0 && (c == ',' || isSpace(rune(c))):
			return i
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

// jsonText returns what is in a string, as it is written; nil for any other value.
func jsonText(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	return value[1 : len(value)-1]
}
