package recording

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/wal"
)

var testStart = time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.UTC)

func testMetadata() Metadata {
	return Metadata{
		Recorder: 0x8e9e05c52164694d, Cluster: 0xcdf818194e3a8c32, Start: testStart,
		Members: []Member{{0x8e9e05c52164694d, "m1", false}, {2, "", true}}, MembersAt: 1 << 40,
	}
}

// oneOfEach returns an event of every kind and over every channel, with every field of each set in one of them.
func oneOfEach() (list []stream.Event) {
	for i, c := range channels {
		list = append(list, stream.Event{
			Kind: stream.KindMessage, Time: testStart.Add(time.Duration(i) * time.Millisecond), From: 1, To: 1 << 63,
			Channel: c, Conn: uint64(i), Size: int64(100 * i),
			Message: &raftpb.Message{
				Type: raftpb.MsgApp, From: 1, To: 1 << 63, Term: 3, LogTerm: 2, Index: uint64(i), Commit: 4, Vote: 5,
				Entries: []raftpb.Entry{{Term: 3, Index: uint64(i) + 1, Data: []byte("data")}, {Type: raftpb.EntryConfChange, Index: 9}},
				Reject:  true, RejectHint: 7, Context: []byte("ctx"),
			},
		})
	}
	return append(list,
		stream.Event{Kind: stream.KindMessage, Message: &raftpb.Message{}},
		stream.Event{Kind: stream.KindMessage, Channel: "of tomorrow", Message: &raftpb.Message{
			Type: raftpb.MsgSnap, Snapshot: &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 7, Term: 1}},
		}},
		stream.Event{Kind: stream.KindLinkHeartbeat, Time: testStart, From: 2, To: 1, Channel: stream.ChannelAppend, Size: 1},
		stream.Event{Kind: stream.KindExchange, Time: testStart, Channel: stream.ChannelPeer, Exchange: &stream.Exchange{
			Method: "GET", Path: "/raft/stream/msgapp/2", Status: 410, Server: "3.6.14", Cluster: 1 << 62, Note: "removed",
		}},
		stream.Event{Kind: stream.KindExchange, Exchange: &stream.Exchange{}},
		stream.Event{Kind: stream.KindGap, Time: testStart, Gap: &stream.Gap{Bytes: -1, Reason: "TLS, without a key log"}},
		stream.Event{Kind: stream.KindGap, Conn: 1<<64 - 1, Size: 1<<63 - 1, Gap: &stream.Gap{Bytes: 14480}},
	)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes a recording of list, and returns its directory.
func write(t testing.TB, list []stream.Event, o Options) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "talk")
	w, err := Create(dir, testMetadata(), o)
	check(t, err)
	appendAll(t, w, list)
	check(t, w.Close())
	return dir
}

func appendAll(t testing.TB, w *Writer, list []stream.Event) {
	t.Helper()
	for i := range list {
		check(t, w.Append(&list[i]))
	}
}

