package secret

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"
)

// Redacted stands where a secret would.
const Redacted = "[redacted]"

// Span is a part of a text that is a secret: the bytes [Lo, Hi).
type Span struct {
	Lo, Hi int
	// Quote is what must stand on both sides of whatever takes its place: a secret number in JSON
	// becomes a string.
	Quote []byte
}

// Find returns the secrets in a text, in order and apart from each other; nil if there is none. Where
// the text is not whole, but the beginning of something longer, a secret that isn't complete is hidden
// too, and so is what may become one. The time that it takes is linear in the size of the text.
func Find(text []byte, whole bool) []Span {
	for i, list := theHunter.next(text, 0); list != nil; i, list = theHunter.next(text, i+1) {
		for _, t := range list {
			if _, ok := t.at(text, i); ok {
				return find(text, i, whole)
			}
		}
	}
	return nil
}

// find is Find for a text in which the first trigger's pair is at an offset.
func find(text []byte, first int, whole bool) []Span {
	s := scanner{text: text, whole: whole, json: looksLikeJSON(text)}
	for i, list := theHunter.next(text, first); list != nil; i, list = theHunter.next(text, max(i+1, s.done)) {
		for _, t := range list {
			if start, ok := t.at(text, i); ok && start >= s.done {
				s.apply(t, start)
			}
		}
	}
	return s.merged()
}

// AppendHidden appends a text with its secrets replaced.
func AppendHidden(dst, text []byte, spans []Span) []byte {
	from := 0
	for i := range spans {
		s := &spans[i]
		dst = append(append(dst, text[from:s.Lo]...), s.Quote...)
		dst = append(append(dst, Redacted...), s.Quote...)
		from = s.Hi
	}
	return append(dst, text[from:]...)
}

// scanner looks for the secrets of one text.
type scanner struct {
	text    []byte
	whole   bool
	json    bool // it looks like JSON: strings and their escapes matter
	spans   []Span
	done    int // what lies before needs no look any more
	nameEnd int // names before have been looked at
	spelled letters
	brief   bool // the word at hand is so short that random bytes may have it
}

func looksLikeJSON(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[' || text[0] == '"')
}

// apply looks at the place where a trigger's pattern begins.
func (s *scanner) apply(t *trigger, start int) {
	if t.tokens != nil {
		s.token(start, t.tokens)
	}
	switch t.rule {
	case ruleName:
		s.name(start)
	case ruleEscape:
		s.escape(start)
	case ruleJWT:
		s.jwt(start)
	case rulePEM:
		s.pem(start)
	case ruleHash:
		s.hash(start)
	case ruleURL:
		s.url(start)
	case ruleAt:
		s.address(start)
	case ruleScheme:
		s.scheme(start)
	}
}

// hide notes a secret.
func (s *scanner) hide(lo, hi int) { s.hideAs(Span{Lo: lo, Hi: hi}) }

func (s *scanner) hideAs(span Span) {
	if span.Lo >= span.Hi || s.brief && !isPrintable(s.text[span.Lo:span.Hi]) {
		return
	}
	s.spans = append(s.spans, span)
	s.done = max(s.done, span.Hi)
}

// isPrintable reports whether a value begins like text.
func isPrintable(value []byte) bool {
	const size = 8
	value = value[:min(len(value), size)]
	for len(value) > 0 {
		r, n := utf8.DecodeRune(value)
		if r == utf8.RuneError && utf8.FullRune(value) || r < ' ' && !isSpace(byte(r)) {
			return false
		}
		value = value[n:]
	}
	return true
}

// merged returns the secrets that were found, sorted, those that overlap as one.
func (s *scanner) merged() []Span {
	slices.SortStableFunc(s.spans, func(a, b Span) int { return cmp.Compare(a.Lo, b.Lo) })
	out := s.spans[:0]
	for _, span := range s.spans {
		if n := len(out); n > 0 && span.Lo < out[n-1].Hi {
			out[n-1].Hi = max(out[n-1].Hi, span.Hi)
			continue
		}
		out = append(out, span)
	}
	return out
}
