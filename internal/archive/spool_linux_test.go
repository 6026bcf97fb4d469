package archive

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A full disk is named with the folder that is full, and the way out.
func TestSpoolOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0) // where no write finds room
	if err != nil {
		t.Fatal(err)
	}
	s := &spool{file: full}
	_, err = s.add(strings.NewReader("a segment"))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want ENOSPC", err)
	}
	for _, want := range []string{"temporary folder /dev", "TMPDIR", "no space left on device"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if err := full.Close(); err != nil {
		t.Error(err)
	}
}

// Without a temporary folder there is no unpacking.
func TestSpoolWithoutAFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/missing")
	if _, err := newSpool(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("got %v", err)
	}
}
