package secret

import "bytes"

// valueLabels are the names of fields whose meaning another field says: {"name":"TOKEN","value":"x"}.
var valueLabels = setOf("value", "val", "values", "default", "defaultvalue", "stringvalue", "content")

func isValueLabel(name []byte) bool {
	var l letters
	return valueLabels[string(l.set(name))]
}

// maxAhead is how far behind a name its value may begin, so that no text takes much time.
const maxAhead = 1 << 10

// pair hides the value of an object whose name is a value itself, and reports whether there is one.
func (s *scanner) pair(f field) bool {
	if s.labelled(f.next) {
		return true
	}
	if f.quote == nil {
		return false
	}
	return s.pairAhead(f) || s.pairBefore(f)
}

// labelled hides what follows the word value, if that is what follows: in XML or in YAML.
func (s *scanner) labelled(i int) bool {
	for n := s.breakAt(i); n > 0 || isSpace(s.at(i)); n = s.breakAt(i) {
		i += max(n, 1)
	}
	word := i
	for i < len(s.text) && isAlnum(s.text[i]) {
		i++
	}
	sign := s.blanks(i)
	if !isValueLabel(s.text[word:i]) || s.at(sign) != ':' && s.at(sign) != '=' {
		return false
	}
	s.assigned(field{lo: word, hi: i, next: i}, sign)
	return true
}

// maxMembers is how many members of an object are looked at for the one that a name belongs to.
const maxMembers = 16

// pairAhead looks at the members of an object that follow the name.
func (s *scanner) pairAhead(f field) bool {
	i, all := f.next, s.text
	s.text = all[:min(len(all), i+maxAhead)]
	label, ok := s.valueAhead(i, len(f.quote))
	if s.text = all; ok {
		s.assigned(label, s.blanksAndBreaks(label.next))
	}
	return ok
}

// valueAhead returns the member that has the value.
func (s *scanner) valueAhead(i, quote int) (label field, ok bool) {
	for range maxMembers {
		if i = s.blanksAndBreaks(i); s.at(i) != ',' {
			break
		}
		label, ok := s.memberAt(s.blanksAndBreaks(i+1), quote)
		if !ok || isValueLabel(s.text[label.lo:label.hi]) {
			return label, ok
		}
		if i = s.blanksAndBreaks(s.blanksAndBreaks(label.next) + 1); i >= len(s.text) {
			break
		}
		i = s.skip(i, quote)
	}
	return field{}, false
}

// memberAt returns the name of the member of an object at an offset.
func (s *scanner) memberAt(i, quote int) (f field, ok bool) {
	if s.quoteAt(i) != quote {
		return field{}, false
	}
	lo := i + quote
	hi, next := s.closing(lo, quote)
	if next == len(s.text) || s.at(s.blanksAndBreaks(next)) != ':' {
		return field{}, false
	}
	return field{lo: lo, hi: hi, quote: s.text[i:lo], next: next}, true
}

