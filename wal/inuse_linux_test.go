package wal

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
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

// Between the record that fills a segment and the first byte of the next there is a sync. While the
// segment is held, nothing is lost by it.
func TestVerifyFullTailInUse(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	value := bytes.Repeat([]byte{1}, 1<<20)
	for len(b.tail().b) < SegmentSize {
		b.entry(1, value)
	}
	b.state(1, b.index)
	dir := t.TempDir()
	var name string
	for file, data := range b.files(0) {
		name = filepath.Join(dir, filepath.Base(file))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := vfs.OS.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Lock(); err != nil {
		t.Fatal(err)
	}
	lost := func() bool {
		log, err := Open(os.DirFS(dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		r, err := log.Verify(t.Context(), VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Class == ClassLostEnd })
	}
	if lost() {
		t.Error("the end is lost while a writer holds the segment")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !lost() {
		t.Error("nothing is lost, and nobody holds the segment")
	}
}
