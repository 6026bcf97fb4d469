package ui

import "strconv"

// AppendSize appends a number of bytes as people read it: 17 B, 1.2 KiB, 61.0 MiB.
func AppendSize(b []byte, n int64) []byte {
	const units = "KMGTPE"
	if n < 1024 {
		return append(strconv.AppendInt(b, n, 10), " B"...)
	}
	v, unit := float64(n)/1024, 0
	for v >= 1023.95 && unit < len(units)-1 { // 1023.95 would be printed as 1024.0
		v, unit = v/1024, unit+1
	}
	b = strconv.AppendFloat(b, v, 'f', 1, 64)
	return append(b, ' ', units[unit], 'i', 'B')
}

// FormatSize is [AppendSize] for a string.
func FormatSize(n int64) string { return string(AppendSize(nil, n)) }

// Digits returns the number of decimal digits of n.
func Digits(n uint64) int { return len(strconv.FormatUint(n, 10)) }

// Plural returns the word for n things: an s is appended unless there is one.
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
