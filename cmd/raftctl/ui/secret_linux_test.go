package ui

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a terminal: where a person sits, and where a program does.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// waitForNoEcho waits until a question was asked.
func waitForNoEcho(t *testing.T, f *os.File) {
	t.Helper()
	for echoes(t, f) {
		time.Sleep(time.Millisecond)
	}
}

// A secret is read up to the end of the line, and never shown.
func TestAskSecret(t *testing.T) {
	person, program := openTerminal(t)
	var out bytes.Buffer
	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer)
	go func() {
		text, err := AskSecretOn(program, &out)(t.Context(), "Password of root")
		answered <- answer{text, err}
	}()
	waitForNoEcho(t, program)
	if _, err := person.WriteString("s3cret word\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got.err != nil || got.text != "s3cret word" {
		t.Errorf("%q, %v", got.text, got.err)
	}
	if got := out.String(); got != "Password of root: \n" {
		t.Errorf("asked %q", got)
	}
	if !echoes(t, program) {
		t.Error("the terminal no longer shows what is typed")
	}
	if _, err := program.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	shown := make([]byte, 100)
	n, err := person.Read(shown)
	if err != nil || strings.Contains(string(shown[:n]), "s3cret") {
		t.Errorf("the terminal shows %q, %v", shown[:n], err)
	}
}

// A context that ends leaves the terminal as it was.
func TestAskSecretInterrupted(t *testing.T) {
	_, program := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error)
	go func() {
		_, err := AskSecretOn(program, &bytes.Buffer{})(ctx, "Password")
		answered <- err
	}()
	waitForNoEcho(t, program)
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
	if !echoes(t, program) {
		t.Error("the terminal doesn't show what is typed")
	}
}

func TestAskSecretWithoutTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := AskSecretOn(f, &bytes.Buffer{})(t.Context(), "Password"); err == nil {
		t.Error("no error from a file")
	}
	_, err = RefuseSecret(t.Context(), "Password")
	if _, usage := errors.AsType[UsageError](err); !usage {
		t.Errorf("error %v, want one of usage", err)
	}
}
