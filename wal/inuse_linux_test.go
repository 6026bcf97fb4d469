package wal

import (
	"os"
	"path/filepath"
	"testing"
)

// Asking whether a segment is held sees a writer, and is no obstacle to one.
func TestInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := Create(nil, dir, CreateOptions{Metadata: builtMetadata})
	if err != nil {
		t.Fatal(err)
	}
	log, err := Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	f, err := log.openSegment(0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !inUse(f) {
		t.Error("not in use while a writer holds it")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if inUse(f) {
		t.Error("in use after the writer was closed")
	}
	if w, _, err = OpenForAppend(nil, dir, AppendOptions{}); err != nil {
		t.Fatalf("a reader keeps a writer out: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
