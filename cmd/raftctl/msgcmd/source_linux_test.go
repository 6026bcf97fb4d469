package msgcmd

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// A named pipe is read from its first byte, as that of a shell's <(tcpdump -w -) has to be.
func TestPipeAsSource(t *testing.T) {
	w := &capturetest.Wire{TB: t}
	c := w.Dial("10.0.0.3:40000", "10.0.0.1:2380")
	c.Request(capturetest.StreamRequest(wire.ChannelAppend, capturetest.M3, capturetest.M1))
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(pipe, os.O_RDWR, 0) // at either end, so that nobody waits for the other
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(w.PCAP()); err != nil { // the pipe holds that much
		t.Fatal(err)
	}
	events, closer, err := openSource(t.Context(), new(ui.App), pipe, new(sourceOptions))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		break // the first one is there
	}
	if err := closer.Close(); err != nil {
		t.Error(err)
	}
}
