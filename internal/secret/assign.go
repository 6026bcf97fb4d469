package secret

import "bytes"

// field is the name of something, as it stands in a text.
type field struct {
	lo, hi int
	quote  []byte // what is around it, if anything
	next   int    // behind that
}

// name looks at the name that has a pattern in it, and hides what stands under that name.
func (s *scanner) name(start int) {
	if start < s.nameEnd {
		return
	}
	f := s.fieldAt(start)
	s.nameEnd = f.hi
	if !isName(s.letters(f), false) && !s.twoWords(&f) {
		return
	}
	word, _ := lastWord(s.letters(f))
	s.brief = len(word) < minWord
	if !s.inProtobuf(f) && s.quoted(&f) {
		s.fieldValue(f)
	}
	s.brief = false
}

// minWord is how many letters a word has at least that random bytes hardly ever have in them.
const minWord = 5

// letters returns the letters of a name. They are valid until the next call.
func (s *scanner) letters(f field) []byte { return s.spelled.set(s.text[f.lo:f.hi]) }

// fieldAt returns the name around an offset: letters, digits and the signs that join them.
func (s *scanner) fieldAt(i int) field {
	lo, hi := i, i
	for lo > max(s.done, i-maxName) && isNameByte(s.text[lo-1]) {
		lo--
	}
	for hi < min(len(s.text), i+maxName) && isNameByte(s.text[hi]) {
		hi++
	}
	if lo > 0 && s.text[lo-1] == '\\' && s.json { // the letter of an escape
		lo++
	}
	return field{lo: lo, hi: hi, next: hi}
}

func isNameByte(c byte) bool { return isAlnum(c) || c == '-' || c == '_' || c == '.' || c >= 0x80 }

// twoWords takes the word before in, for "API key" is one too.
func (s *scanner) twoWords(f *field) bool {
	if f.lo == 0 || s.text[f.lo-1] != ' ' {
		return false
	}
	before := s.fieldAt(f.lo - 1)
	before.hi = f.hi
	if before.lo >= f.lo || !isName(s.letters(before), false) {
		return false
	}
	f.lo = before.lo
	return true
}

// inProtobuf hides what follows a name in a message whose field 1 is the name and field 2 the value: an
// entry of a map, a variable of the environment, a request to put a key.
func (s *scanner) inProtobuf(f field) bool {
	const tag, maxKey = 0x12, 256
	hi := f.hi
	for hi < min(len(s.text), f.hi+maxKey) && s.text[hi] > ' ' && s.text[hi] < 0x7f {
		hi++
	}
	if s.at(hi) != tag {
		return false
	}
	lo := f.lo
	for lo > max(0, f.lo-maxKey) && s.text[lo-1] > ' ' && s.text[lo-1] < 0x7f {
		lo--
	}
	if hi == f.hi || Key(s.text[lo:hi]) != NoClaim {
		s.hide(min(hi+len("\x12\x01"), len(s.text)-1), len(s.text)) // no matter where it ends
	}
	return true
}

// quoted finds what is around a name, and the whole of a name that has other signs in it. It returns
// false if that is no name of a secret.
func (s *scanner) quoted(f *field) bool {
	if n := s.quoteBefore(f.lo); n > 0 && s.quoteAt(f.hi) == n {
		f.quote, f.next = s.text[f.lo-n:f.lo], f.hi+n
		return true
	}
	lo, hi := s.wordsAround(*f)
	n := s.quoteBefore(lo)
	if n == 0 || s.quoteAt(hi) != n || s.at(s.blanks(hi+n)) != ':' {
		if n = s.quoteAt(f.hi); n > 0 { // "--flag=x", "-Dpassword", or the end of a sentence
			f.next = f.hi + n
		}
		return true
	}
	f.lo, f.hi, f.quote, f.next = lo, hi, s.text[lo-n:lo], hi+n
	return isName(s.letters(*f), false) || Key(s.text[lo:hi]) != NoClaim
}

// wordsAround returns the ends of the words that a name stands among, as in "API key/prod".
func (s *scanner) wordsAround(f field) (lo, hi int) {
	lo, hi = f.lo, f.hi
	for lo > max(s.done, f.lo-maxName) && isProse(s.text[lo-1]) {
		lo--
	}
	for hi < min(len(s.text), f.hi+maxName) && isProse(s.text[hi]) {
		hi++
	}
	return lo, hi
}

func isProse(c byte) bool {
	return isNameByte(c) || bytes.IndexByte([]byte(" /:@()#$"), c) >= 0
}

