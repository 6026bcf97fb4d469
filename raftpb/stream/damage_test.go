package stream

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// whole is a valid stream, and how it is read.
type whole struct {
	bytes []byte
	list  []raftpb.Message
	ends  []int // of the frames
	open  func(io.Reader) reader
}

type reader interface {
	Read(*raftpb.Message) error
	Offset() int64
}

func openAppend(r io.Reader) reader  { return NewAppendReader(r, testLink) }
func openMessage(r io.Reader) reader { return NewMessageReader(r) }

func wholeStreams(t testing.TB) map[string]whole {
	t.Helper()
	list := append(docMessages(), goldenAppend(), LinkHeartbeat())
	general := append(list, goldenBeat(), raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2, Term: 4, Index: 9})
	all := map[string]whole{
		"append":  {bytes: appendBytes(t, raftpb.FlavorGogo, list), list: list, open: openAppend},
		"message": {bytes: messageBytes(t, raftpb.FlavorPbgo, general), list: general, open: openMessage},
	}
	for name, w := range all {
		r := w.open(bytes.NewReader(w.bytes))
		for range w.list {
			var m raftpb.Message
			if err := r.Read(&m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			w.ends = append(w.ends, int(r.Offset()))
		}
		all[name] = w
	}
	return all
}

// before returns how many frames end at or before the offset, and where the last of them ends.
func (w *whole) before(off int) (n, border int) {
	for n < len(w.ends) && w.ends[n] <= off {
		border = w.ends[n]
		n++
	}
	return n, border
}

func TestEveryPrefix(t *testing.T) {
	for name, w := range wholeStreams(t) {
		for n := range len(w.bytes) + 1 {
			frames, border := w.before(n)
			// A reader that is given byte by byte reads the same.
			got, err := readAll(t, w.open(iotest.OneByteReader(bytes.NewReader(w.bytes[:n]))))
			if diff := cmp.Diff(w.list[:frames], got); diff != "" && frames > 0 {
				t.Fatalf("%s: %d bytes: %s", name, n, diff)
			}
			if border == n {
				if err != io.EOF {
					t.Errorf("%s: %d bytes: %v, want EOF", name, n, err)
				}
				continue
			}
			var cut *ReadError
			if !errors.As(err, &cut) || !errors.Is(err, ErrTorn) || cut.Off != int64(n) || cut.Frame != int64(border) {
				t.Errorf("%s: %d bytes: %v, want torn in the frame of %d", name, n, err, border)
			}
		}
	}
}

// Nothing before the damage is lost, and what is reported lies at or behind the frame that has it.
func TestEveryFlippedByte(t *testing.T) {
	for name, w := range wholeStreams(t) {
		for i := range w.bytes {
			for _, bits := range []byte{0x01, 0x80, 0xff} {
				b := bytes.Clone(w.bytes)
				b[i] ^= bits
				frames, border := w.before(i)
				got, err := readAll(t, w.open(bytes.NewReader(b)))
				if len(got) < frames || cmp.Diff(w.list[:frames], got[:frames]) != "" && frames > 0 {
					t.Fatalf("%s: byte %d ^ %#x: read %d messages, want the %d before it", name, i, bits, len(got), frames)
				}
				checkDamage(t, err, int64(border), int64(len(b)))
			}
		}
	}
}

func checkDamage(t *testing.T, err error, lo, size int64) {
	t.Helper()
	var bad *CorruptError
	var cut *ReadError
	switch {
	case err == io.EOF:
	case errors.As(err, &bad):
		if bad.Off < lo || bad.Off > size { // an entry of no bytes may lie at the end
			t.Errorf("%v, want an offset in [%d, %d]", err, lo, size)
		}
	case errors.As(err, &cut):
		if !errors.Is(err, ErrTorn) || cut.Frame < lo || cut.Off != size {
			t.Errorf("%v, want torn at %d", err, size)
		}
	default:
		t.Errorf("%v, want corrupt or torn", err)
	}
}

