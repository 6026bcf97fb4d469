package edit

import (
	"os"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// TestRewriterKnowsWhatItWrites puts a record in the place of an entry: what is compared afterwards begins there, not at
// the log's beginning.
func TestRewriterKnowsWhatItWrites(t *testing.T) {
	const replaced, last = 5, 9
	dir := t.TempDir()
	w, err := wal.Create(nil, dir+"/wal", wal.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := uint64(1); i <= last; i++ {
		if err := w.Append(raftpb.HardState{Term: 1, Commit: i}, []raftpb.Entry{{Term: 1, Index: i, Data: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := wal.Open(os.DirFS(dir), "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var at wal.LiveEntry
	for e, err := range view.Replay(replaced, replaced) {
		if at = e; err != nil {
			t.Fatal(err)
		}
		break
	}
	place := PlaceOf(at.Record.Pos)
	plan := &Rewrite{From: place, Skip: []Span{{place, at.Record.Len}}, Insert: []Insert{
		{At: place, Kind: uint8(wal.KindEntry), Data: (&raftpb.Entry{Term: 1, Index: replaced}).Marshal(raftpb.FlavorGogo)}}}
	rewriter := newRewriter(plan, log, view, nil)
	entries := 0
	for rec, err := range rewriter.records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == wal.KindEntry {
			entries++
		}
	}
	if want := last - replaced + 1; entries != want || rewriter.lowest != replaced {
		t.Errorf("%d entries from %d on, want %d from %d on", entries, rewriter.lowest, want, replaced)
	}
}
