package perf

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// BenchmarkMessageDump explains a capture of a leader that sends entries of a kilobyte, beside tshark, which takes
// packets apart. It is told not to put segments together: the time that it takes for a response of HTTP without an
// end grows with the square of its length.
func BenchmarkMessageDump(b *testing.B) {
	c := newBigCapture(b)
	b.Run("impl=ours", func(b *testing.B) {
		benchProcess(b, c, built(b, "raftctl"), "message", "dump", c.files[0], "-o", "jsonl")
	})
	b.Run("impl=tshark", func(b *testing.B) {
		benchProcess(b, c, "tshark", "-r", c.files[0], "-o", "tcp.desegment_tcp_streams:FALSE")
	})
}

// newBigCapture returns a capture as large as logs are. It is made once and kept in build/bench.
func newBigCapture(b *testing.B) bigLog {
	b.Helper()
	want := logBytes(b)
	name := filepath.Join(buildDir(), "bench", fmt.Sprintf("peers-%d.pcap", want))
	if _, err := os.Stat(name); err != nil {
		makeCapture(b, name, want)
	}
	fi, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	return bigLog{dir: name, files: []string{name}, size: fi.Size()}
}

func makeCapture(b *testing.B, name string, want int64) {
	b.Helper()
	check := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	check(os.MkdirAll(filepath.Dir(name), 0o755))
	f, err := os.Create(name + ".part")
	check(err)
	out := bufio.NewWriterSize(f, 1<<20)
	p := pcapgo.NewWriterNanos(out)
	check(p.WriteFileHeader(1<<18, layers.LinkTypeRaw))
	w := &capturetest.Wire{TB: b}
	c := w.Dial("10.0.0.3:40000", "10.0.0.1:2380")
	c.Request(capturetest.StreamRequest(wire.ChannelAppend, capturetest.M3, capturetest.M1))
	c.Respond([]byte(capturetest.StreamResponse))
	const some = 1000
	value, link := strings.Repeat("v", 1024), wire.Link{From: capturetest.M1, To: capturetest.M3}
	for index := uint64(18); want > 0; index += some {
		frames, err := capturetest.Frames(wire.ChannelAppend, raftpb.FlavorGogo, link, capturetest.Appends(some, index, value))
		check(err)
		for _, frame := range frames {
			c.Respond(capturetest.Chunk(frame))
		}
		for _, packet := range w.Packets {
			n := len(packet.Data)
			check(p.WritePacket(gopacket.CaptureInfo{Timestamp: packet.At, CaptureLength: n, Length: n}, packet.Data))
			want -= int64(n) + 16
		}
		w.Packets = w.Packets[:0]
	}
	check(out.Flush())
	check(f.Close())
	check(os.Rename(name+".part", name))
}
