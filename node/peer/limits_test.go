package peer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// post posts a body and returns the status; 0 if there was no answer.
func post(ctx context.Context, n *node, path string, body io.Reader) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.server.URL+path, body)
	if err != nil {
		return 0
	}
	req.Header.Set(headerClusterID, "c1")
	req.Header.Set(headerServerVersion, "3.6.0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close() // only the status matters
	return resp.StatusCode
}

// While as many proposals wait for a leader as may, another one is refused, and other messages are taken.
func TestTooManyProposals(t *testing.T) {
	n := newNode(t, 1)
	n.onProcess = func(ctx context.Context, m raftpb.Message) error {
		if m.Type == raftpb.MsgProp {
			<-ctx.Done()
		}
		return context.Cause(ctx)
	}
	for range maxProposals {
		n.limits.proposals <- struct{}{}
	}
	prop := raftpb.Message{Type: raftpb.MsgProp, From: 2, To: 1}
	vote := raftpb.Message{Type: raftpb.MsgVote, From: 2, To: 1}
	for m, want := range map[*raftpb.Message]int{&prop: http.StatusServiceUnavailable, &vote: http.StatusNoContent} {
		got := post(t.Context(), n, stream.PathPipeline, bytes.NewReader(m.Marshal(raftpb.FlavorGogo)))
		if got != want {
			t.Errorf("%v: status %d, want %d", m.Type, got, want)
		}
	}
	if len(n.limits.posts) != 0 || len(n.limits.proposals) != maxProposals {
		t.Errorf("%d posts and %d proposals are taken for under way", len(n.limits.posts), len(n.limits.proposals))
	}
}

// Messages above the limit wait until one that is read or processed is through.
func TestTooManyPosts(t *testing.T) {
	n := newNode(t, 1)
	for range maxPosts {
		n.limits.posts <- struct{}{}
	}
	status := make(chan int, 1)
	vote := raftpb.Message{Type: raftpb.MsgVote, From: 2, To: 1}
	go func() {
		status <- post(t.Context(), n, stream.PathPipeline, bytes.NewReader(vote.Marshal(raftpb.FlavorGogo)))
	}()
	select {
	case got := <-status:
		t.Fatalf("status %d although there is no room", got)
	case <-time.After(20 * time.Millisecond):
	}
	n.limits.posts.leave()
	if got := <-status; got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
}

func TestTooManySnapshots(t *testing.T) {
	n := newNode(t, 1)
	for range maxSnapshots {
		n.limits.snapshots <- struct{}{}
	}
	if got := post(t.Context(), n, stream.PathSnapshot, strings.NewReader("")); got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
	n.limits.snapshots.leave()
	if got := post(t.Context(), n, stream.PathSnapshot, strings.NewReader("")); got != http.StatusBadRequest {
		t.Errorf("status %d, want that of an empty body", got)
	}
}

// However many strangers tell their URLs, a bounded number of them is remembered.
func TestTooManyStrangers(t *testing.T) {
	n := newNode(t, 1)
	for id := range uint64(2 * maxRemotes) {
		n.AddRemote(id, []string{"http://127.0.0.1:1"})
	}
	n.AddRemote(1000, []string{"no URL"})
	if got := len(n.remotes); got != maxRemotes || n.remotes[0] != nil || n.remotes[1] != nil {
		t.Errorf("%d are remembered, want %d, and neither nobody nor the member itself", got, maxRemotes)
	}
	n.RemovePeer(2)
	if n.remotes[2] != nil {
		t.Error("a stranger that was removed is remembered")
	}
}

// A sender that stops in the midst of a body is given up, and nothing of it is taken. So is one whose body
// isn't wanted.
func TestSenderStalls(t *testing.T) {
	n := newNode(t, 1, inHaste)
	for _, path := range []string{stream.PathPipeline, stream.PathSnapshot} {
		for version, want := range map[string]string{"3.6.0": "400", "2.0.0": "412"} {
			conn, err := net.Dial("tcp", strings.TrimPrefix(n.server.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\n%s: c1\r\n%s: %s\r\nContent-Length: 100\r\n\r\nhalf",
				path, headerClusterID, headerServerVersion, version)
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(conn) // it may be reset, as the body was not read
			if !strings.HasPrefix(string(answer), "HTTP/1.1 "+want+" ") {
				t.Errorf("%s of %s: %q, want %s", path, version, answer, want)
			}
			_ = conn.Close() // the other end has
		}
	}
	if n.messages != nil || n.databases != nil {
		t.Errorf("took %v, %v", n.messages, n.databases)
	}
}
