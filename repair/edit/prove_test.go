package edit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/edit"
	"github.com/raftctl/raftctl/wal"
)

const proofEntries = 100

// newProofLog makes a data directory with a log of a hundred entries in some segments.
func newProofLog(t *testing.T) string {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := wal.Create(nil, filepath.Join(dir, "member", "wal"), wal.CreateOptions{Metadata: wal.Metadata{NodeID: 1, ClusterID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for i := uint64(1); i <= proofEntries; i++ {
		e := raftpb.Entry{Term: 1, Index: i, Data: fmt.Append(nil, "entry ", i)}
		if err := w.Append(raftpb.HardState{Term: 1, Commit: i}, []raftpb.Entry{e}); err != nil {
			t.Fatal(err)
		}
		if i%30 == 0 {
			if err := w.Roll(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// An entry that comes out otherwise than it was is noticed wherever it lies, unless the changes say that it is lost.
func TestMakeProves(t *testing.T) {
	dir := newProofLog(t)
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	view, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint64{1, 2, 30, 31, 49, 50, 51, 52, proofEntries - 1, proofEntries} {
		pos, err := view.Locate(index)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := log.ReadAt(pos)
		if err != nil {
			t.Fatal(err)
		}
		empty := raftpb.Entry{Term: 1, Index: index}
		o := edit.Options{FS: vfs.OS, Source: log, Changes: &edit.Changes{Rewrite: &edit.Rewrite{
			From:   edit.PlaceOf(pos),
			Skip:   []edit.Span{{Place: edit.PlaceOf(pos), Len: rec.Len}},
			Insert: []edit.Insert{{At: edit.PlaceOf(pos), Kind: uint8(wal.KindEntry), Data: empty.Marshal(raftpb.FlavorGogo)}},
		}}}
		o.Dir = filepath.Join(t.TempDir(), "wal")
		if _, err := edit.Make(t.Context(), o); err == nil || !strings.Contains(err.Error(), "a bug of raftctl") {
			t.Errorf("entry %d was made empty, which was not to be: %v", index, err)
		}
		o.Dir, o.Lost = filepath.Join(t.TempDir(), "wal"), []edit.Range{{First: index, Last: index}}
		if _, err := edit.Make(t.Context(), o); err != nil {
			t.Errorf("entry %d was to be made empty: %v", index, err)
		}
	}
}
