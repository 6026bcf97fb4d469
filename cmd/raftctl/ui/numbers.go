package ui

import "strconv"

// Digits returns the number of decimal digits of n.
func Digits(n uint64) int { return len(strconv.FormatUint(n, 10)) }

// Plural returns the word for n things: an s is appended unless there is one.
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
