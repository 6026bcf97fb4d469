package msgcmd

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/raftpb/classic"
)

// echo returns the address of a server that answers what it is sent with what it says.
func echo(t *testing.T, says []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, c)
			_, _ = c.Write(says)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// A relay records the classic protocol too: a whole exchange by itself, and a single message if it is told that it is one.
func TestRecordClassic(t *testing.T) {
	ask := (&classic.RequestVote{Term: 5, CandidateID: 2, LastLogIndex: 8, LastLogTerm: 4}).AppendTo(nil)
	grant := (&classic.RequestVoteResponse{Term: 5, VoteGranted: true}).AppendTo(nil)
	for _, tc := range []struct {
		protocol string
		answer   []byte
		want     string
	}{
		{"auto", grant, "recorded 2 messages, "},
		{"auto", nil, "recorded 0 messages, "},
		{"classic", nil, "recorded 1 message, "},
		{"etcd", grant, "recorded 0 messages, "},
	} {
		dir := t.TempDir()
		c := begin(t, dir, "record", "--listen", "127.0.0.1:0", "--to", echo(t, tc.answer), "--protocol", tc.protocol, "-o", "talk")
		conn, err := net.Dial("tcp", c.says(t, `what (127.0.0.1:\d+) passes on to `))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(ask); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		c.cancel()
		if err := <-c.done; err != nil {
			t.Fatal(err)
		}
		if s := c.says(t, "(?s)(recorded .*)"); !strings.Contains(s, tc.want) {
			t.Errorf("--protocol %s: it says %q, want %s", tc.protocol, s, tc.want)
		}
		if tc.want[9] == '0' {
			continue
		}
		out, _, err := runs(t, dir, "dump", "talk", "--type", "vote")
		if err != nil || !strings.Contains(out, "2→?") || !strings.Contains(out, "Vote term 5 last 4/8") {
			t.Errorf("--protocol %s: %v\n%s", tc.protocol, err, out)
		}
	}
	if _, _, err := runs(t, t.TempDir(), "record", "--listen", ":0", "--to", "h:1", "--protocol", "http", "-o", "talk"); err == nil {
		t.Error("--protocol http is taken")
	}
}
