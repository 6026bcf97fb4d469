// Package jsontext appends JSON by hand, without reflection and without an allocation: a log of some
// gigabytes is written in seconds. What it writes is as harmless on a terminal as it is valid:
// characters that aren't printable, by [strconv.IsPrint], are escaped in strings.
package jsontext
