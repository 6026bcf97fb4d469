package ui

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// CommandLine returns a command line as it can be typed into a shell: words that a shell would take
// apart are quoted.
func CommandLine(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// Quote returns a word as it can be typed into a shell.
func Quote(word string) string {
	if word != "" && strings.IndexFunc(word, needsQuotes) < 0 {
		return word
	}
	if strings.ContainsFunc(word, func(r rune) bool { return !strconv.IsPrint(r) }) {
		quoted := strconv.Quote(word)
		return "$'" + strings.ReplaceAll(quoted[1:len(quoted)-1], "'", `\'`) + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Printable returns a text in which nothing can act on a terminal: what isn't printed is escaped.
func Printable(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for i, n := 0, 0; i < len(text); i += n {
		var r rune
		if r, n = utf8.DecodeRuneInString(text[i:]); r == '"' || r == '\\' {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.Quote(text[i : i+n])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// needsQuotes reports whether a shell may give a character a meaning of its own.
func needsQuotes(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	case r >= 0x80 && strconv.IsPrint(r):
		return false
	}
	return !strings.ContainsRune("_./:@%+=,-", r)
}

// Count returns a number with commas between thousands: 1,946.
func Count[T int | int64 | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
