package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// script makes events of lines, each of which is a message:
//
//	1>2 App 2 at 1/3 has 2/4 has 2/5=data commit 3
//
// is a MsgApp of term 2 from member 1 to 2. The offset of an event is the number of its line.
func script(t *testing.T, text string) stream.Events {
	t.Helper()
	return func(yield func(*stream.Event, error) bool) {
		for i, line := range lines(text) {
			e := parse(t, line)
			e.Pos.Off = int64(i + 1)
			if !yield(e, nil) {
				return
			}
		}
	}
}

// lines returns the lines of a script, without blanks around them.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// parse makes an event of a line.
func parse(t *testing.T, line string) *stream.Event {
	t.Helper()
	words := strings.Fields(line)
	e := &stream.Event{Kind: stream.KindMessage, Channel: stream.ChannelMessage, Conn: 1}
	if words[0] == "gap" {
		e.Kind, e.Gap = stream.KindGap, &stream.Gap{Bytes: 1, Reason: "test"}
		if len(words) > 1 {
			scan(t, words[1], "%d>%d", &e.From, &e.To)
		}
		return e
	}
	m := &raftpb.Message{}
	e.Message = m
	scan(t, words[0], "%d>%d", &m.From, &m.To)
	e.From, e.To = m.From, m.To
	m.Type = typeOf(t, words[1])
	words = words[2:]
	if len(words) > 0 && words[0] >= "0" && words[0] <= "999" {
		scan(t, words[0], "%d", &m.Term)
		words = words[1:]
	}
	for len(words) > 0 {
		words = words[field(t, m, words):]
	}
	return e
}

// field sets what the first words say, and returns how many they are.
func field(t *testing.T, m *raftpb.Message, words []string) int {
	t.Helper()
	if words[0] == "reject" {
		m.Reject = true
		return 1
	}
	value := words[1]
	switch words[0] {
	case "at":
		scan(t, value, "%d/%d", &m.LogTerm, &m.Index)
	case "index":
		scan(t, value, "%d", &m.Index)
	case "commit":
		scan(t, value, "%d", &m.Commit)
	case "context":
		m.Context = []byte(value)
	case "read":
		m.Entries = []raftpb.Entry{{Data: []byte(value)}}
	case "snap":
		m.Snapshot = &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{ConfState: voters(1, 2, 3)}}
		scan(t, value, "%d/%d", &m.Snapshot.Metadata.Term, &m.Snapshot.Metadata.Index)
	case "has", "changes":
		m.Entries = append(m.Entries, entry(t, words[0], value))
	default:
		t.Fatalf("unknown word %q", words[0])
	}
	return 2
}

// entry makes an entry of 2/5=data; of 2/5=v4, one that changes the membership.
func entry(t *testing.T, kind, value string) (e raftpb.Entry) {
	t.Helper()
	id, data, _ := strings.Cut(value, "=")
	scan(t, id, "%d/%d", &e.Term, &e.Index)
	e.Data = []byte(data)
	if kind == "changes" {
		changes, err := raftpb.ConfChangesFromString(strings.ReplaceAll(data, ",", " "))
		if err != nil {
			t.Fatal(err)
		}
		cc := raftpb.ConfChangeV2{Changes: changes}
		e.Type, e.Data = raftpb.EntryConfChangeV2, cc.Marshal(raftpb.FlavorPbgo)
	}
	return e
}

func scan(t *testing.T, text, format string, to ...any) {
	t.Helper()
	if _, err := fmt.Sscanf(text, format, to...); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
}

func typeOf(t *testing.T, name string) raftpb.MessageType {
	t.Helper()
	for x := raftpb.MsgHup; x <= raftpb.MsgForgetLeader; x++ {
		if x.String() == "Msg"+name {
			return x
		}
	}
	t.Fatalf("unknown type %q", name)
	return 0
}

func voters(ids ...uint64) raftpb.ConfState { return raftpb.ConfState{Voters: ids} }
