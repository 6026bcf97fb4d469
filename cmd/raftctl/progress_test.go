package main

import (
	"bytes"
	"testing"
	"time"
)

// Without a terminal, a line is written now and then, with what is done, the rate and what is left.
func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&app{err: &out}, "verify log", 100<<20)
	clock := p.start
	p.now = func() time.Time { return clock }
	for range 25 {
		clock = clock.Add(time.Second)
		p.set(int64(clock.Sub(p.start)/time.Second) << 20)
	}
	p.done()
	want := "verify log: 10.0 MiB of 100.0 MiB, 1.0 MiB/s, 1m30s left\n" +
		"verify log: 20.0 MiB of 100.0 MiB, 1.0 MiB/s, 1m20s left\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
