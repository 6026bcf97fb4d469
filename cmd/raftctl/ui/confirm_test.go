package ui

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAskOn(t *testing.T) {
	var out bytes.Buffer
	ask := AskOn(strings.NewReader("y\n no\n\nYES \nsure\nyes"), &out)
	for i, want := range []bool{true, false, false, true, false, true, false} {
		out.Reset()
		got, err := ask("Cut off entries 4..9?")
		if err != nil || got != want {
			t.Errorf("answer %d: got %v, %v, want %v", i, got, err, want)
		}
		if got, want := out.String(), "Cut off entries 4..9? [y/N] "; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
	ask = AskOn(iotest.ErrReader(errors.ErrUnsupported), &out)
	if ok, err := ask("Go on?"); ok || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("input fails: got %v, %v", ok, err)
	}
}

func TestRefuse(t *testing.T) {
	ok, err := Refuse("Cut off entries 4..9?")
	if ok || StatusOf(t.Context(), err) != StatusUsage || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("got %v, %v", ok, err)
	}
}
