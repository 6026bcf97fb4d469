package ui

import "strings"

// Bar draws a share as a bar of at most width columns, in eighths of a column.
func Bar(n, of int64, width int) string {
	if of <= 0 || n <= 0 {
		return ""
	}
	eighths := max(1, int(float64(n)/float64(of)*float64(8*width)+0.5))
	const partial = "▏▎▍▌▋▊▉"
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune(partial)[rest-1])
	}
	return s
}
