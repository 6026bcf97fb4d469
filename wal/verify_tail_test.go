package wal

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

// A writer goes on in another segment from 64,000,000 bytes on. A log whose last one is larger has
// lost its end, unless the next one was being begun.
func TestVerifyFullTail(t *testing.T) {
	b := newLogBuilder(raftpb.FlavorGogo)
	value := make([]byte, 1<<20)
	for i := range value {
		value[i] = byte(i) | 1
	}
	for len(b.tail().b) < SegmentSize {
		b.entry(1, value)
	}
	b.state(1, b.index)
	alone := b.files(0)
	begun := b.files(0)
	begun["1.tmp"] = []byte("\x04\x00\x00\x00\x00\x00\x00\x84")
	spare := b.files(0)
	spare["1.tmp"] = make([]byte, 64)
	b.cut()
	b.entry(1, nil)
	b.state(1, b.index)
	tests := map[string]struct {
		log  map[string][]byte
		lost bool
	}{
		"alone":                 {alone, true},
		"an empty spare":        {spare, true},
		"the next one begun":    {begun, false},
		"the next one is there": {b.files(64), false},
	}
	for name, tt := range tests {
		r := verifyMap(t, tt.log, VerifyOptions{})
		lost := slices.Contains(r.classes(SeverityError), ClassLostEnd)
		if lost != tt.lost || lost != (r.Verdict == VerdictProblem) {
			t.Errorf("%s: verdict %s, want lost end: %v\n%s", name, r.Verdict, tt.lost, findingLines(r))
		}
	}
}

// deniedFile is a file system in which one file can't be opened.
type deniedFile struct {
	fs.FS
	name string
}

func (d deniedFile) Open(name string) (fs.File, error) {
	if path.Base(name) == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}

// A file beside the segments that can't be read isn't passed over.
func TestVerifyUnreadableSpare(t *testing.T) {
	log := buildLog(raftpb.FlavorGogo, 1).files(1024)
	log["0.tmp"] = make([]byte, 64)
	l, err := Open(deniedFile{mapFS(log), "0.tmp"}, "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != VerdictUnchecked {
		t.Errorf("verdict %s, want %s\n%s", r.Verdict, VerdictUnchecked, findingLines(r))
	}
}
