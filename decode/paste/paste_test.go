package paste

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/classic"
	wire "github.com/raftctl/raftctl/raftpb/stream"
	"github.com/raftctl/raftctl/wal"
)

var (
	testMessage = raftpb.Message{
		Type: raftpb.MsgApp, To: 0x8e9e05c52164694d, From: 2, Term: 3, LogTerm: 3, Index: 6, Commit: 6,
		Entries: []raftpb.Entry{{Term: 3, Index: 7, Data: []byte("foo")}},
	}
	testSnapshot = raftpb.Snapshot{
		Data: []byte("{}"), Metadata: raftpb.SnapshotMetadata{Index: 7, Term: 2, ConfState: raftpb.ConfState{Voters: []uint64{1}}},
	}
)

// samples are values of each kind that is a message of protobuf.
func samples() map[Kind]coder {
	return map[Kind]coder{
		KindMessage:      &testMessage,
		KindEntry:        &raftpb.Entry{Term: 3, Index: 7, Data: []byte("foo")},
		KindHardState:    &raftpb.HardState{Term: 5, Vote: 0x8e9e05c52164694d, Commit: 99},
		KindConfChange:   &raftpb.ConfChange{ID: 0x1122334455667788, NodeID: 0x8e9e05c52164694d, Context: []byte(`{"id":1}`)},
		KindConfChangeV2: &raftpb.ConfChangeV2{Changes: []raftpb.ConfChangeSingle{{NodeID: 1}, {NodeID: 2}}},
		KindConfState:    &raftpb.ConfState{Voters: []uint64{1, 2, 3}},
		KindSnapshot:     &testSnapshot,
	}
}

// The first candidate is what the bytes were made from, in both flavours.
func TestCandidates(t *testing.T) {
	for kind, v := range samples() {
		for _, f := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
			b := v.Marshal(f)
			got := Candidates(b)
			if len(got) == 0 || got[0].Kind != kind || !got[0].Exact || got[0].Rest != 0 {
				t.Errorf("%s as %x: %+v", kind, b, got)
			}
		}
	}
	got := Candidates(testMessage.Marshal(raftpb.FlavorGogo))
	if diff := cmp.Diff([]raftpb.Message{testMessage}, got[0].Messages); diff != "" || len(got) != 1 {
		t.Errorf("%d candidates, -want +got:\n%s", len(got), diff)
	}
}

// What several types have the same bytes for is told as all of them.
func TestAmbiguous(t *testing.T) {
	b := (&raftpb.HardState{Term: 2, Vote: 1, Commit: 7}).Marshal(raftpb.FlavorGogo)
	var kinds []Kind
	for _, c := range Candidates(b) {
		kinds = append(kinds, c.Kind)
	}
	if diff := cmp.Diff([]Kind{KindEntry, KindHardState, KindConfChange}, kinds); diff != "" {
		t.Errorf("%x: -want +got:\n%s", b, diff)
	}
	for _, nothing := range []string{"", "x", "\xff\xff\xff", "hello world", "\x08"} {
		if got := Candidates([]byte(nothing)); got != nil {
			t.Errorf("%q: %+v", nothing, got)
		}
	}
}

