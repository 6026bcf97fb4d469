package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// RefuseSecret is the AskSecret of an App without a terminal: nobody is there who could answer.
func RefuseSecret(_ context.Context, question string) (string, error) {
	return "", UsageError{fmt.Errorf("%s: no terminal to ask on", question)}
}

// AskSecretOn returns an AskSecret that asks on out and reads the answer, one line, from a terminal
// that doesn't show it. A context that ends leaves the terminal as it was.
func AskSecretOn(in *os.File, out io.Writer) func(ctx context.Context, question string) (string, error) {
	return func(ctx context.Context, question string) (string, error) {
		fd := int(in.Fd())
		before, err := term.GetState(fd)
		if err != nil {
			return "", fmt.Errorf("the terminal: %w", err)
		}
		if _, err := fmt.Fprintf(out, "%s: ", question); err != nil {
			return "", err
		}
		type answer struct {
			text []byte
			err  error
		}
		answered := make(chan answer, 1)
		go func() {
			text, err := term.ReadPassword(fd)
			answered <- answer{text, err}
		}()
		select {
		case a := <-answered:
			fmt.Fprintln(out) // the one that was typed isn't shown either
			if a.err != nil && !errors.Is(a.err, io.EOF) {
				return "", fmt.Errorf("reading the answer: %w", a.err)
			}
			return string(a.text), nil
		case <-ctx.Done():
			fmt.Fprintln(out)
			return "", errors.Join(ctx.Err(), term.Restore(fd, before))
		}
	}
}
