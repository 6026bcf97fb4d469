package ui

import (
	"bytes"
	"testing"
	"time"
)

// Without a terminal, a line is written now and then, with what is done, the rate and what is left.
func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	clock := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	p := NewProgress(&App{Err: &out, Now: func() time.Time { return clock }}, "verify log", 100<<20)
	for range 25 {
		clock = clock.Add(time.Second)
		p.Set(int64(clock.Sub(p.start)/time.Second) << 20)
	}
	p.Done()
	want := "verify log: 10.0 MiB of 100.0 MiB, 1.0 MiB/s, 1m30s left\n" +
		"verify log: 20.0 MiB of 100.0 MiB, 1.0 MiB/s, 1m20s left\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Where the output goes through a pipe, the terminal may be a pager's.
func TestNoProgressBesideAPager(t *testing.T) {
	for _, tc := range []struct{ pipe, term, want bool }{
		{false, false, true}, {true, false, true}, {false, true, true}, {true, true, false},
	} {
		var errs bytes.Buffer
		now := time.Now()
		a := &App{Err: &errs, Now: func() time.Time { return now }, OutPipe: tc.pipe, ErrTerm: tc.term}
		p := NewProgress(a, "dump log", 1<<20)
		now = now.Add(time.Minute)
		p.Set(1 << 19)
		p.Done()
		if got := errs.Len() > 0; got != tc.want {
			t.Errorf("pipe %v, terminal %v: progress %v, want %v", tc.pipe, tc.term, got, tc.want)
		}
	}
}

// What is no bytes is counted in its own unit.
func TestCountLines(t *testing.T) {
	var out bytes.Buffer
	clock := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	p := NewCount(&App{Err: &out, Now: func() time.Time { return clock }}, "replay", "entries", 50_000)
	clock = clock.Add(10 * time.Second)
	p.Set(20_000)
	p.Done()
	if got, want := out.String(), "replay: 20000 of 50000 entries, 2000/s, 15s left\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
