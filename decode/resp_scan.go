package decode

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// RespScanner finds the end of a value of RESP whose bytes come bit by bit: an array, a bulk string, a simple
// string, an error or a number, and what version 3 has besides of the same forms. Its zero value is at the beginning of
// one. It looks at each byte once.
type RespScanner struct {
	off  int
	left []int // elements that follow, of each array around
}

// What is taken of a value of RESP. Servers have limits of the same kind.
const (
	MaxRespBulk  = 512 << 20 // bytes of a string; it is Redis's limit
	maxRespCount = 1 << 20   // elements of an array; it is Redis's limit for commands
	maxRespDepth = 32        // of arrays in arrays
	maxRespLine  = 64 << 10  // bytes of a line
)

// Scan returns the length of the value that b begins with, or 0 if it goes on behind b. In the next call b has to begin
// with the same value, and be longer. The error says that it is no value, with the offset in b.
func (s *RespScanner) Scan(b []byte) (n int, err error) {
	for {
		end := bytes.Index(b[min(s.off, len(b)):], []byte("\r\n"))
		if end < 0 {
			if len(b)-s.off > maxRespLine {
				return 0, s.fail("line of more than %d bytes", maxRespLine)
			}
			return 0, nil
		}
		line := b[s.off : s.off+end]
		next := s.off + end + len("\r\n")
		if len(line) == 0 {
			return 0, s.fail("empty line, want a value")
		}
		if next, err = s.element(line, next); err != nil {
			return 0, err
		}
		if next > len(b) {
			return 0, nil
		}
		if string(b[next-2:next]) != "\r\n" {
			return 0, s.fail("string of another length, want a line break behind it")
		}
		s.off = next
		if s.finished() {
			n, s.off, s.left = s.off, 0, s.left[:0]
			return n, nil
		}
	}
}

// element takes in the line that an element begins with, and returns where it ends, or an array's elements begin.
func (s *RespScanner) element(line []byte, next int) (end int, err error) {
	switch line[0] {
	case '+', '-', ':', '_', ',', '#', '(':
		return next, nil
	case '$', '=', '!':
		size, err := s.length(line, MaxRespBulk)
		if err != nil || size < 0 {
			return next, err
		}
		return next + size + len("\r\n"), nil
	case '*', '~', '>', '%':
		count, err := s.length(line, maxRespCount)
		if err != nil || count <= 0 {
			return next, err
		}
		if line[0] == '%' {
			count *= 2
		}
		if len(s.left) == maxRespDepth {
			return 0, s.fail("arrays in arrays, more than %d deep", maxRespDepth)
		}
		s.left = append(s.left, count+1) // the array itself is counted below
		return next, nil
	}
	return 0, s.fail("%q, want a value", line[0])
}

// finished counts an element, and reports whether the value has all.
func (s *RespScanner) finished() bool {
	for i := len(s.left) - 1; i >= 0; i-- {
		if s.left[i]--; s.left[i] > 0 {
			return false
		}
		s.left = s.left[:i]
	}
	return true
}

func (s *RespScanner) length(line []byte, most int) (n int, err error) {
	n, err = strconv.Atoi(string(line[1:min(len(line), 21)]))
	if err != nil || n < -1 || n > most {
		return 0, s.fail("length %q, want -1 to %d", line[1:min(len(line), 21)], most)
	}
	return n, nil
}

func (s *RespScanner) fail(format string, args ...any) error {
	return fmt.Errorf("offset %d: %w", s.off, fmt.Errorf(format, args...))
}

var errNoCommand = errors.New("no command: neither an array of strings nor a line")

// RespCommand returns the name of a command in upper case, the first of its arguments, and how many it has. A command
// is an array of bulk strings, or a line of words as people type it. Key is nil for a command that may have a
// password there.
func RespCommand(b []byte) (name string, key []byte, args int, err error) {
	if len(b) > 0 && b[0] != '*' {
		words := bytes.Fields(b)
		if len(words) == 0 || strings.IndexByte("+-:$_,#(=!~>%", b[0]) >= 0 {
			return "", nil, 0, errNoCommand
		}
		name, args = string(bytes.ToUpper(words[0])), len(words)-1
		if args > 0 {
			key = words[1]
		}
	} else {
		c, _, err := parseCommand(b)
		if err != nil {
			return "", nil, 0, err
		}
		name, key, args = c.name(), c.arg(1), c.n-1
	}
	if isSecretive(name) {
		key = nil
	}
	return name, key, args, nil
}
