package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// A log whose history doesn't fit into bounded memory is never said to be fine: all commands end
// with status 3, and dump shows what it can.
func TestTooManyOverwrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{WriterOptions: wal.WriterOptions{NoSync: true}})
	if err != nil {
		t.Fatal(err)
	}
	const rewrites = 1<<17 + 1
	for term := range uint64(rewrites) {
		e := raftpb.Entry{Term: term + 1, Index: 1}
		if err := w.Append(raftpb.HardState{}, []raftpb.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"dump", "stat", "verify"} {
		status, out, errs := command(t, "wal", verb, dir, "-o", "jsonl")
		if status != ui.StatusPartial {
			t.Errorf("%s: exit status %d, want %d: %s", verb, status, ui.StatusPartial, errs)
		}
		if verb == "dump" && bytes.Count(out, []byte(`"kind":"entry"`)) != rewrites {
			t.Errorf("dump: %d lines, want %d entries", bytes.Count(out, []byte("\n")), rewrites)
		}
	}
}

// An interrupted command says so, and nothing else.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := corpus.Dir(t, "c36-3m-kill9") + "/m1"
	for _, verb := range []string{"dump", "stat", "verify"} {
		var errs bytes.Buffer
		status := run(ctx, testApp(io.Discard, &errs), []string{"wal", verb, path})
		if got := errs.String(); status != ui.StatusInterrupted || got != "raftctl: interrupted\n" {
			t.Errorf("%s: exit status %d, %q, want %d", verb, status, got, ui.StatusInterrupted)
		}
	}
}

// An error of the output that is no closed pipe is an I/O error.
func TestFullDisk(t *testing.T) {
	path := corpus.Dir(t, "c36-leasecp-1n-clean")
	for _, verb := range []string{"dump", "stat", "verify"} {
		var errs bytes.Buffer
		status := run(t.Context(), testApp(fullDisk{}, &errs), []string{"wal", verb, path})
		if status != ui.StatusError || !strings.Contains(errs.String(), "no space left on device") {
			t.Errorf("%s: exit status %d, %q, want %d", verb, status, &errs, ui.StatusError)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
