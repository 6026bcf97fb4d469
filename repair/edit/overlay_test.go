package edit_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

// An overlay shows what a copy with the same changes holds, to every way of reading.
func TestOverlay(t *testing.T) {
	dir := corpus.Dir(t, "c36-multiseg-1n-clean")
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	segs := log.Segments()
	changes := &edit.Changes{
		Patches: []edit.Patch{
			{Segment: segs[1].File, Off: 100, Old: edit.Hex{1}, New: edit.Hex("changed")},
			{Segment: segs[1].File, Off: 103, New: edit.Hex("later")},
		},
		Drop: []string{segs[0].File},
		Rename: []edit.Rename{
			{From: segs[0].File, To: "0000000000000000-0000000000000009.wal"}, // and dropped then
			{From: segs[1].File, To: "0000000000000001-0000000000000001.wal"},
		},
		Quarantine: []string{"0000000000000002-000000000001e787.snap"},
		Snapshots:  []edit.SnapFile{{Name: "0000000000000003-000000000001e900.snap", Data: []byte("made")}},
	}
	over := edit.Lay(log, changes)
	got := map[string]bool{}
	for _, name := range []string{log.Dir(), "member/snap"} {
		entries, err := fs.ReadDir(over, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got[e.Name()] = true
		}
	}
	want := map[string]bool{"0000000000000001-0000000000000001.wal": true, "db": true, "0000000000000003-000000000001e900.snap": true}
	for _, s := range segs[2:] {
		want[s.File] = true
	}
	for _, name := range []string{"1d7de", "1dbc8", "1dfb4", "1e39d"} {
		want["0000000000000002-00000000000"+name+".snap"] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "member", "wal", segs[1].File))
	if err != nil {
		t.Fatal(err)
	}
	copy(whole[100:], "chalater")
	b, err := over.Log(log)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, size := range []int{1, 3, 7, 4096} {
		for off := 90; off < 120; off += size {
			part := make([]byte, size)
			f, err := over.Open("member/wal/0000000000000001-0000000000000001.wal")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.(interface {
				ReadAt([]byte, int64) (int, error)
			}).ReadAt(part, int64(off)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(part, whole[off:off+size]) {
				t.Errorf("%d bytes at %d: %q, want %q", size, off, part, whole[off:off+size])
			}
			_ = f.Close()
		}
	}
	if _, err := over.Open("member/wal/" + segs[0].File); err == nil {
		t.Error("a segment that is dropped can be opened")
	}
}

// Changes survive being stored.
func TestChangesJSON(t *testing.T) {
	want := edit.Changes{
		Patches: []edit.Patch{{Segment: "a", Off: 1 << 40, Old: edit.Hex{0, 255}, New: edit.Hex{1, 2}}},
		Rewrite: &edit.Rewrite{From: edit.Place{Segment: "b", Off: 8}, Skip: []edit.Span{{Place: edit.Place{Segment: "b", Off: 8}, Len: 16}},
			Insert: []edit.Insert{{At: edit.Place{Segment: "b", Off: 24}, Donor: 2, First: 3, Last: 9}}, Commit: 7, Metadata: edit.Hex{8}},
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got edit.Changes
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, b)
	}
	if err := json.Unmarshal([]byte(`{"patches":[{"old":"xyz"}]}`), &got); err == nil {
		t.Error("no hex digits, and no error")
	}
}
