package stream

import (
	"bytes"
	"encoding/hex"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// golden are frames of a message stream as real etcds wrote them.
var golden = []struct {
	name   string
	frame  string // the length, then the message
	want   raftpb.Message
	flavor raftpb.Flavor
	odd    bool // written in a way that is neither flavour's
}{
	{
		name: "link heartbeat of 3.5", want: LinkHeartbeat(), odd: true,
		frame: "000000000000001e" + "080810001800200028003000" + "40004a0a12080a0228001000180050005800",
	},
	{
		name: "link heartbeat of 3.6", want: LinkHeartbeat(),
		frame: "0000000000000014" + "0808100018002000280030004000500058006800",
	},
	{
		name: "link heartbeat of 3.7", want: LinkHeartbeat(), flavor: raftpb.FlavorPbgo,
		frame: "0000000000000002" + "0808",
	},
	{
		name: "message without fields of 3.7", flavor: raftpb.FlavorPbgo, odd: true,
		frame: "0000000000000000",
	},
	{
		name: "heartbeat of 3.6", want: goldenBeat(),
		frame: "000000000000001e" + "080810021801200328003000400750005800620801020304050607086800",
	},
	{
		name: "heartbeat of 3.7", want: goldenBeat(), flavor: raftpb.FlavorPbgo,
		frame: "0000000000000014" + "0808100218012003400762080102030405060708",
	},
	{
		name: "append of 3.6", want: goldenAppend(),
		frame: "0000000000000021" + "0803100218012003280330063a0b0800100318072203666f6f4006500058006800",
	},
	{
		name: "append of 3.7", want: goldenAppend(), flavor: raftpb.FlavorPbgo,
		frame: "0000000000000019" + "0803100218012003280330063a09100318072203666f6f4006",
	},
}

func goldenBeat() raftpb.Message {
	return raftpb.Message{
		Type: raftpb.MsgHeartbeat, To: 2, From: 1, Term: 3, Commit: 7, Context: []byte{1, 2, 3, 4, 5, 6, 7, 8},
	}
}

func goldenAppend() raftpb.Message {
	return raftpb.Message{
		Type: raftpb.MsgApp, To: 2, From: 1, Term: 3, LogTerm: 3, Index: 6, Commit: 6,
		Entries: []raftpb.Entry{{Term: 3, Index: 7, Data: []byte("foo")}},
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenMessages(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			b := unhex(t, g.frame)
			got, err := readAll(t, NewMessageReader(bytes.NewReader(b)))
			if err != io.EOF {
				t.Fatal(err)
			}
			// Of 3.5 there is an empty snapshot on every message.
			if g.odd && len(got) == 1 && got[0].Snapshot.IsEmpty() {
				got[0].Snapshot = nil
			}
			if diff := cmp.Diff([]raftpb.Message{g.want}, got); diff != "" {
				t.Error(diff)
			}
			var out bytes.Buffer
			if err := NewMessageWriter(&out, g.flavor).Write(&g.want); err != nil {
				t.Fatal(err)
			}
			if !g.odd && !bytes.Equal(out.Bytes(), b) {
				t.Errorf("wrote\n%x, want\n%x", out.Bytes(), b)
			}
		})
	}
}

func TestGoldenAppendFrames(t *testing.T) {
	complete := goldenAppend()
	short := goldenAppend()
	short.Index, short.Entries[0].Index, short.Commit = 7, 8, 7
	commit := raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 8, Commit: 8}
	for f, dump := range map[raftpb.Flavor]string{
		raftpb.FlavorGogo: "02" + golden[6].frame +
			"01" + "0000000000000001" + "000000000000000b" + "0800100318082203666f6f" + "0000000000000007",
		raftpb.FlavorPbgo: "02" + golden[7].frame +
			"01" + "0000000000000001" + "0000000000000009" + "100318082203666f6f" + "0000000000000007",
	} {
		b := unhex(t, dump+"01"+"0000000000000000"+"0000000000000008"+"00")
		want := []raftpb.Message{complete, short, commit, LinkHeartbeat()}
		got, err := readAll(t, NewAppendReader(bytes.NewReader(b), testLink))
		if err != io.EOF {
			t.Fatalf("%v: %v", f, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", f, diff)
		}
		if out := appendBytes(t, f, want); !bytes.Equal(out, b) {
			t.Errorf("%v: wrote\n%x, want\n%x", f, out, b)
		}
	}
}

// A short frame tells the link and the state only; what differs from these needs a complete one.
func TestCompleteFrames(t *testing.T) {
	for name, change := range map[string]func(*raftpb.Message){
		"another sender":         func(m *raftpb.Message) { m.From = 9 },
		"another receiver":       func(m *raftpb.Message) { m.To = 9 },
		"another index":          func(m *raftpb.Message) { m.Index--; m.Entries = nil },
		"another term":           func(m *raftpb.Message) { m.Term++ },
		"another term of index":  func(m *raftpb.Message) { m.LogTerm-- },
		"entries of two terms":   func(m *raftpb.Message) { m.Entries[0].Term-- },
		"entries with a gap":     func(m *raftpb.Message) { m.Entries[0].Index++ },
		"a context":              func(m *raftpb.Message) { m.Context = []byte{} },
		"a snapshot":             func(m *raftpb.Message) { m.Snapshot = &raftpb.Snapshot{} },
		"a vote":                 func(m *raftpb.Message) { m.Vote = 1 },
		"a rejection":            func(m *raftpb.Message) { m.Reject = true },
		"a hint":                 func(m *raftpb.Message) { m.RejectHint = 1 },
		"messages after storage": func(m *raftpb.Message) { m.Responses = []raftpb.Message{{To: 1}} },
	} {
		t.Run(name, func(t *testing.T) {
			second := goldenAppend()
			second.Index, second.Entries[0].Index = 7, 8
			change(&second)
			want := []raftpb.Message{goldenAppend(), second}
			got, err := readAll(t, NewAppendReader(bytes.NewReader(appendBytes(t, raftpb.FlavorGogo, want)), testLink))
			if err != io.EOF {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// appendBytes is an append stream of messages.
func appendBytes(t testing.TB, f raftpb.Flavor, list []raftpb.Message) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewAppendWriter(&out, testLink, f)
	for i := range list {
		if err := w.Write(&list[i]); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	return out.Bytes()
}

// messageBytes is a message stream of messages.
func messageBytes(t testing.TB, f raftpb.Flavor, list []raftpb.Message) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewMessageWriter(&out, f)
	for i := range list {
		if err := w.Write(&list[i]); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	return out.Bytes()
}
