package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/capture/capturetest"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/classic"
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

// scriptPlain makes a capture of a connection on which the classic protocol is spoken, one on which RESP is, and one of
// neither: plain CAPTURE.
func scriptPlain(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: plain CAPTURE")
	}
	w := &capturetest.Wire{TB: ts.Value(testKey{}).(*testing.T)}
	peer := w.Dial("10.0.0.1:40001", "10.0.0.2:7000")
	client := w.Dial("10.0.0.9:40002", "10.0.0.1:6379")
	other := w.Dial("10.0.0.9:40003", "10.0.0.1:3306")
	put := []classic.Entry{{Term: 5, Data: []byte("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1\r\nv\r\n")}}
	peer.Request((&classic.RequestVote{Term: 5, CandidateID: 1, LastLogIndex: 8, LastLogTerm: 4}).AppendTo(nil))
	client.Request([]byte("*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$6\r\nsecret\r\n"))
	peer.Respond((&classic.RequestVoteResponse{Term: 5, VoteGranted: true}).AppendTo(nil))
	append := (&classic.AppendEntries{Term: 5, LeaderID: 1, PrevLogIndex: 8, PrevLogTerm: 4, LeaderCommit: 8, Seq: 1, Entries: put}).AppendTo(nil)
	peer.Request(append[:20])
	other.Request([]byte("\x01\x00\x00\x00\x0e"))
	peer.Request(append[20:])
	peer.Respond((&classic.AppendEntriesResponse{Term: 5, FollowerID: 2, LogIndex: 9, Success: true, FollowerCommit: 8, Ack: 1}).AppendTo(nil))
	client.Respond([]byte("+OK\r\n"))
	other.Respond([]byte("\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"))
	client.Request([]byte("*2\r\n$4\r\nauth\r\n$6\r\nsecret\r\n"))
	client.Respond([]byte("-WRONGPASS invalid password\r\n"))
	append[32] = 9 // entries, of one
	peer.Request(append)
	peer.Close()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), w.PCAP(), 0o600))
}

// scriptRecorded makes a recording of a capture: recorded CAPTURE DIR.
func scriptRecorded(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: recorded CAPTURE DIR")
	}
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer func() { _ = f.Close() }() // opened for reading
	c, err := capture.Open(f, capture.Options{})
	ts.Check(err)
	w, err := recording.Create(ts.MkAbs(args[1]), recording.Metadata{}, recording.Options{})
	ts.Check(err)
	for e, err := range c.Events() {
		ts.Check(err)
		ts.Check(w.Append(e))
	}
	ts.Check(errors.Join(w.Close(), c.Close()))
}

// scriptCerts makes the files of an authority, with certificates for a server and a client, an old one, and one of tomorrow:
// certs DIR.
func scriptCerts(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: certs DIR")
	}
	certs := etcdtest.NewCerts(ts.Value(testKey{}).(*testing.T))
	certs.Issue("old", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) })
	certs.Issue("young", func(c *x509.Certificate) { c.NotBefore = c.NotAfter.Add(-time.Hour) })
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(filepath.Dir(certs.CA))))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "empty.pem"), nil, 0o600))
}

// scriptPack packs a file or a directory: pack PATH FILE…. What a FILE is is told by how its name ends: an archive in tar, with
// zst compressed by zstd, or without tar the only file of the directory.
func scriptPack(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: pack PATH FILE…")
	}
	root, err := os.OpenRoot(ts.MkAbs("."))
	ts.Check(err)
	defer func() { _ = root.Close() }() // opened for reading
	var archived, last bytes.Buffer
	w := tar.NewWriter(&archived)
	ts.Check(fs.WalkDir(root.FS(), args[0], func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		last = *bytes.NewBuffer(b)
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b))}); err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	}))
	ts.Check(w.Close())
	z, err := zstd.NewWriter(nil)
	ts.Check(err)
	for _, name := range args[1:] {
		b := last.Bytes()
		if strings.Contains(name, ".tar") {
			b = archived.Bytes()
		}
		if strings.HasSuffix(name, ".zst") {
			b = z.EncodeAll(b, nil)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), b, 0o600))
	}
}
