package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/raftpb"
)

// parseAll parses all of b as it grows a byte at a time, and checks what need promises.
func parseAll(t testing.TB, b []byte, parse func([]byte, *raftpb.Message) (int, int, error)) (list []raftpb.Message, err error) {
	t.Helper()
	for from, to, least := 0, 0, 0; from < len(b); {
		if to++; to > len(b) {
			return list, errTail
		}
		var m raftpb.Message
		n, need, err := parse(b[from:to], &m)
		switch {
		case err != nil:
			return list, err
		case n == 0 && need <= to-from:
			t.Fatalf("need %d, and there were %d", need, to-from)
		case n == 0:
			least = max(least, need)
		case n > to-from || to-from < least:
			t.Fatalf("a frame of %d bytes in %d, of which %d were needed", n, to-from, least)
		default:
			list = append(list, *m.Clone())
			from, to, least = from+n, from+n, 0
		}
	}
	return list, nil
}

var errTail = errors.New("the frame isn't whole")

// What is parsed of a stream is what is read of it.
func TestParsersAgreeWithReaders(t *testing.T) {
	second := goldenAppend()
	second.Index, second.Entries[0].Index = 7, 8
	odd := second
	odd.Context = []byte("odd")
	list := []raftpb.Message{goldenAppend(), second, LinkHeartbeat(), {Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 8, Commit: 8}, odd}
	for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		b := appendBytes(t, f, list)
		want, _ := readAll(t, NewAppendReader(bytes.NewReader(b), testLink))
		p := AppendParser{Link: testLink}
		got, err := parseAll(t, b, p.Parse)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("append stream, %v: %v\n%s", f, err, diff)
		}
		b = messageBytes(t, f, append(list, goldenBeat()))
		want, _ = readAll(t, NewMessageReader(bytes.NewReader(b)))
		got, err = parseAll(t, b, new(MessageParser).Parse)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("message stream, %v: %v\n%s", f, err, diff)
		}
	}
}

// A parser that joins learns the state from the first entries.
func TestParserJoins(t *testing.T) {
	second, commit := goldenAppend(), raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 8, Commit: 8}
	second.Index, second.Entries[0].Index = 7, 8
	w := newFrameList(t, []raftpb.Message{goldenAppend(), second, commit})
	p := AppendParser{Link: testLink}
	p.Join()
	for i, want := range []raftpb.Message{{Type: raftpb.MsgApp, From: 1, To: 2, Commit: 8}, second, commit} {
		var m raftpb.Message
		if _, _, err := p.Parse(w[[]int{2, 1, 2}[i]], &m); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, m, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("frame %d: %s", i, diff)
		}
	}
	if id, known := p.State(); !known || id != (raftpb.EntryID{Term: 3, Index: 8}) {
		t.Errorf("state %v, %v", id, known)
	}
}

// newFrameList returns the frames of an append stream.
func newFrameList(t *testing.T, list []raftpb.Message) (frames [][]byte) {
	t.Helper()
	var out bytes.Buffer
	w := NewAppendWriter(&out, testLink, raftpb.FlavorGogo)
	for i := range list {
		if err := w.Write(&list[i]); err != nil {
			t.Fatal(err)
		}
		frames = append(frames, bytes.Clone(out.Bytes()))
		out.Reset()
	}
	return frames
}

// False lengths are refused before anybody waits for them.
func TestParserBounds(t *testing.T) {
	long := binary.BigEndian.AppendUint64(nil, 101)
	for name, b := range map[string][]byte{
		"message length": long,
		"frame type":     {3},
		"entry count":    append([]byte{1}, 0, 0, 0, 0, 0, 0x10, 0, 1),
		"entry length":   append(append([]byte{1}, binary.BigEndian.AppendUint64(nil, 1)...), long...),
		"complete frame": append([]byte{2}, long...),
	} {
		var m raftpb.Message
		p := AppendParser{Limit: 100}
		parse := p.Parse
		if name == "message length" {
			parse = (&MessageParser{Limit: 100}).Parse
		}
		n, _, err := parse(b, &m)
		if corrupt := new(CorruptError); !errors.As(err, &corrupt) || n != 0 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// FuzzParser compares parsing with reading.
func FuzzParser(f *testing.F) {
	second := goldenAppend()
	second.Index, second.Entries[0].Index = 7, 8
	f.Add(appendBytes(f, raftpb.FlavorGogo, []raftpb.Message{goldenAppend(), second, LinkHeartbeat()}), true)
	f.Add(messageBytes(f, raftpb.FlavorPbgo, []raftpb.Message{goldenBeat(), goldenAppend()}), false)
	f.Fuzz(func(t *testing.T, b []byte, isAppend bool) {
		var want, got []raftpb.Message
		var wantErr, gotErr error
		if isAppend {
			want, wantErr = readAll(t, NewAppendReader(bytes.NewReader(b), testLink))
			got, gotErr = parseAll(t, b, (&AppendParser{Link: testLink}).Parse)
		} else {
			want, wantErr = readAll(t, NewMessageReader(bytes.NewReader(b)))
			got, gotErr = parseAll(t, b, new(MessageParser).Parse)
		}
		var corrupt *CorruptError
		isCorrupt := errors.As(gotErr, &corrupt)
		// A reader refuses a frame that isn't whole yet as soon as it can; a parser waits for it.
		agree := isCorrupt == errors.As(wantErr, &corrupt) || errors.Is(gotErr, errTail)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || !agree {
			t.Errorf("read %v, parsed %v\n%s", wantErr, gotErr, diff)
		}
	})
}
