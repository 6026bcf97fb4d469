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
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/dbtest"
	"github.com/raftctl/raftctl/internal/etcdtest"
)

// snapshotVerbs are the command lines that read a member.
func snapshotVerbs(path string) map[string][]string {
	return map[string][]string{
		"list": {"list", path}, "status": {"status", path, "--top", "3"}, "verify": {"verify", path},
		"dump": {"dump", path}, "diff": {"diff", path + "@1800", path},
	}
}

// An interrupted command says so, and nothing else.
func TestSnapshotInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for verb, args := range snapshotVerbs(corpus.Dir(t, "c36-3m-clean") + "/m1") {
		var errs bytes.Buffer
		status := run(ctx, testApp(io.Discard, &errs), append([]string{"snapshot"}, args...))
		if got := errs.String(); status != ui.StatusInterrupted || got != "raftctl: interrupted\n" {
			t.Errorf("%s: exit status %d, %q, want %d", verb, status, got, ui.StatusInterrupted)
		}
	}
}

// An error of the output that is no closed pipe is an I/O error.
func TestSnapshotFullDisk(t *testing.T) {
	for verb, args := range snapshotVerbs(corpus.Dir(t, "c36-3m-clean") + "/m1") {
		var errs bytes.Buffer
		status := run(t.Context(), testApp(fullDisk{}, &errs), append([]string{"snapshot"}, args...))
		if status != ui.StatusError || !strings.Contains(errs.String(), "no space left on device") {
			t.Errorf("%s: exit status %d, %q, want %d", verb, status, &errs, ui.StatusError)
		}
	}
}

// The commands work on what a running etcd holds, tell that they read a copy, and find nothing wrong; a
// database and the endpoint that it is of don't differ.
func TestSnapshotLive(t *testing.T) {
	for _, version := range etcdtest.Versions {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			s := etcdtest.Start(t, version, dir, "--snapshot-count", "10")
			for i := range 40 {
				s.Ctl("put", fmt.Sprintf("dir/k%02d", i%20), fmt.Sprintf("value %d", i))
			}
			status, out, errs := command(t, "snapshot", "verify", dir)
			if status != ui.StatusOK {
				t.Errorf("verify: exit status %d: %s%s", status, out, errs)
			}
			if status, out, errs = command(t, "snapshot", "list", dir); status != ui.StatusOK {
				t.Errorf("list: exit status %d: %s%s", status, out, errs)
			}
			saved := filepath.Join(t.TempDir(), "saved.db.zst")
			if status, _, errs := command(t, "snapshot", "save", s.Endpoint, saved); status != ui.StatusOK {
				t.Fatalf("save: exit status %d: %s", status, errs)
			}
			if status, out, _ = command(t, "snapshot", "verify", saved); status != ui.StatusOK ||
				!strings.Contains(string(out), "takes it as it is, once it is unpacked") {
				t.Errorf("verify: exit status %d: %s", status, out)
			}
			if status, out, errs = command(t, "snapshot", "diff", saved, s.Endpoint); status != ui.StatusOK {
				t.Errorf("diff: exit status %d: %s%s", status, out, errs)
			}
			s.Ctl("put", "dir/k05", "other")
			s.Ctl("del", "dir/k06")
			status, out, errs = command(t, "snapshot", "diff", saved, s.Endpoint, "-o", "jsonl")
			if status != ui.StatusDamage || bytes.Count(out, []byte("\n")) != 2 ||
				!bytes.HasPrefix(out, []byte(`{"change":"changed","key":"dir/k05",`)) ||
				!bytes.Contains(out, []byte(`{"change":"removed","key":"dir/k06",`)) {
				t.Errorf("diff: exit status %d: %s%s", status, out, errs)
			}
			if status, _, errs = command(t, "snapshot", "dump", dir); status != ui.StatusOK ||
				!strings.Contains(string(errs), "a copy of it is read, as it was at one moment") {
				t.Errorf("dump: exit status %d: %s", status, errs)
			}
			checkCtl(t, s, saved)
			s.Ctl("member", "add", "learner", "--learner", "--peer-urls", "http://127.0.0.1:1")
			time.Sleep(500 * time.Millisecond) // etcd's database follows within 100 ms
			if status, out, _ = command(t, "snapshot", "verify", dir); status != ui.StatusOK ||
				bytes.Contains(out, []byte("members")) {
				t.Errorf("verify with a new member: exit status %d: %s", status, out)
			}
		})
	}
}

