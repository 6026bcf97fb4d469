package ui

import (
	"strings"

	"github.com/raftctl/raftctl/internal/display"
)

// narrowest is the least width that text is wrapped to: below, a word a line helps nobody.
const narrowest = 20

// Wrap breaks text between words into lines of at most width columns; a word that is wider has a line
// of its own. With a width of 0, where there is no terminal, text stays one line.
func Wrap(text string, width int) []string {
	if width <= 0 || display.Width(text) <= width {
		return []string{text}
	}
	width = max(width, narrowest)
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		w := display.Width(word)
		if used > 0 && used+1+w > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += w
	}
	return append(lines, line)
}

// Indented returns text in lines, each behind that many blanks, which count in the width.
func Indented(text string, blanks, width int) string {
	if width > 0 {
		width = max(width-blanks, narrowest)
	}
	var b strings.Builder
	for _, line := range Wrap(text, width) {
		b.WriteString(strings.Repeat(" ", blanks))
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}
