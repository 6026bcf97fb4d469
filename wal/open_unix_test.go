//go:build unix

package wal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Named pipes, on which opening would wait for a writer, are passed over.
func TestOpenPipe(t *testing.T) {
	dir := t.TempDir()
	name := SegmentName{}.String()
	check(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
	for _, path := range []string{".", name} {
		if _, err := Open(os.DirFS(dir), path); !errors.Is(err, ErrNoLog) {
			t.Errorf("%s: got %v, want ErrNoLog", path, err)
		}
	}
}
