package raftpb

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The hex dump in the package comment is what it says it is.
func TestDocDump(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	lines := regexp.MustCompile(`(?m)^//\t *((?:[0-9a-f]{2} )+) +\w`)
	for _, m := range lines.FindAllStringSubmatch(string(doc), -1) {
		dump.WriteString(m[1])
	}
	want := Message{
		Type: MsgApp, To: 2, From: 1, Term: 3, LogTerm: 3, Index: 6, Commit: 6,
		Entries: []Entry{{Term: 3, Index: 7, Data: []byte("foo")}},
	}
	b := unhex(t, dump.String())
	if !bytes.Equal(b, want.Marshal(FlavorGogo)) {
		t.Errorf("the dump is %x, want %x", b, want.Marshal(FlavorGogo))
	}
}
