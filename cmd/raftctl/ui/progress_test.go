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
