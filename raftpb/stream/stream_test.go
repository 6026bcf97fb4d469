package stream

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

var testLink = Link{From: 1, To: 2}

// docMessages are what the dump in the package comment holds.
func docMessages() []raftpb.Message {
	app := func(index, commit uint64, entries ...raftpb.Entry) raftpb.Message {
		return raftpb.Message{
			Type: raftpb.MsgApp, From: 1, To: 2, Term: 2, LogTerm: 2, Index: index, Commit: commit, Entries: entries,
		}
	}
	first := app(3, 3, raftpb.Entry{Term: 2, Index: 4})
	first.LogTerm = 1
	return []raftpb.Message{
		first, app(4, 4, raftpb.Entry{Term: 2, Index: 5, Data: []byte("foo")}), app(5, 5), LinkHeartbeat(),
	}
}

func docBytes(t testing.TB) []byte {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	lines := regexp.MustCompile(`(?m)^//\t((?:[0-9a-f]{2} )+) +\w`)
	for _, m := range lines.FindAllStringSubmatch(string(doc), -1) {
		dump.WriteString(m[1])
	}
	b, err := hex.DecodeString(strings.ReplaceAll(dump.String(), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readAll reads up to the first error, and checks that offsets increase.
func readAll(t testing.TB, r interface {
	Read(*raftpb.Message) error
	Offset() int64
}) (list []raftpb.Message, err error) {
	t.Helper()
	for off := int64(0); ; off = r.Offset() {
		var m raftpb.Message
		if err := r.Read(&m); err != nil {
			if again := r.Read(&m); again != err {
				t.Errorf("read again: %v, want %v", again, err)
			}
			return list, err
		}
		if r.Offset() <= off {
			t.Fatalf("offset %d after %d", r.Offset(), off)
		}
		list = append(list, m)
	}
}

func TestDocDump(t *testing.T) {
	b := docBytes(t)
	got, err := readAll(t, NewAppendReader(bytes.NewReader(b), testLink))
	if err != io.EOF {
		t.Fatal(err)
	}
	if diff := cmp.Diff(docMessages(), got); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	w := NewAppendWriter(&out, testLink, raftpb.FlavorGogo)
	for _, m := range docMessages() {
		if err := w.Write(&m); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), b) {
		t.Errorf("wrote\n%x, want\n%x", out.Bytes(), b)
	}
}

func TestJoin(t *testing.T) {
	b := docBytes(t)
	r := NewAppendReader(bytes.NewReader(b[37:]), testLink)
	r.Join()
	got, err := readAll(t, r)
	if err != io.EOF {
		t.Fatal(err)
	}
	if diff := cmp.Diff(docMessages()[1:], got); diff != "" {
		t.Error(diff)
	}
	if id, known := r.State(); !known || id != (raftpb.EntryID{Term: 2, Index: 5}) {
		t.Errorf("state %v, %v", id, known)
	}
}

func TestSnapshotHead(t *testing.T) {
	want := raftpb.Message{Type: raftpb.MsgSnap, From: 1, To: 2, Snapshot: &raftpb.Snapshot{Data: []byte("v2")}}
	var b bytes.Buffer
	if err := WriteSnapshotHead(&b, &want, raftpb.FlavorGogo); err != nil {
		t.Fatal(err)
	}
	b.WriteString("database")
	var got raftpb.Message
	if err := ReadSnapshotHead(&b, &got); err != nil || b.String() != "database" {
		t.Fatalf("%v, %q left", err, b.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := ReadSnapshotHead(strings.NewReader(""), &got); !errors.Is(err, ErrTorn) {
		t.Errorf("empty: %v", err)
	}
}

func TestPipeline(t *testing.T) {
	want := docMessages()[1]
	var got raftpb.Message
	if err := ReadPipeline(bytes.NewReader(want.Marshal(raftpb.FlavorPbgo)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := readBody(strings.NewReader("12345"), 4); err == nil {
		t.Error("a body above the limit is read")
	}
}

func TestPath(t *testing.T) {
	for _, c := range []Channel{ChannelMessage, ChannelAppend} {
		if got, id, ok := ParsePath(c.Path(0xab)); got != c || id != 0xab || !ok {
			t.Errorf("%s: %v %x %v", c.Path(0xab), got, id, ok)
		}
	}
}

func TestWritersDontAllocate(t *testing.T) {
	m := docMessages()[0]
	mw, aw := NewMessageWriter(io.Discard, 0), NewAppendWriter(io.Discard, testLink, 0)
	if n := testing.AllocsPerRun(100, func() { _, _ = mw.Write(&m), aw.Write(&m) }); n != 0 {
		t.Errorf("%v allocations a write, want 0", n)
	}
}
