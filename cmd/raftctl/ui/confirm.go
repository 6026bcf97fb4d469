package ui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Refuse is the Confirm of an App without a terminal: nobody is there who could answer.
func Refuse(question string) (bool, error) {
	return false, UsageError{fmt.Errorf("%s: no terminal to ask on; --yes answers", question)}
}

// AskOn returns a Confirm that asks on out and reads the answer, one line, from in. Only y and yes
// are a yes; the end of the input is a no.
func AskOn(in io.Reader, out io.Writer) func(question string) (bool, error) {
	lines := bufio.NewReader(in)
	return func(question string) (bool, error) {
		if _, err := fmt.Fprintf(out, "%s [y/N] ", question); err != nil {
			return false, err
		}
		answer, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) { // a last line without an end is an answer
			return false, fmt.Errorf("reading the answer: %w", err)
		}
		answer = strings.ToLower(strings.TrimSpace(answer))
		return answer == "y" || answer == "yes", nil
	}
}