func open(t testing.TB, dir string) *Recording {
	t.Helper()
	r, err := Open(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	check(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// read returns all events of a recording.
func read(t testing.TB, r *Recording) (list []stream.Event) {
	t.Helper()
	for e, err := range r.Events() {
		check(t, err)
		list = append(list, *e.Clone())
	}
	return list
}

var noPos = cmpopts.IgnoreFields(stream.Event{}, "Pos")

func mustEqual(t testing.TB, got, want []stream.Event) {
	t.Helper()
	if diff := cmp.Diff(want, got, noPos, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		dir := write(t, oneOfEach(), Options{Flavor: f})
		r := open(t, dir)
		got := read(t, r)
		mustEqual(t, got, oneOfEach())
		m, err := r.Metadata()
		check(t, err)
		if diff := cmp.Diff(testMetadata(), m); diff != "" {
			t.Errorf("metadata: -want +got:\n%s", diff)
		}
		last := int64(0)
		for i, e := range got {
			if e.Pos.Off <= last || e.Pos.Path() != "talk/0000000000000000-0000000000000000.rec" {
				t.Errorf("event %d lies at %v", i, e.Pos)
			}
			last = e.Pos.Off
		}
		verdict(t, r, wal.VerdictOK)
	}
}

// verdict checks what verification says of a recording.
func verdict(t *testing.T, r *Recording, want wal.Verdict) *wal.Report {
	t.Helper()
	report, err := r.Log().Verify(context.Background(), wal.VerifyOptions{})
	check(t, err)
	if report.Verdict != want {
		t.Errorf("verdict %v, want %v: %v", report.Verdict, want, report.Findings)
	}
	return report
}

// A finished recording takes no more space than it has records, and a file of it is one too.
func TestFile(t *testing.T) {
	dir := write(t, oneOfEach(), Options{})
	path := filepath.Join(dir, Dialect.FileName(wal.SegmentName{}))
	b, err := os.ReadFile(path)
	check(t, err)
	if len(b) > 2000 || !Is(b) || !Is(b[:512]) || Is(b[:40]) || Is(nil) {
		t.Errorf("%d bytes, is a recording: %t", len(b), Is(b))
	}
	other := filepath.Join(t.TempDir(), "renamed")
	check(t, os.WriteFile(other, b, 0o600))
	r := open(t, other)
	got := read(t, r)
	mustEqual(t, got, oneOfEach())
	if got[0].Pos.Source != "renamed" {
		t.Errorf("lies in %v", got[0].Pos)
	}
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func many(n int) (list []stream.Event) {
	for i := range n {
		list = append(list, stream.Event{
			Kind: stream.KindMessage, Time: testStart.Add(time.Duration(i)), From: 1, To: 2, Channel: stream.ChannelAppend, Conn: 1,
			Size: 60, Message: &raftpb.Message{
				Type: raftpb.MsgApp, From: 1, To: 2, Term: 1, Index: uint64(i),
				Entries: []raftpb.Entry{{Term: 1, Index: uint64(i) + 1, Data: []byte(strings.Repeat("x", i%50))}},
			},
		})
	}
	return list
}

// A recording of several segments reads as one, is gone on with after a crash, and each segment stands alone.
func TestSegments(t *testing.T) {
	o := Options{SegmentSize: 4096}
	dir := write(t, many(200), o)
	r := open(t, dir)
	if n := len(r.Log().Segments()); n < 4 {
		t.Fatalf("%d segments, want several", n)
	}
	mustEqual(t, read(t, r), many(200))
	verdict(t, r, wal.VerdictOK)

	w, err := Resume(dir, testMetadata(), o)
	check(t, err)
	appendAll(t, w, many(10))
	check(t, w.Flush())
	if _, err := Resume(dir, testMetadata(), o); err == nil {
		t.Error("two write to one recording")
	}
	crashed := filepath.Join(t.TempDir(), "talk")
	check(t, os.CopyFS(crashed, os.DirFS(dir))) // as a kill leaves it
	check(t, w.Close())
	for _, d := range []string{dir, crashed} {
		got := read(t, open(t, d))
		if len(got) != 211 || got[200].Kind != stream.KindGap {
			t.Fatalf("%d events, number 200 is %v", len(got), got[200])
		}
		mustEqual(t, slices.Delete(got, 200, 201), append(many(200), many(10)...))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+Suffix))
	check(t, err)
	single := open(t, files[1])
	if got := read(t, single); len(got) < 10 || got[0].Kind != stream.KindMessage {
		t.Errorf("the second segment alone has %d events", len(got))
	}
	_, err = single.Metadata()
	check(t, err)
}

func TestResumeRefuses(t *testing.T) {
	dir := write(t, many(1), Options{})
	m := testMetadata()
	m.Recorder++
	if w, err := Resume(dir, m, Options{}); err == nil || !strings.Contains(err.Error(), "want member 8e9e05c52164694e") {
		t.Errorf("another member goes on with the recording: %v, %v", w, err)
	}
	if _, err := Resume(filepath.Join(dir, "no"), m, Options{}); err == nil {
		t.Error("a recording that is not there was resumed")
	}
	if _, err := Create(dir, m, Options{}); err == nil {
		t.Error("a recording was overwritten")
	}
	w, err := Resume(dir, testMetadata(), Options{})
	check(t, err)
	for _, e := range []stream.Event{{}, {Kind: stream.KindMessage}, {Kind: stream.KindGap}, {Kind: 9}} {
		if err := w.Append(&e); err == nil {
			t.Errorf("%v was recorded", e)
		}
	}
	check(t, w.Append(&many(1)[0]))
	check(t, w.Close())
	if err := w.Append(&many(1)[0]); err == nil {
		t.Error("a closed writer takes an event")
	}
}

// Of a recording that is bounded, the oldest segments go.
func TestKeep(t *testing.T) {
	list := many(300)
	dir := write(t, list, Options{SegmentSize: 4096, Keep: 2})
	r := open(t, dir)
	if n := len(r.Log().Segments()); n != 2 {
		t.Errorf("%d segments, want 2", n)
	}
	got := read(t, r)
	if len(got) < 20 || len(got) > 150 {
		t.Errorf("%d events", len(got))
	}
	mustEqual(t, got, list[len(list)-len(got):])
	verdict(t, r, wal.VerdictOK)
	w, aside, err := Continue(dir, testMetadata(), Options{Keep: 1})
	check(t, err)
	check(t, w.Close())
	if n := len(open(t, dir).Log().Segments()); n != 1 || aside != "" {
		t.Errorf("%d segments, want 1; put aside: %q", n, aside)
	}
}

// A recording that is damaged is put aside, and the next one begun; one of another member is left alone.
func TestContinue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "above", "talk")
	w, aside, err := Continue(dir, testMetadata(), Options{})
	check(t, err)
	appendAll(t, w, many(50))
	check(t, w.Close())
	m := testMetadata()
	m.Cluster++
	if _, _, err := Continue(dir, m, Options{}); err == nil || aside != "" {
		t.Errorf("a recording of another cluster was gone on with; put aside: %q", aside)
	}
	path := filepath.Join(dir, Dialect.FileName(wal.SegmentName{}))
	b, err := os.ReadFile(path)
	check(t, err)
	copy(b[len(b)/2:], strings.Repeat("x", 40))
	check(t, os.WriteFile(path, b, 0o600))
	w, aside, err = Continue(dir, testMetadata(), Options{})
	check(t, err)
	appendAll(t, w, many(3))
	check(t, w.Close())
	mustEqual(t, read(t, open(t, dir)), many(3))
	got := read(t, open(t, aside))
	gaps := slices.DeleteFunc(slices.Clone(got), func(e stream.Event) bool { return e.Kind != stream.KindGap })
	if len(gaps) != 1 || len(got) < 48 {
		t.Errorf("%d events in %s, gaps %v, want some 48 and one", len(got), aside, gaps)
	}
}

// Follow goes on with what is written meanwhile, into the next segment.
func TestFollow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "talk")
	w, err := Create(dir, testMetadata(), Options{SegmentSize: 4096})
	check(t, err)
	list := many(100)
	appendAll(t, w, list[:10])
	check(t, w.Flush())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got []stream.Event
	for e, err := range open(t, dir).Follow(ctx, time.Millisecond) {
		check(t, err)
		got = append(got, *e.Clone())
		if len(got) == 10 {
			appendAll(t, w, list[10:])
			check(t, w.Flush())
		}
		if len(got) == len(list) {
			break
		}
	}
	mustEqual(t, got, list)
	check(t, w.Close())
}
