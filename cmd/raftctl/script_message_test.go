package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/raftpb"
	wire "github.com/raftctl/raftctl/raftpb/stream"
)

// scriptTalk makes a capture of messages: talk FILE CAPTURE, with lines FROM>TO TYPE TERM INDEX, IDs being hex.
func scriptTalk(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: talk FILE CAPTURE")
	}
	w := &capturetest.Wire{TB: ts.Value(testKey{}).(*testing.T)}
	conns := map[[2]uint64]*capturetest.Conn{}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m := messageOf(ts, line)
		key := [2]uint64{m.From, m.To}
		if conns[key] == nil {
			n := len(conns) + 1
			c := w.Dial(fmt.Sprintf("10.0.0.%d:%d", n, 40000+n), "10.0.1.1:2380")
			c.Request(capturetest.StreamRequest(wire.ChannelMessage, m.To, m.From))
			c.Respond([]byte(capturetest.StreamResponse))
			conns[key] = c
		}
		var frame bytes.Buffer
		ts.Check(wire.NewMessageWriter(&frame, raftpb.FlavorPbgo).Write(m))
		conns[key].Respond(capturetest.Chunk(frame.Bytes()))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), w.PCAP(), 0o600))
}

// messageOf makes a message of a line.
func messageOf(ts *testscript.TestScript, line string) *raftpb.Message {
	m := &raftpb.Message{}
	var name string
	_, err := fmt.Sscanf(line, "%x>%x %s %d %d", &m.From, &m.To, &name, &m.Term, &m.Index)
	ts.Check(err)
	for m.Type = raftpb.MsgHup; m.Type.String() != name; m.Type++ {
		if m.Type > raftpb.MsgForgetLeader {
			ts.Fatalf("unknown type %q", name)
		}
	}
	return m
}
