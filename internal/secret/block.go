package secret

import "bytes"

// isBlockHeader reports whether a line's rest announces that the value follows in YAML: |, >-, |2.
func (s *scanner) isBlockHeader(i int) bool {
	head := bytes.TrimRight(s.text[i:s.lineEnd(i)], " \t\r")
	return len(head) > 0 && (head[0] == '|' || head[0] == '>') &&
		len(bytes.Trim(head[1:], "+-0123456789")) == 0
}

// indented hides the lines behind an offset that are indented deeper than a field that begins a line,
// as YAML has it.
func (s *scanner) indented(f field, i int) {
	column, ok := s.column(f)
	if !ok {
		return
	}
	lo, end := 0, i
	for n := s.breakAt(i); n > 0; n = s.breakAt(i) {
		line := i + n
		i = s.blanks(line)
		item := s.at(i) == '-' && s.at(i+1) == ' '
		if s.breakAt(i) > 0 {
			continue
		}
		if i-line < column || i-line == column && !item || i == len(s.text) || s.json && s.text[i] == '"' {
			break
		}
		if lo == 0 {
			lo = i
		}
		i = s.lineEnd(i)
		end = i
	}
	if lo > 0 {
		s.hide(lo, end)
	}
}

// column returns how far a field is indented, if it begins a line. It may be that of an item of a list.
func (s *scanner) column(f field) (n int, ok bool) {
	lo := f.lo - len(f.quote)
	i := lo
	for i > 0 && (s.text[i-1] == ' ' || s.text[i-1] == '-') {
		i--
	}
	escape := s.json && i > 1 && s.text[i-1] == 'n' && s.text[i-2] == '\\'
	return lo - i, i == 0 || s.text[i-1] == '\n' || escape || s.json && s.text[i-1] == '"'
}
