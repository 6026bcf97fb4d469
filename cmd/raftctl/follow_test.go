package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// following is a dump that goes on.
type following struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
	ended chan int // the exit status
}

// follow runs the dump of a noun with --follow.
func follow(t *testing.T, noun string, args ...string) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	f := &following{t: t, lines: bufio.NewScanner(r), stop: cancel, ended: make(chan int, 1)}
	go func() {
		status := run(ctx, testApp(w, io.Discard), append([]string{noun, "dump", "--follow"}, args...))
		_ = w.Close() // a pipe in memory
		f.ended <- status
	}()
	t.Cleanup(cancel)
	return f
}

// want waits for a line that contains the text, and fails the test if the next one doesn't.
func (f *following) want(text string) {
	f.t.Helper()
	if !f.lines.Scan() || !strings.Contains(f.lines.Text(), text) {
		f.t.Fatalf("got line %q (%v), want one with %q", f.lines.Text(), f.lines.Err(), text)
	}
}

// end interrupts the command.
func (f *following) end() {
	f.t.Helper()
	f.stop()
	for f.lines.Scan() {
		f.t.Errorf("unexpected line %q", f.lines.Text())
	}
	if status := <-f.ended; status != ui.StatusInterrupted {
		f.t.Errorf("exit status %d, want %d", status, ui.StatusInterrupted)
	}
}

func TestFollowWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(index uint64) {
		t.Helper()
		e := raftpb.Entry{Term: 1, Index: index, Data: fmt.Appendf(nil, "entry number %d", index)}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: index}, []raftpb.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	for index := range uint64(4) {
		write(index + 1)
	}
	f := follow(t, "wal", dir, "--kind", "entry", "--last", "2", "-o", "jsonl")
	f.want(`"index":3,`)
	f.want(`"index":4,`)
	write(5)
	f.want("entry number 5")
	if err := w.Roll(); err != nil {
		t.Fatal(err)
	}
	write(6)
	f.want("entry number 6")
	write(7)
	f.want("entry number 7")
	f.end()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// A dump of a running etcd's directory shows what its clients do, and disturbs nobody.
func TestFollowEtcd(t *testing.T) {
	dir := t.TempDir()
	s := etcdtest.Start(t, "3.6", dir)
	s.Ctl("put", "before", "1")
	f := follow(t, "wal", dir, "--op", "put,delete_range")
	f.want("INDEX")
	f.want("put before")
	s.Ctl("put", "while", "2")
	f.want("put while")
	s.Ctl("del", "before")
	f.want("delete_range before")
	f.end()
	status, out, _ := command(t, "wal", "stat", dir)
	if status != ui.StatusOK || !strings.Contains(string(out), "delete_range") {
		t.Errorf("stat: exit status %d: %s", status, out)
	}
	s.Stop()
	if status, out, _ := command(t, "wal", "verify", "--deep", dir); status != ui.StatusOK {
		t.Errorf("verify: exit status %d: %s", status, out)
	}
}

// A dump of a recording goes on while somebody records.
func TestFollowRecording(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "talk")
	w, err := recording.Create(dir, recording.Metadata{Members: []recording.Member{{ID: 1, Name: "m1"}}}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	say := func(term uint64) {
		t.Helper()
		m := raftpb.Message{Type: raftpb.MsgHeartbeat, From: 1, To: 2, Term: term}
		err := w.Append(&stream.Event{Kind: stream.KindMessage, Time: time.Unix(int64(term), 0), From: 1, To: 2, Message: &m})
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	say(1)
	f := follow(t, "message", dir)
	f.want("TIME")
	f.want("m1→2")
	for term := uint64(2); term < 5; term++ {
		say(term)
		f.want(fmt.Sprintf("Heartbeat term %d", term))
	}
	f.end()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{dir, dir}, {dir, "-o", "json"}, {filepath.Join(dir, "..")}, {"follow_test.go"}} {
		if status, _, _ := command(t, append([]string{"message", "dump", "--follow"}, args...)...); status != ui.StatusUsage {
			t.Errorf("%q: exit status %d, want %d", args, status, ui.StatusUsage)
		}
	}
}
