package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/node/peer"
	"github.com/raftctl/raftctl/raftpb"
)

// testRecorder returns a recorder into dir that nothing empties.
func testRecorder(t testing.TB, dir string, fsys vfs.FS) *recorder {
	t.Helper()
	w, err := recording.Create(dir, recording.Metadata{Recorder: 1}, recording.Options{FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := Config{DataDir: t.TempDir(), RecordMessages: dir}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(cfg)
	n.standing.id = 1
	return &recorder{n: n, w: w, wake: make(chan struct{}, 1)}
}

func spoken(i, size int) *peer.Passed {
	return &peer.Passed{
		Message: raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Index: uint64(i)},
		Peer:    2, Sent: true, Channel: "msgapp", Size: int64(size),
	}
}

// What comes faster than it is written is left out, without anybody waiting, and the recording says how much.
func TestRecorderDrops(t *testing.T) {
	for _, size := range []int{1, recordBytes / 10} {
		dir := filepath.Join(t.TempDir(), "talk")
		r := testRecorder(t, dir, nil)
		room := min(recordMessages, recordBytes/size)
		for i := range room + 7 {
			r.passed(spoken(i, size))
		}
		if len(r.wake) == 0 {
			t.Errorf("%d bytes: the writer is not woken", size)
		}
		r.write(nil)
		r.passed(spoken(0, 2*recordBytes)) // one always has room
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		r.passed(spoken(1, 1)) // after the end

		n := 0
		for e, err := range openRecording(t, dir).Events() {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == stream.KindGap != (n == room) {
				t.Fatalf("%d bytes: event %d is of kind %d", size, n, e.Kind)
			}
			if e.Kind == stream.KindGap && !strings.HasPrefix(e.Gap.Reason, "7 messages were not recorded") {
				t.Errorf("%d bytes: %s", size, e.Gap.Reason)
			}
			n++
		}
		if n != room+2 {
			t.Errorf("%d bytes: %d events, want %d", size, n, room+2)
		}
	}
}

func openRecording(t *testing.T, dir string) *recording.Recording {
	t.Helper()
	r, err := recording.Open(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// A recording that can't be written ends, and nothing else does.
func TestRecorderFails(t *testing.T) {
	r := testRecorder(t, filepath.Join(t.TempDir(), "talk"), nil)
	if err := r.w.Close(); err != nil {
		t.Fatal(err)
	}
	r.passed(spoken(0, 1))
	r.write(nil)
	for i := range 10 {
		r.passed(spoken(i, 1))
	}
	if !r.failed || len(r.waiting) != 0 || r.n.ctx.Err() != nil {
		t.Errorf("failed: %t, waiting: %d, member: %v", r.failed, len(r.waiting), r.n.ctx.Err())
	}
	if err := r.close(); err != nil {
		t.Errorf("told again: %v", err)
	}
}
