package capture_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// busy returns a capture of some megabytes: a leader that sends entries to a follower.
func busy(tb testing.TB, entries int) []byte {
	tb.Helper()
	w := &capturetest.Wire{TB: tb}
	c := w.Dial("10.0.0.3:40000", "10.0.0.1:2380")
	c.Request(capturetest.StreamRequest(wire.ChannelAppend, capturetest.M3, capturetest.M1))
	c.Respond([]byte(capturetest.StreamResponse))
	list := capturetest.Appends(entries, 18, strings.Repeat("v", 900))
	frames, err := capturetest.Frames(wire.ChannelAppend, raftpb.FlavorGogo, wire.Link{From: capturetest.M1, To: capturetest.M3}, list)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range frames {
		c.Respond(capturetest.Chunk(f))
	}
	return w.PCAP()
}

// Events of a capture cost little more than reading it.
func BenchmarkEvents(b *testing.B) {
	data := busy(b, 20_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		c, err := capture.Open(bytes.NewReader(data), capture.Options{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range c.Events() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 20_002 {
			b.Fatalf("%d events", n)
		}
	}
}
