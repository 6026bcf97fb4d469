package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raftctl/raftctl/cmd/raftctl/ui"
	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/internal/vfs"
)

// realSegment returns the records of a small segment that etcd 3.6 wrote, with a little of the
// space ahead of them, and where the records end.
func realSegment(tb testing.TB) (b []byte, end int) {
	tb.Helper()
	name := filepath.Join(corpus.Dir(tb, "c36-leasecp-1n-clean"), "member", "wal", segmentName)
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	b = make([]byte, 2048)
	if _, err := io.ReadFull(f, b); err != nil {
		tb.Fatal(err)
	}
	return b, len(bytes.TrimRight(b, "\x00")) + 1 // the last record is padded by one byte
}

const segmentName = "0000000000000000-0000000000000000.wal"

// testApp returns an App that writes to these and has nobody to ask.
func testApp(out, errs io.Writer) *ui.App {
	return &ui.App{
		In: strings.NewReader(""), Out: out, Err: errs, FS: vfs.OS, Now: time.Now, Confirm: ui.Refuse,
		Getenv: func(string) string { return "" }, AskSecret: ui.RefuseSecret,
	}
}

// command runs a command line in this process.
func command(tb testing.TB, args ...string) (status int, stdout, stderr []byte) {
	tb.Helper()
	var out, errs bytes.Buffer
	status = run(tb.Context(), testApp(&out, &errs), args)
	return status, out.Bytes(), errs.Bytes()
}

// placed is what is wrong, and where.
type placed struct {
	Class  string
	Offset int64
}

// checkDamaged runs dump and verify on a segment and returns the offsets that they find fault with.
func checkDamaged(t *testing.T, path string, segment []byte) (verify int, offsets []int64) {
	t.Helper()
	if err := os.WriteFile(path, segment, 0o600); err != nil {
		t.Fatal(err)
	}
	verify, out, errs := command(t, "wal", "verify", path, "-o", "json")
	dump, lines, dumpErrs := command(t, "wal", "dump", path, "-o", "jsonl", "--physical")
	for _, status := range []int{verify, dump} {
		if status != ui.StatusOK && status != ui.StatusDamage && status != ui.StatusPartial && status != ui.StatusUsage {
			t.Fatalf("exit status %d: %s%s", status, errs, dumpErrs)
		}
	}
	if verify == ui.StatusUsage {
		return verify, nil
	}
	var report struct {
		Findings []placed
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("verify: %v: %s", err, out)
	}
	for _, f := range report.Findings {
		if f.Offset < 0 || f.Offset > int64(len(segment)) {
			t.Errorf("%s at offset %d of %d bytes", f.Class, f.Offset, len(segment))
		}
		offsets = append(offsets, f.Offset)
	}
	last := int64(-1)
	for l := range bytes.Lines(lines) {
		var rec struct {
			placed
			Kind   string
			Length int64
		}
		if err := json.Unmarshal(l, &rec); err != nil {
			t.Fatalf("dump: %v: %s", err, l)
		}
		if rec.Kind == "damage" { // the two outputs can be joined
			if !slices.Contains(report.Findings, rec.placed) {
				t.Errorf("dump tells %v, verify %v", rec.placed, report.Findings)
			}
			continue
		}
		if rec.Offset < last || rec.Offset+rec.Length > int64(len(segment)) {
			t.Errorf("record at offset %d of length %d after offset %d of %d bytes", rec.Offset, rec.Length, last, len(segment))
		}
		last = rec.Offset
	}
	return verify, offsets
}

// Every prefix of a real segment is read to its end, or to the record that is cut.
func TestEveryPrefix(t *testing.T) {
	whole, end := realSegment(t)
	path := filepath.Join(t.TempDir(), segmentName)
	for n := range end {
		status, offsets := checkDamaged(t, path, whole[:n])
		if n > 0 && status == ui.StatusUsage {
			t.Errorf("the first %d bytes: exit status %d", n, status)
		}
		for _, off := range offsets {
			if off > int64(n) {
				t.Errorf("the first %d bytes: a finding at offset %d", n, off)
			}
		}
	}
}

// Every bit that is flipped is found, within the record that it is in.
func TestEveryFlip(t *testing.T) {
	segment, end := realSegment(t)
	frames := frameStarts(t, segment[:end])
	path := filepath.Join(t.TempDir(), segmentName)
	for off := range end {
		bit := byte(1) << (off % 8)
		segment[off] ^= bit
		status, offsets := checkDamaged(t, path, segment)
		segment[off] ^= bit
		if status == ui.StatusOK {
			t.Errorf("offset %d: bit %#x flipped, and nothing found", off, bit)
			continue
		}
		lo, hi := frames.around(int64(off))
		found := false
		for _, at := range offsets {
			found = found || at >= lo && at < hi
		}
		if status == ui.StatusDamage && !found {
			t.Errorf("offset %d: bit %#x flipped, found at %v, want within [%d, %d)", off, bit, offsets, lo, hi)
		}
	}
}

// starts are the offsets of the frames of a segment, and where the last one ends.
type starts []int64

func frameStarts(t *testing.T, segment []byte) starts {
	t.Helper()
	path := filepath.Join(t.TempDir(), segmentName)
	if err := os.WriteFile(path, segment, 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := command(t, "wal", "dump", path, "-o", "jsonl", "--physical")
	var s starts
	for l := range bytes.Lines(out) {
		var rec struct{ Offset int64 }
		if err := json.Unmarshal(l, &rec); err != nil {
			t.Fatal(err)
		}
		s = append(s, rec.Offset)
	}
	return append(s, int64(len(segment)))
}

// around returns the bounds of the frame that an offset lies in.
func (s starts) around(off int64) (lo, hi int64) {
	for i := range len(s) - 1 {
		if off < s[i+1] {
			return s[i], s[i+1]
		}
	}
	return s[len(s)-2], s[len(s)-1]
}

// A record that claims more bytes than any disk has is answered at once.
func TestHugeLength(t *testing.T) {
	path := filepath.Join(t.TempDir(), segmentName)
	if err := os.WriteFile(path, []byte{0, 0, 0, 0, 0, 0, 0, 1}, 0o600); err != nil { // 2^56
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(1, func() {
		status, _, _ := command(t, "wal", "verify", path)
		if status != ui.StatusDamage {
			t.Errorf("exit status %d, want %d", status, ui.StatusDamage)
		}
	})
	if allocated > 5000 {
		t.Errorf("%v allocations", allocated)
	}
}
