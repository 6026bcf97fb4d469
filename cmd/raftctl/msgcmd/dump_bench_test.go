package msgcmd

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// beatsCapture writes a capture of heartbeats and their answers, which is what a quiet cluster says.
func beatsCapture(b *testing.B, n int) (file string, size int64) {
	b.Helper()
	w := &capturetest.Wire{TB: b}
	var ends [2]*capturetest.Conn
	for i, to := range []uint64{capturetest.M3, capturetest.M1} {
		ends[i] = w.Dial([]string{"10.0.0.3:40000", "10.0.0.1:40001"}[i], []string{"10.0.0.1:2380", "10.0.0.3:2380"}[i])
		ends[i].Request(capturetest.StreamRequest(wire.ChannelMessage, to, uint64(capturetest.M1+capturetest.M3)-to))
		ends[i].Respond([]byte(capturetest.StreamResponse))
	}
	for i := range n {
		m := raftpb.Message{Type: raftpb.MsgHeartbeat, From: capturetest.M1, To: capturetest.M3, Term: 4, Commit: uint64(i)}
		if i%2 == 1 {
			m = raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: capturetest.M3, To: capturetest.M1, Term: 4}
		}
		frames, err := capturetest.Frames(wire.ChannelMessage, raftpb.FlavorGogo, wire.Link{}, []raftpb.Message{m})
		if err != nil {
			b.Fatal(err)
		}
		ends[i%2].Respond(capturetest.Chunk(frames[0]))
	}
	data := w.PCAP()
	file = filepath.Join(b.TempDir(), "beats.pcap")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.Fatal(err)
	}
	return file, int64(len(data))
}

// A capture of heartbeats costs most for its size: each packet that isn't an acknowledgement is a message, and a line.
func BenchmarkDumpHeartbeats(b *testing.B) {
	file, size := beatsCapture(b, 200_000)
	b.SetBytes(size)
	for b.Loop() {
		cmd := New(&ui.App{Out: io.Discard, Err: io.Discard, Now: time.Now})
		cmd.SetArgs([]string{"dump", file, "-o", "jsonl"})
		if err := cmd.Execute(); err != nil {
			b.Fatal(err)
		}
	}
}