func messageStream(t *testing.T, list ...raftpb.Message) []byte {
	t.Helper()
	var b bytes.Buffer
	w := wire.NewMessageWriter(&b, raftpb.FlavorGogo)
	for i := range list {
		if err := w.Write(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestFramed(t *testing.T) {
	beat := wire.LinkHeartbeat()
	general := messageStream(t, beat, testMessage, beat)
	var appended, head bytes.Buffer
	w := wire.NewAppendWriter(&appended, wire.Link{From: 2, To: 1}, raftpb.FlavorGogo)
	for range 2 {
		if err := w.Write(&testMessage); err != nil {
			t.Fatal(err)
		}
	}
	snap := raftpb.Message{Type: raftpb.MsgSnap, To: 1, From: 2, Term: 4, Snapshot: &testSnapshot}
	if err := wire.WriteSnapshotHead(&head, &snap, raftpb.FlavorGogo); err != nil {
		t.Fatal(err)
	}
	rec := wal.Record{Kind: wal.KindState, CRC: 7, Data: samples()[KindHardState].Marshal(raftpb.FlavorGogo)}
	http := fmt.Sprintf("POST /raft HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", len(testMessage.Marshal(0)), testMessage.Marshal(0))
	ask := &classic.RequestVote{Term: 5, CandidateID: 2, LastLogIndex: 8, LastLogTerm: 4}
	for name, tc := range map[string]struct {
		b        []byte
		kind     Kind
		messages int
		rest     int
	}{
		"message stream":         {general, KindMessageStream, 3, 0},
		"message stream, torn":   {general[:len(general)-5], KindMessageStream, 2, 23},
		"append stream":          {appended.Bytes(), KindAppendStream, 2, 0},
		"append stream, torn":    {appended.Bytes()[:appended.Len()-1], KindAppendStream, 1, appended.Len()/2 - 1},
		"a heartbeat of appends": {[]byte{0}, KindAppendStream, 1, 0},
		"snapshot head":          {append(head.Bytes(), "a database"...), KindSnapshotHead, 1, 10},
		"record":                 {rec.AppendFrame(nil), KindRecord, 0, 0},
		"two records":            {rec.AppendFrame(rec.AppendFrame(nil)), KindRecord, 0, int(len(rec.AppendFrame(nil)))},
		"classic":                {append(ask.AppendTo(nil), ask.AppendTo(nil)...), KindClassicStream, 2, 0},
		"classic, torn":          {append(ask.AppendTo(nil), 1, 0), KindClassicStream, 1, 2},
		"request":                {[]byte(http), KindHTTP, 1, 0},
	} {
		got := Candidates(tc.b)
		if len(got) != 1 || got[0].Kind != tc.kind || len(got[0].Messages) != tc.messages || got[0].Rest != tc.rest {
			t.Errorf("%s: %+v, want a %s of %d messages, %d bytes left", name, got, tc.kind, tc.messages, tc.rest)
		}
		if tc.kind == KindRecord && (got[0].Record.Within == nil || got[0].Record.Within.HardState.Commit != 99) {
			t.Errorf("%s: %+v", name, got[0].Record)
		}
	}
}

// Each way to write bytes down is read.
func TestRead(t *testing.T) {
	b := testMessage.Marshal(raftpb.FlavorGogo)
	digits := hex.EncodeToString(b)
	var spaced, listed, escaped []string
	for _, c := range b {
		spaced = append(spaced, fmt.Sprintf("%02X", c))
		listed = append(listed, fmt.Sprintf("0x%02x", c))
		escaped = append(escaped, fmt.Sprintf(`\x%02x`, c))
	}
	var xxd strings.Builder
	for i := 0; i < len(b); i += 16 {
		fmt.Fprintf(&xxd, "%08x:", i)
		for j := i; j < min(i+16, len(b)); j += 2 {
			fmt.Fprintf(&xxd, " %x", b[j:min(j+2, len(b))])
		}
		fmt.Fprintf(&xxd, "  some text...\n")
	}
	for name, tc := range map[string]struct {
		text string
		form Form
	}{
		"hex":            {digits, FormHex},
		"with a prefix":  {"0x" + digits + "\n", FormHex},
		"spaced":         {strings.Join(spaced, " "), FormHex},
		"with colons":    {strings.Join(spaced, ":"), FormHex},
		"a list":         {"[]byte{" + strings.Join(listed, ", ") + "}", FormHex},
		"hexdump -C":     {hex.Dump(b), FormDump},
		"xxd":            {xxd.String(), FormDump},
		"base64":         {base64.StdEncoding.EncodeToString(b), FormBase64},
		"base64 of URLs": {base64.RawURLEncoding.EncodeToString(b), FormBase64},
		"quoted":         {strconv.Quote(string(b)), FormQuoted},
		"escapes":        {strings.Join(escaped, ""), FormQuoted},
		"raw":            {string(b), FormRaw},
	} {
		all, err := Read([]byte(tc.text))
		if err != nil || all[0].Form != tc.form || !bytes.Equal(all[0].Bytes, b) {
			t.Errorf("%s: %v, %v\n%s", name, all, err, tc.text)
		}
	}
	for _, text := range []string{"", "what is this?", "0x0", "==="} {
		if all, err := Read([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, all)
		}
	}
}

// Nothing that is pasted makes it panic, and what is exact is encoded as it was.
func FuzzCandidates(f *testing.F) {
	for _, v := range samples() {
		f.Add([]byte(hex.EncodeToString(v.Marshal(raftpb.FlavorGogo))))
	}
	f.Add(testMessage.Marshal(raftpb.FlavorPbgo))
	f.Add([]byte("GET /raft/stream/msgapp/1 HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, pasted []byte) {
		all, _ := Read(pasted)
		for _, r := range all {
			for _, c := range Candidates(r.Bytes) {
				if c.Rest < 0 || c.Rest >= len(r.Bytes) && len(r.Bytes) > 0 {
					t.Errorf("%x: %d bytes left", r.Bytes, c.Rest)
				}
				if c.Kind != KindEntry || !c.Exact {
					continue
				}
				if !bytes.Equal(c.Entry.Marshal(raftpb.FlavorGogo), r.Bytes) && !bytes.Equal(c.Entry.Marshal(raftpb.FlavorPbgo), r.Bytes) {
					t.Errorf("%x: not the entry %v", r.Bytes, c.Entry)
				}
			}
		}
	})
}
