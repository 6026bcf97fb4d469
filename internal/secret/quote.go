package secret

import "bytes"

// A quote is a quotation mark and the backslashes before it: text in JSON within JSON has \" around
// its strings, and deeper ones have more.

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// quoteAt returns the size of the quote at an offset, 0 if there is none.
func (s *scanner) quoteAt(i int) int {
	n := 0
	for s.at(i+n) == '\\' {
		n++
	}
	if isQuote(s.at(i + n)) {
		return n + 1
	}
	return 0
}

// quoteBefore returns the size of the quote that ends at an offset, 0 if there is none.
func (s *scanner) quoteBefore(i int) int {
	if i == 0 || !isQuote(s.text[i-1]) {
		return 0
	}
	return 1 + s.slashesBefore(i-1)
}

func (s *scanner) slashesBefore(i int) int {
	n := 0
	for i-n > 0 && s.text[i-n-1] == '\\' {
		n++
	}
	return n
}

// closing returns where the quote begins that ends a string, and where it ends. from is behind the quote
// that the string begins with. Both are the end of the text if the string isn't ended; where the one
// around it ends first, it ends there too.
func (s *scanner) closing(from, quote int) (lo, hi int) {
	mark, slashes := s.text[from-1], quote-1
	for i := from; i < len(s.text); i++ {
		n := bytes.IndexByte(s.text[i:], mark)
		if n < 0 {
			break
		}
		i += n
		before := s.slashesIn(from, i)
		switch {
		case mark == '\'' && slashes == 0 && s.at(i+1) == mark: // a quote in YAML
			i++
		case mark == '\'' && slashes == 0, before%(2*quote) == slashes, before < slashes:
			before = min(before, slashes)
			return s.within(from, i-before, i+1)
		}
	}
	return s.within(from, len(s.text), len(s.text))
}

// slashesIn counts the backslashes before an offset, not beyond from.
func (s *scanner) slashesIn(from, i int) int { return min(s.slashesBefore(i), i-from) }

// within lets a string between other marks than JSON's end with the string of JSON that it lies in.
func (s *scanner) within(from, lo, hi int) (int, int) {
	if s.json && s.text[from-1] != '"' {
		if end := s.stringEnd(from, lo); end < lo {
			return end, end
		}
	}
	return lo, hi
}

// stringEnd returns where the string of JSON ends that an offset lies in, but at most limit. A quote ends
// it if what follows a string follows it.
func (s *scanner) stringEnd(i, limit int) int {
	for ; i < limit; i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			if s.endsString(i) {
				return i
			}
		}
	}
	return limit
}

// endsString reports whether what follows a string of JSON follows a quote.
func (s *scanner) endsString(quote int) bool {
	c := s.at(s.blanksAndBreaks(quote + 1))
	return c == 0 || c == ',' || c == ':' || c == '}' || c == ']'
}

// blanks returns the offset behind blanks.
func (s *scanner) blanks(i int) int {
	for i < len(s.text) && (s.text[i] == ' ' || s.text[i] == '\t') {
		i++
	}
	return i
}

// blanksAndBreaks returns the offset behind white space.
func (s *scanner) blanksAndBreaks(i int) int {
	for i < len(s.text) && isSpace(s.text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// spaceBefore returns the offset before white space.
func (s *scanner) spaceBefore(i int) int {
	for i > 0 && isSpace(s.text[i-1]) {
		i--
	}
	return i
}

// breakAt returns the size of the line break at an offset, 0 if there is none. In JSON that may be an
// escape.
func (s *scanner) breakAt(i int) int {
	switch c := s.at(i); {
	case c == '\n':
		return 1
	case c == '\r' && s.at(i+1) == '\n':
		return 2
	case s.json && c == '\\' && s.at(i+1) == 'r' && s.at(i+2) == '\\' && s.at(i+3) == 'n':
		return 4
	case s.json && c == '\\' && s.at(i+1) == 'n':
		return 2
	}
	return 0
}

// lineEnd returns where a line ends, in JSON at the end of its string at the latest. The offset must not
// lie within an escape.
func (s *scanner) lineEnd(i int) int {
	if !s.json {
		if n := bytes.IndexByte(s.text[i:], '\n'); n >= 0 {
			return i + n
		}
		return len(s.text)
	}
	for ; i < len(s.text); i++ {
		if s.breakAt(i) > 0 {
			return i
		}
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			return s.stringEnd(i, len(s.text))
		}
	}
	return len(s.text)
}