// skip returns the offset behind a value of JSON.
func (s *scanner) skip(i, quote int) int {
	switch c := s.text[i]; {
	case c == '{' || c == '[':
		return s.bracketEnd(i, quote)
	case s.quoteAt(i) == quote:
		_, next := s.closing(i+quote, quote)
		return next
	}
	for i < len(s.text) && bytes.IndexByte([]byte(`,}]"\`), s.text[i]) < 0 {
		i++
	}
	return i
}

// pairBefore looks at the member of an object before the one whose value is the name.
func (s *scanner) pairBefore(f field) bool {
	quote := len(f.quote)
	i, ok := s.before(f.lo-quote, ':')
	if !ok {
		return false
	}
	if _, i, ok = s.stringBefore(i, quote); !ok {
		return false
	}
	if i, ok = s.before(i, ','); !ok {
		return false
	}
	value, i, ok := s.stringBefore(i, quote)
	if !ok {
		return false
	}
	if i, ok = s.before(i, ':'); !ok {
		return false
	}
	label, _, ok := s.stringBefore(i, quote)
	if !ok || !isValueLabel(s.text[label.Lo:label.Hi]) {
		return false
	}
	s.hide(value.Lo, value.Hi)
	return true
}

// before returns the offset of a sign before an offset, if only white space is between.
func (s *scanner) before(i int, sign byte) (int, bool) {
	i = s.spaceBefore(i) - 1
	return i, s.at(i) == sign
}

// stringBefore returns what is in the string before an offset, and where its quote begins.
func (s *scanner) stringBefore(i, quote int) (in Span, start int, ok bool) {
	hi := s.spaceBefore(i)
	if s.quoteBefore(hi) != quote {
		return Span{}, 0, false
	}
	mark := s.text[hi-1]
	hi -= quote
	for lo := hi; ; {
		n := bytes.LastIndexByte(s.text[:lo], mark)
		if n < 0 {
			return Span{}, 0, false
		}
		slashes := s.slashesBefore(n)
		if slashes == quote-1 {
			return Span{Lo: n + 1, Hi: hi}, n - slashes, true
		}
		lo = n - slashes
	}
}

// argument hides what follows the name of a flag, or the word password at a line's beginning or in a
// list of settings without signs, as .netrc has it.
func (s *scanner) argument(f field) {
	flag := s.text[f.lo] == '-'
	i := s.blanks(f.next)
	switch {
	case flag && s.quoteBefore(f.next) > 0:
		s.nextString(f, i)
	case flag && s.breakAt(i) > 0:
		if i = s.blanks(i + s.breakAt(i)); s.at(i) == '-' && s.at(i+1) == ' ' {
			s.plain(f, s.blanks(i+1))
		}
	case i == f.next || i == len(s.text) || s.breakAt(i) > 0:
	case flag && s.text[i] != '-':
		s.word(f, i)
	case isPasswordWord(s.text[f.lo:f.hi]) && !isOfProse(s.text[i:]):
		if _, ok := s.column(f); ok {
			s.plain(f, i)
		} else {
			s.word(f, i)
		}
	}
}

// nextString hides the string that follows a comma: "--token", "x".
func (s *scanner) nextString(f field, i int) {
	if i = s.blanksAndBreaks(i); s.at(i) != ',' {
		return
	}
	i = s.blanksAndBreaks(i + 1)
	if n := s.quoteAt(i); n > 0 {
		s.stringValue(f, i, n)
	}
}

// word hides a word, or what is between quotes.
func (s *scanner) word(f field, i int) {
	if n := s.quoteAt(i); n > 0 {
		s.stringValue(f, i, n)
		return
	}
	s.hide(i, s.wordEnd(i))
}

// wordEnd returns where a word ends: before a blank, or with the line.
func (s *scanner) wordEnd(i int) int {
	for ; i < len(s.text) && s.text[i] != ' ' && s.text[i] != '\t' && s.breakAt(i) == 0; i++ {
		switch {
		case !s.json:
		case s.text[i] == '\\':
			i++
		case s.text[i] == '"' && s.endsString(i):
			return i
		}
	}
	return min(i, len(s.text))
}

var (
	passwordWords = setOf("password", "passwd", "passphrase", "pass", "requirepass", "masterauth", "pwd")
	proseWords    = setOf("is", "was", "for", "to", "of", "and", "or", "has", "must", "should", "can", "cannot",
		"in", "on", "with", "not", "reset", "change", "changed", "expired", "policy", "may", "will", "are", "by")
)

func isPasswordWord(name []byte) bool {
	var l letters
	return passwordWords[string(l.set(name))]
}

// isOfProse reports whether a text begins with a word that follows the word password in a sentence.
func isOfProse(text []byte) bool {
	n := 0
	for n < len(text) && isAlnum(text[n]) && n < maxName {
		n++
	}
	return proseWords[string(bytes.ToLower(text[:n]))]
}