// fieldValue hides what a field of a secret's name has as its value.
func (s *scanner) fieldValue(f field) {
	i := s.blanks(f.next)
	if f.quote != nil {
		i = s.blanksAndBreaks(f.next)
	}
	switch c := s.at(i); {
	case bytes.HasPrefix(s.text[min(i, len(s.text)):], []byte("://")):
	case c == ':' || c == '=':
		s.assigned(f, i)
	case (c == '?' || c == '+') && s.at(i+1) == '=':
		s.assigned(f, i+1)
	case c == '>' && i == f.next:
		s.element(f, i+1)
	case s.at(f.lo-1) == '<' && i > f.next:
		if n := bytes.IndexByte(s.text[i:min(len(s.text), i+maxName)], '>'); n >= 0 {
			s.element(f, i+n+1)
		}
	default:
		if !s.pair(f) {
			s.argument(f)
		}
	}
}

// assigned hides what follows a sign that assigns.
func (s *scanner) assigned(f field, sign int) {
	i := sign + 1
	for s.at(i) == '=' || s.at(i) == '>' && s.text[sign] == '=' {
		i++
	}
	line := s.blanks(i)
	if f.quote != nil {
		line = s.blanksAndBreaks(i)
	}
	switch c, n := s.at(line), s.quoteAt(line); {
	case n > 0:
		s.stringValue(f, line, n)
	case c == '{' || c == '[':
		s.bracketed(f, line)
	case f.quote != nil && s.json:
		s.bare(f, line)
	case s.breakAt(line) > 0 || s.isBlockHeader(line):
		s.indented(f, s.lineEnd(line))
	case c == '<' && s.at(line+1) == '<':
		s.hide(line, len(s.text))
	default:
		s.plain(f, line)
	}
}

// stringValue hides what is between quotes, and what follows it if that isn't the end of a value.
func (s *scanner) stringValue(f field, i, quote int) {
	from := i + quote
	mark := s.text[from-1]
	if triple := s.text[i:from:from]; quote == 1 && s.at(from) == mark && s.at(from+1) == mark {
		triple = append(triple, mark, mark)
		end := len(s.text)
		if n := bytes.Index(s.text[i+3:], triple); n >= 0 {
			end = i + 3 + n
		}
		s.hide(i+3, end)
		return
	}
	lo, hi := s.closing(from, quote)
	if c := s.at(hi); f.quote == nil && !s.json && c != 0 && !isSpace(c) &&
		bytes.IndexByte([]byte(",;&)]}>/"), c) < 0 {
		lo = s.lineEnd(hi)
	}
	s.hide(from, lo)
}

// bracketed hides an object or a list.
func (s *scanner) bracketed(f field, i int) {
	end := s.bracketEnd(i, max(len(f.quote), 1))
	if len(bytes.TrimSpace(s.text[i+1:max(i+1, end-1)])) == 0 && end < len(s.text) {
		return // there is nothing in it
	}
	s.hideAs(Span{i, end, f.quote})
}

// bracketEnd returns the offset behind an object or a list: the end of the text if that isn't in it.
func (s *scanner) bracketEnd(i, quote int) int {
	depth := 0
	for ; i < len(s.text); i++ {
		switch s.text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			switch n := 1 + s.slashesBefore(i); {
			case n < quote:
				return i - n + 1 // the string around it ends
			case n == quote:
				_, hi := s.closing(i+1, quote)
				i = max(i, hi-1)
			}
		}
	}
	return len(s.text)
}

// bare hides a number, or whatever else stands in JSON without quotes, but for true, false and null.
func (s *scanner) bare(f field, i int) {
	end := i
	for end < len(s.text) && s.text[end] != '\n' && bytes.IndexByte([]byte(`,}]"\`), s.text[end]) < 0 {
		end++
	}
	for end > i && isSpace(s.text[end-1]) {
		end--
	}
	if !isNothing(s.text[i:end]) {
		s.hideAs(Span{i, end, f.quote})
	}
}

// isNothing reports whether a value can't be a secret.
func isNothing(value []byte) bool {
	switch string(bytes.ToLower(value)) {
	case "", "true", "false", "null", "nil", "none", "~":
		return true
	}
	return false
}

// plain hides the rest of a line, and what belongs to it in YAML.
func (s *scanner) plain(f field, i int) {
	end := s.lineEnd(i)
	hi := end
	for hi > i && isSpace(s.text[hi-1]) {
		hi--
	}
	if !isNothing(s.text[i:hi]) {
		s.hide(i, hi)
		s.indented(f, end)
	}
}

// element hides the text of an element of XML, up to the next tag.
func (s *scanner) element(f field, i int) {
	if before := s.at(f.lo - 1); before != '<' && before != ':' && f.quote == nil {
		return
	}
	end := bytes.IndexByte(s.text[i:], '<')
	if end < 0 {
		end = len(s.text) - i
	}
	if len(bytes.TrimSpace(s.text[i:i+end])) > 0 {
		s.hide(i, i+end)
	}
}
