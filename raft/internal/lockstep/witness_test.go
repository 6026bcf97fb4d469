package lockstep

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/raftpb"
)

// witness sees a world.
type witness struct {
	steps []string
	sent  []raftpb.Message // whether they arrive or not
}

// record writes the messages as a recording, a millisecond after each other, for `raftctl message draw`.
func (s *witness) record(t *testing.T, dir string) {
	t.Helper()
	w, err := recording.Create(dir, recording.Metadata{}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.sent {
		m := &s.sent[i]
		e := stream.Event{
			Kind: stream.KindMessage, Channel: stream.ChannelMemory, Time: time.UnixMilli(int64(i)), From: m.From, To: m.To, Message: m,
		}
		if err := w.Append(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRecord records a world, as one that fails is with -lockstep.save.
func TestRecord(t *testing.T) {
	var seen witness
	if _, failed := play(randomWorld(2), false, &seen); failed != nil {
		t.Fatal(failed)
	}
	dir := filepath.Join(t.TempDir(), "world.rec")
	seen.record(t, dir)
	r, err := recording.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	var got []raftpb.Message
	for e, err := range r.Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *e.Message.Clone())
	}
	if diff := cmp.Diff(len(seen.sent), len(got)); diff != "" || len(got) < 20 {
		t.Fatalf("messages -sent +recorded:\n%s", diff)
	}
	for i := range got {
		if showMessage(&got[i]) != showMessage(&seen.sent[i]) {
			t.Errorf("message %d: recorded %s, sent %s", i, showMessage(&got[i]), showMessage(&seen.sent[i]))
		}
	}
}
