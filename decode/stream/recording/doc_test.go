package recording

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/wal"
)

var dumpLine = regexp.MustCompile(`^//\t([0-9a-f]{8})  ((?:[0-9a-f]{2} {1,2})+) +\S`)

// The hex dump in the documentation is what a writer makes, down to its offsets.
func TestDocumentedRecording(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	check(t, err)
	var want []byte
	for line := range strings.Lines(string(doc)) {
		m := dumpLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if off := fmt.Sprintf("%08x", len(want)); m[1] != off {
			t.Fatalf("line %q, want offset %s", line, off)
		}
		b, err := hex.DecodeString(strings.ReplaceAll(m[2], " ", ""))
		check(t, err)
		want = append(want, b...)
	}
	dir := filepath.Join(t.TempDir(), "talk")
	w, err := Create(dir, Metadata{Recorder: 2}, Options{})
	check(t, err)
	check(t, w.Append(&stream.Event{
		Kind: stream.KindLinkHeartbeat, Time: testStart, From: 1, To: 2, Channel: stream.ChannelAppend, Conn: 3, Size: 1,
	}))
	check(t, w.Close())
	got, err := os.ReadFile(filepath.Join(dir, Dialect.FileName(wal.SegmentName{})))
	check(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("the writer makes\n%s, the documentation shows\n%s", hex.Dump(got), hex.Dump(want))
	}
}

// The channels that the documentation lists are those that there are.
func TestDocumentedChannels(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	check(t, err)
	var names []string
	for _, c := range channels {
		names = append(names, fmt.Sprintf("%q", c))
	}
	if list := strings.Join(names, ", "); !strings.Contains(string(doc), list) {
		t.Errorf("doc.go doesn't list %s", list)
	}
}