func TestCorruptOffsets(t *testing.T) {
	doc := docBytes(t) // frames at 0, 37, 73 and 90
	for _, test := range []struct {
		name    string
		corrupt func([]byte)
		want    string
	}{
		{"frame type", func(b []byte) { b[37] = 3 }, "offset 37: frame type 3, want 0, 1 or 2"},
		{"message length", func(b []byte) { b[1] = 1 },
			"offset 1: message length 72057594037927964, want at most 536870912"},
		{"message type", func(b []byte) { b[10] = 4 }, "offset 0: message type MsgAppResp, want MsgApp"},
		{"field of a message", func(b []byte) { b[11] = 0x12 }, "offset 11: Message.to: offset 2: wire type 2, want 0"},
		{"entry count", func(b []byte) { b[41] = 1 }, "offset 38: entry count 4294967297, want at most 1048576"},
		{"entry length", func(b []byte) { b[49] = 1 }, "offset 46: entry length 4294967307, want at most 536870903"},
		{"term of an entry", func(b []byte) { b[57] = 3 }, "offset 54: entry 5 (term 3), want 5 (term 2)"},
		{"index of an entry", func(b []byte) { b[59] = 6 }, "offset 54: entry 6 (term 2), want 5 (term 2)"},
		{"field of an entry", func(b []byte) { b[58] = 0x1a }, "offset 58: Entry.Index: offset 4: wire type 2, want 0"},
	} {
		b := bytes.Clone(doc)
		test.corrupt(b)
		_, err := readAll(t, openAppend(bytes.NewReader(b)))
		var bad *CorruptError
		if !errors.As(err, &bad) || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// What the reader below says comes through, with the place.
func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	doc := docBytes(t)
	for _, n := range []int{0, 20, 37, 45, 60, len(doc)} {
		_, err := readAll(t, openAppend(io.MultiReader(bytes.NewReader(doc[:n]), iotest.ErrReader(broken))))
		var at *ReadError
		if !errors.Is(err, broken) || !errors.As(err, &at) || at.Off != int64(n) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		_, err = readAll(t, openAppend(io.MultiReader(bytes.NewReader(doc[:n]), iotest.ErrReader(io.ErrUnexpectedEOF))))
		if !errors.Is(err, ErrTorn) {
			t.Errorf("broken connection after %d bytes: %v", n, err)
		}
	}
}

// A length is not believed before the bytes come: it costs at most about a chunk.
func TestHostileLengths(t *testing.T) {
	const long = "0000000020000000" // 512 MiB
	for _, test := range []struct {
		open     func(io.Reader) reader
		in, want string
	}{
		{openAppend, "02" + long, "torn"},
		{openAppend, "02" + "0000000020000001", "corrupt"},
		{openAppend, "02" + "ffffffffffffffff", "corrupt"},
		{openAppend, "03", "corrupt"},
		{openAppend, "01" + "0000000000100001", "corrupt"},
		{openAppend, "01" + "0000000000100000", "torn"},
		{openAppend, "01" + "0000000000000001" + long, "corrupt"},
		{openMessage, long, "torn"},
		{openMessage, "0000000020000001", "corrupt"},
		{openMessage, "8000000000000000", "corrupt"},
		{openSnapshot, "0000000004000000", "torn"},
		{openSnapshot, "0000000004000001", "corrupt"},
	} {
		b := unhex(t, test.in)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var m raftpb.Message
		err := test.open(bytes.NewReader(b)).Read(&m)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Errorf("%s: allocated %d bytes", test.in, n)
		}
		if bad := new(CorruptError); errors.As(err, &bad) != (test.want == "corrupt") || err == nil || err == io.EOF {
			t.Errorf("%s: %v, want %s", test.in, err, test.want)
		}
	}
}

// headReader reads the message before a database as if it were a stream.
type headReader struct{ r io.Reader }

func openSnapshot(r io.Reader) reader { return headReader{r} }

func (r headReader) Read(m *raftpb.Message) error { return ReadSnapshotHead(r.r, m) }
func (headReader) Offset() int64                  { return 0 }

func TestWritersRefuse(t *testing.T) {
	var out bytes.Buffer
	aw, mw := NewAppendWriter(&out, testLink, 0), NewMessageWriter(&out, 0)
	vote := raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2}
	if err := aw.Write(&vote); !errors.Is(err, ErrType) {
		t.Error("a vote is written to an append stream")
	}
	if err := WriteSnapshotHead(&out, &vote, 0); !errors.Is(err, ErrType) {
		t.Error("a vote is written before a database")
	}
	if err := WriteSnapshotHead(&out, &raftpb.Message{Type: raftpb.MsgSnap}, 0); err == nil {
		t.Error("a MsgSnap without a snapshot is written")
	}
	large := goldenAppend()
	large.Context = make([]byte, MaxMessage)
	for _, err := range []error{aw.Write(&large), mw.Write(&large)} {
		if err == nil || !strings.Contains(err.Error(), "want at most 536870912") {
			t.Errorf("a message above the limit: %v", err)
		}
	}
	if out.Len() != 0 {
		t.Errorf("%d bytes written", out.Len())
	}
	app := goldenAppend()
	if err := errors.Join(aw.Write(&app), mw.Write(&app)); err != nil {
		t.Errorf("after a refused message: %v", err)
	}
}

// After half a frame there is no other: the error stays.
func TestWriterErrorStays(t *testing.T) {
	broken := errors.New("broken")
	app := goldenAppend()
	for _, w := range []interface {
		Write(*raftpb.Message) error
	}{
		NewAppendWriter(&failOnce{err: broken}, testLink, 0), NewMessageWriter(&failOnce{err: broken}, 0),
	} {
		for range 2 {
			if err := w.Write(&app); err != broken {
				t.Errorf("%T: %v, want %v", w, err, broken)
			}
		}
	}
}

type failOnce struct{ err error }

func (w *failOnce) Write(b []byte) (n int, err error) {
	n, err, w.err = len(b)/2, w.err, nil
	return n, err
}
