package etcdlog

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// endless is a log without an end, in lines of a size.
type endless struct {
	line  string
	lines int
	rest  string
}

func (e *endless) Read(b []byte) (int, error) {
	if e.rest == "" {
		if e.lines--; e.lines < 0 {
			return 0, io.EOF
		}
		e.rest = e.line
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Of very many lines, and very long ones, little is kept.
func TestReadIsBounded(t *testing.T) {
	long := "panic: removed all voters" + strings.Repeat("x", 3*maxLine) + "\n"
	r, err := Read(t.Context(), &endless{line: long, lines: 100})
	if err != nil {
		t.Fatal(err)
	}
	if r.Lines != 100 || len(r.Hits) != 1 || r.Hits[0].N != 100 || r.Hits[0].Last.N != 100 || len(r.Hits[0].Last.Text) != maxText {
		t.Errorf("%d lines, %d hits", r.Lines, len(r.Hits))
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("gone") }

func TestReadEnds(t *testing.T) {
	if _, err := Read(t.Context(), io.MultiReader(strings.NewReader("x\n"), broken{})); err == nil || err.Error() != "gone" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, &endless{line: "x\n", lines: 1 << 40}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What ended the server is over once it has come up again, and not before.
func TestOver(t *testing.T) {
	const fatal = `{"level":"fatal","msg":"discovery failed","error":"walpb: crc mismatch"}` + "\n"
	const up = `{"level":"info","msg":"ready to serve client requests"}` + "\n"
	const up34 = "2026-11-29 01:40:50.595012 I | embed: ready to serve client requests\n"
	for log, want := range map[string]bool{fatal: false, up + fatal: false, fatal + up: true, fatal + up34: true, fatal + up + fatal: false} {
		r, err := Read(t.Context(), strings.NewReader(log))
		if err != nil || len(r.Hits) != 1 || r.Hits[0].Over != want {
			t.Errorf("%q: %+v, %v", log, r, err)
		}
	}
}
