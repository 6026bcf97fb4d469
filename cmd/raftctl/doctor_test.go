package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/etcdtest"
	"github.com/raftctl/raftctl/internal/vfs"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

// An interrupted command says so, and nothing else; an error of the output is an I/O error.
func TestDoctorEnds(t *testing.T) {
	path := corpus.Dir(t, "c36-3m-clean") + "/m1"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	status := run(ctx, testApp(io.Discard, &errs), []string{"doctor", path})
	if got := errs.String(); status != ui.StatusInterrupted || got != "raftctl: interrupted\n" {
		t.Errorf("exit status %d, %q, want %d", status, got, ui.StatusInterrupted)
	}
	errs.Reset()
	status = run(t.Context(), testApp(fullDisk{}, &errs), []string{"doctor", path})
	if status != ui.StatusError || !strings.Contains(errs.String(), "no space left on device") {
		t.Errorf("exit status %d, %q, want %d", status, &errs, ui.StatusError)
	}
}

// On every healthy member that a real etcd boots from, six lines and status 0.
func TestDoctorOnRealMembers(t *testing.T) {
	for _, log := range corpus.Logs(t) {
		status, out, errs := command(t, "doctor", log.Dir)
		removed := strings.HasSuffix(log.Name, "-m5")
		if want := map[bool]int{false: ui.StatusOK, true: ui.StatusDamage}[removed]; status != want {
			t.Errorf("%s: exit status %d, want %d: %s%s", log.Name, status, want, out, errs)
		}
		if !removed && !bytes.Contains(out, []byte("warning")) && bytes.Count(out, []byte("\n")) != 6 {
			t.Errorf("%s: %s", log.Name, out)
		}
	}
}

// A running etcd is told, and is no failure; it goes on undisturbed.
func TestDoctorOnRunningEtcd(t *testing.T) {
	for _, version := range etcdtest.Versions {
		dir := t.TempDir()
		s := etcdtest.Start(t, version, dir, etcdtest.Quick...)
		s.Ctl("put", "key", "value")
		status, out, errs := command(t, "doctor", dir)
		if status != ui.StatusOK || !strings.HasPrefix(string(out), "running     ") {
			t.Errorf("%s: exit status %d: %s%s", version, status, out, errs)
		}
		s.Ctl("put", "key", "value")
		s.Stop()
	}
}

// Nothing is written, and no time of a file changes.
func TestDoctorChangesNothing(t *testing.T) {
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	stamp := func() (all string) {
		err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err == nil {
				all += fmt.Sprintln(path, info.Size(), info.ModTime(), info.Mode())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := stamp()
	command(t, "doctor", dir)
	if after := stamp(); after != before {
		t.Errorf("before\n%s, after\n%s", before, after)
	}
}

// Whatever byte of a log or a database is damaged: no panic, JSON, and never a usage or I/O error.
func TestDoctorEveryFlip(t *testing.T) {
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	const step = 61 // a prime: bytes of all fields are among them
	for name, used := range map[string]int64{"wal/" + segmentName: 1400, "snap/db": 5 * 4096} {
		f, err := os.OpenFile(filepath.Join(dir, "member", filepath.FromSlash(name)), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		for off := int64(0); off < used; off += step {
			if _, err := f.ReadAt(b, off); err != nil {
				t.Fatal(err)
			}
			write(t, f, off, b[0]^0x41)
			status, out, errs := command(t, "doctor", dir, "-o", "json")
			if status != ui.StatusOK && status != ui.StatusDamage && status != ui.StatusPartial {
				t.Errorf("%s: offset %d: exit status %d: %s", name, off, status, errs)
			}
			if !json.Valid(out) {
				t.Errorf("%s: offset %d: no JSON: %s", name, off, out)
			}
			write(t, f, off, b[0])
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, f *os.File, off int64, b byte) {
	t.Helper()
	if _, err := f.WriteAt([]byte{b}, off); err != nil {
		t.Fatal(err)
	}
}

// What a damaged entry says never shows a secret, be its key damaged or not.
func TestDoctorHidesSecrets(t *testing.T) {
	dir := t.TempDir()
	s := etcdtest.Start(t, "3.6", dir, etcdtest.Quick...)
	for range 3 {
		s.Ctl("put", "/app/password", "hunter2hunter2")
	}
	s.Stop()
	log, err := wal.Open(os.DirFS(dir), ".")
	if err != nil {
		t.Fatal(err)
	}
	v, err := log.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, err := v.Locate(v.Last.Index - 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "member", "wal", at.Segment), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	write(t, f, at.Off+35, 'X') // in the key
	for _, form := range []string{"table", "json"} {
		status, out, _ := command(t, "doctor", dir, "-o", form)
		if status != ui.StatusDamage || bytes.Contains(out, []byte("hunter2")) || !bytes.Contains(out, []byte("14 B")) {
			t.Errorf("exit status %d: %s", status, out)
		}
	}
}

// A log whose history doesn't fit into bounded memory is never said to be fine.
func TestDoctorOnEndlessHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wal")
	w, err := wal.Create(vfs.OS, dir, wal.CreateOptions{WriterOptions: wal.WriterOptions{NoSync: true}})
	if err != nil {
		t.Fatal(err)
	}
	for term := range uint64(1<<17 + 1) {
		if err := w.Append(raftpb.HardState{}, []raftpb.Entry{{Term: term + 1, Index: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := command(t, "doctor", dir); status != ui.StatusPartial {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
}
