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

// Sparkline draws numbers as a line of blocks, the highest of which is the largest number. A 0 is a blank.
func Sparkline(numbers []int64) string {
	const blocks = "▁▂▃▄▅▆▇█"
	most := int64(1)
	for _, n := range numbers {
		most = max(most, n)
	}
	var b strings.Builder
	for _, n := range numbers {
		if n <= 0 {
			b.WriteByte(' ')
			continue
		}
		i := min(7, int(float64(n)/float64(most)*8))
		b.WriteString(string([]rune(blocks)[i]))
	}
	return b.String()
}
