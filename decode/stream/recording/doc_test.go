package recording

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/internal/hexdoc"
	"github.com/raftctl/raftctl/wal"
)

// The hex dump in the documentation is what a writer makes, down to its offsets.
func TestDocumentedRecording(t *testing.T) {
	want := hexdoc.Bytes(t, "doc.go")
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