// checkCtl compares the keys of a saved state with those that etcdctl lists at its revision.
func checkCtl(t *testing.T, s *etcdtest.Server, saved string) {
	t.Helper()
	_, out, _ := command(t, "snapshot", "status", saved, "-o", "json")
	var status struct {
		Revision int64 `json:"current_revision"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatal(err)
	}
	want := s.Ctl("get", "", "--from-key", "--rev", fmt.Sprint(status.Revision))
	_, out, _ = command(t, "snapshot", "dump", saved, "-o", "jsonl", "--values", "full")
	var got bytes.Buffer
	for line := range bytes.Lines(out) {
		var kv struct{ Key, Value string }
		if err := json.Unmarshal(line, &kv); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s\n%s\n", kv.Key, kv.Value)
	}
	if got.String() != string(want) {
		t.Errorf("got %s, etcdctl lists %s", &got, want)
	}
}

// What changed in a value is told by its fields, without the secrets in it; and secrets stay out of
// dump as well.
func TestSnapshotDiffOfValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := dbtest.New(t, path)
	rev := s.Put("app", `{"replicas":1,"image":"v1"}`, 0)
	s.Put("secret", `{"apiVersion":"v1","kind":"Secret","data":{"password":"hunter2"}}`, 0)
	s.Put("app", `{"replicas":3,"image":"v1"}`, 0)
	s.Put("secret", `{"apiVersion":"v1","kind":"Secret","data":{"password":"hunter3"}}`, 0)
	s.Close()
	status, out, errs := command(t, "snapshot", "diff", fmt.Sprintf("%s@%d", path, rev), path)
	if status != ui.StatusDamage || !strings.Contains(string(out), "replicas") || strings.Contains(string(out), "image") {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
	_, jsonl, _ := command(t, "snapshot", "diff", fmt.Sprintf("%s@%d", path, rev+1), path, "-o", "jsonl")
	_, dump, _ := command(t, "snapshot", "dump", path, "--values", "full", "-o", "jsonl")
	for _, text := range [][]byte{out, jsonl, dump} {
		if bytes.Contains(text, []byte("hunter")) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	if !bytes.Contains(jsonl, []byte(`"value_diff":{"form":"json"`)) {
		t.Errorf("no value_diff: %s", jsonl)
	}
	_, dump, _ = command(t, "snapshot", "dump", path, "--values", "full", "--show-secrets")
	if !bytes.Contains(dump, []byte("hunter3")) {
		t.Errorf("no secret is shown: %s", dump)
	}
}

// A reading command leaves file and folder as they were.
func TestSnapshotChangesNothing(t *testing.T) {
	dir := corpus.Copy(t, "c36-leasecp-1n-clean")
	db := filepath.Join(dir, "member", "snap", "db")
	before, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(db)
	if err != nil {
		t.Fatal(err)
	}
	for verb, args := range snapshotVerbs(dir) {
		args = append([]string{"snapshot"}, args...)
		if verb == "diff" {
			args = []string{"snapshot", "diff", dir + "@3", dir}
		}
		command(t, args...)
		after, err := os.ReadFile(db)
		if err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(db)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) || !now.ModTime().Equal(info.ModTime()) || !os.SameFile(info, now) {
			t.Errorf("%s has changed the database", verb)
		}
	}
}

// Whatever byte of a database is damaged, no command panics, and what is for programs is JSON.
func TestSnapshotEveryFlip(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(corpus.Dir(t, "c36-leasecp-1n-clean"), "member", "snap", "db"))
	if err != nil {
		t.Fatal(err)
	}
	const used, step = 5 * 4096, 13 // a prime: bytes of all fields are among them
	b = b[:used]
	path := filepath.Join(t.TempDir(), "flipped.db")
	for off := 0; off < used; off += step {
		b[off] ^= 0x41
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		b[off] ^= 0x41
		for _, args := range [][]string{
			{"status", path, "-o", "json"}, {"verify", path, "-o", "json"}, {"dump", path, "-o", "json"},
			{"dump", path, "--scan", "-o", "json"}, {"diff", path, path, "-o", "json"},
		} {
			status, out, errs := command(t, append([]string{"snapshot"}, args...)...)
			switch {
			case status == ui.StatusOK || status == ui.StatusDamage || status == ui.StatusPartial:
			case status == ui.StatusError && len(errs) > 0: // neither meta page is intact
			default:
				t.Errorf("offset %d: %q: exit status %d: %s", off, args, status, errs)
			}
			if len(out) > 0 && !json.Valid(out) {
				t.Errorf("offset %d: %q: no JSON: %s", off, args, out)
			}
		}
	}
}

// Nothing in the name of a file reaches the terminal as it is, also where the file is damaged.
func TestSnapshotNamesAreEscaped(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(corpus.Dir(t, "c36-restored-m1"), "member", "snap", "db"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "a\x1b[31m\nb\xff.db")
	for what, b := range map[string][]byte{"intact": b, "short": b[:5000], "empty": nil, "text": []byte("text\n")} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"list", name}, {"status", name}, {"verify", name}, {"dump", name}, {"dump", "--scan", name}, {"diff", name, name},
			{"save", name, filepath.Join(dir, "out"), "--overwrite"}, {"status", name + "-missing"},
		} {
			_, stdout, stderr := command(t, append([]string{"snapshot"}, args...)...)
			if bytes.ContainsAny(append(stdout, stderr...), "\x1b\xff") {
				t.Errorf("%s of %s file: got %q, %q, want the name escaped", args[0], what, stdout, stderr)
			}
			if lines := bytes.Count(stderr, []byte("\n")); bytes.Count(stderr, []byte("\nraftctl snapshot ")) != max(lines-1, 0) {
				t.Errorf("%s of %s file: got %q, want one line an error", args[0], what, stderr)
			}
		}
	}
}
