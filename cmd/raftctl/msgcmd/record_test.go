package msgcmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// output is what a command writes, for several goroutines.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// command is a command that runs.
type command struct {
	out, err output
	cancel   context.CancelFunc
	done     chan error
}

// begin starts a command of raftctl message.
func begin(t *testing.T, dir string, args ...string) *command {
	t.Helper()
	return beginWith(t, "", dir, args...)
}

// beginWith is begin with something on standard input.
func beginWith(t *testing.T, in, dir string, args ...string) *command {
	t.Helper()
	c := &command{done: make(chan error, 1)}
	a := &ui.App{In: strings.NewReader(in), Out: &c.out, Err: &c.err, Dir: dir, FS: vfs.OS, Now: time.Now}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	cmd := New(a)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(args)
	go func() { c.done <- cmd.ExecuteContext(ctx) }()
	t.Cleanup(cancel)
	return c
}

// runs runs a command to its end.
func runs(t *testing.T, dir string, args ...string) (out, errs string, err error) {
	t.Helper()
	c := begin(t, dir, args...)
	err = <-c.done
	return c.out.String(), c.err.String(), err
}

// says waits until a command has written what a pattern matches, and returns the submatch.
func (c *command) says(t *testing.T, pattern string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(c.err.String()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("it says %q, want %s", c.err.String(), pattern)
	return ""
}

// member answers messages as a member does.
func member(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Server-Version", "3.6.14")
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

// say sends a message as a member does that has no stream.
func say(t *testing.T, to string, index uint64) {
	t.Helper()
	m := raftpb.Message{Type: raftpb.MsgVote, From: 0xa1, To: 0xb2, Term: 4, LogTerm: 3, Index: index}
	req, err := http.NewRequest(http.MethodPost, "http://"+to+"/raft", bytes.NewReader(m.Marshal(raftpb.FlavorGogo)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Server-From", "a1")
	req.Header.Set("X-Raft-To", "b2")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// What passes between members is recorded until the command is told to end, is gone on with by the next one, and
// is a source of the other verbs, as a directory, a file and a compressed file.
func TestRecordRelay(t *testing.T) {
	dir := t.TempDir()
	to := strings.TrimPrefix(member(t).URL, "http://")
	for i := range 2 {
		c := begin(t, dir, "record", "--listen", "127.0.0.1:0", "--to", to, "-o", "talk")
		at := c.says(t, `recording into talk what (127.0.0.1:\d+) passes on to `)
		say(t, at, uint64(100+i))
		http.DefaultClient.CloseIdleConnections()
		c.cancel()
		if err := <-c.done; err != nil {
			t.Fatal(err)
		}
		if s := c.says(t, "(?s)(recorded .*)"); !strings.Contains(s, "recorded 1 message, ") ||
			!strings.HasSuffix(s, " on 1 connection\n  raftctl message dump talk\n") {
			t.Errorf("it says %q", s)
		}
	}
	file := filepath.Join("talk", recording.Dialect.FileName(wal.SegmentName{}))
	for _, source := range []string{"talk", file} {
		out, errs, err := runs(t, dir, "dump", source, "--type", "vote")
		if err != nil && err != (ui.ExitError{Status: ui.StatusPartial}) {
			t.Errorf("%s: %v, %s", source, err, errs)
		}
		if !regexp.MustCompile(`a1→b2 +Vote term 4 last 3/100\n.*a1→b2 +Vote term 4 last 3/101\n`).MatchString(out) {
			t.Errorf("%s: it shows\n%s", source, out)
		}
	}
	out, _, _ := runs(t, dir, "dump", "talk", "--type", "gap")
	if strings.Count(out, "nothing was recorded up to here") != 1 {
		t.Errorf("gaps:\n%s", out)
	}
	report, err := open(t, filepath.Join(dir, "talk")).Log().Verify(context.Background(), wal.VerifyOptions{})
	if err != nil || report.Verdict != wal.VerdictOK {
		t.Errorf("the recording is %v, %v", report.Verdict, err)
	}
}

func open(t *testing.T, dir string) *recording.Recording {
	t.Helper()
	r, err := recording.Open(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// What is heard of an interface is recorded; who may not hear it is told so.
func TestRecordInterface(t *testing.T) {
	s := member(t)
	to := strings.TrimPrefix(s.URL, "http://")
	_, port, _ := strings.Cut(to, ":")
	dir := t.TempDir()
	c := begin(t, dir, "record", "--interface", "lo", "--port", port, "-o", "talk")
	select {
	case err := <-c.done:
		if err == nil || !strings.HasPrefix(err.Error(), "--interface lo: ") {
			t.Errorf("it ended with %v", err)
		}
		return // without the right to hear
	case <-time.After(100 * time.Millisecond):
	}
	c.says(t, "(recording into talk what is said over lo at ports)")
	say(t, to, 7)
	http.DefaultClient.CloseIdleConnections()
	shown := ""
	for end := time.Now().Add(time.Minute); !strings.Contains(shown, "Vote term 4 last 3/7"); {
		if time.Now().After(end) {
			t.Fatalf("%s\nit shows\n%s", c.err.String(), shown)
		}
		shown, _, _ = runs(t, dir, "dump", "talk") // while it is recorded
	}
	c.cancel()
	if err := <-c.done; err != nil {
		t.Fatal(err)
	}
}

func TestRecordUsage(t *testing.T) {
	for args, want := range map[string]string{
		"record --listen :1 --to a:1": "--output DIR is missing",
		"record -o d":                 "want either",
		"record -o d --interface lo --listen :1 --to a:1":      "want either",
		"record -o d --listen :1":                              "1 of --listen and 0 of --to",
		"record -o d --listen 1 --to a:1":                      `--listen "1", want host:port`,
		"record -o d --listen :1 --to :1":                      `--to ":1", want host:port`,
		"record -o d --listen :1 --to a:1 --port 3":            "--port goes with --interface",
		"record -o d --interface lo --port 0":                  "--port 0",
		"record -o d --interface lo --keep -1":                 "--keep -1",
		"record -o d --interface lo --for -1s":                 "--for -1s",
		"record -o d --interface no-such-interface-7 --for 1s": "--interface no-such-interface-7",
	} {
		_, _, err := runs(t, t.TempDir(), strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// --for ends a recording by itself, and --keep bounds it.
func TestRecordEnds(t *testing.T) {
	dir := t.TempDir()
	_, errs, err := runs(t, dir, "record", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "-o", "talk", "--for", "1ms", "--keep", "1")
	if err != nil || !strings.Contains(errs, "recorded 0 messages, 0 exchanges, 0 link heartbeats and 0 gaps on 0 connections") {
		t.Errorf("%v; it says %q", err, errs)
	}
	if m, err := open(t, filepath.Join(dir, "talk")).Metadata(); err != nil || m.Recorder != 0 || m.Start.IsZero() {
		t.Errorf("recorded by %x at %v, %v", m.Recorder, m.Start, err)
	}
}

// What a recording knows of names is shown, and damage in it is a gap that the exit status tells of.
func TestRecordingAsSource(t *testing.T) {
	dir := t.TempDir()
	w, err := recording.Create(filepath.Join(dir, "talk"), recording.Metadata{
		Recorder: 0xa1, Members: []recording.Member{{ID: 0xa1, Name: "first"}, {ID: 0xb2, Name: "second"}},
	}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(5) {
		m := raftpb.Message{Type: raftpb.MsgVote, From: 0xa1, To: 0xb2, Term: 4, LogTerm: 3, Index: i}
		e := stream.Event{Kind: stream.KindMessage, From: m.From, To: m.To, Channel: stream.ChannelMessage, Message: &m}
		if err := w.Append(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out, _, err := runs(t, dir, "dump", "talk")
	if err != nil || strings.Count(out, "first→second") != 5 {
		t.Errorf("%v\n%s", err, out)
	}
	if out, errs, _ := runs(t, dir, "stat", "talk"); !strings.Contains(out, "second") {
		t.Errorf("stat names nobody:\n%s%s", out, errs)
	}
	if out, errs, err := runs(t, dir, "check", "talk"); err != nil || !strings.Contains(out, "vote_per_term     ok               5") {
		t.Errorf("check: %v\n%s%s", err, out, errs)
	}
	if _, errs, err := runs(t, dir, "draw", "talk", "--output", "talk.svg"); err != nil {
		t.Errorf("%v, %s", err, errs)
	} else if b, err := os.ReadFile(filepath.Join(dir, "talk.svg")); err != nil || !bytes.Contains(b, []byte("second")) {
		t.Errorf("%v, the drawing names nobody:\n%s", err, b)
	}
	file := filepath.Join(dir, "talk", recording.Dialect.FileName(wal.SegmentName{}))
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)/2:], strings.Repeat("x", 30))
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err = runs(t, dir, "dump", "talk")
	if exit, _ := errors.AsType[ui.ExitError](err); exit.Status != ui.StatusPartial || !strings.Contains(out, "gap: recording: ") ||
		strings.Count(out, "first→second") < 3 {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err = runs(t, dir, "dump", "empty"); ui.StatusOf(t.Context(), err) != ui.StatusUsage {
		t.Errorf("an empty directory: %v", err)
	}
}
