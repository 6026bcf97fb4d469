package classic

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

// part is a field of a golden message, as hex.
type part struct{ field, hex string }

type golden struct {
	message Message
	parts   []part
}

// goldens are a message of each type, with what each of its bytes is.
func goldens() map[string]golden {
	return map[string]golden{
		"request vote": {
			&RequestVote{Term: 5, CandidateID: 2, LastLogIndex: 258, LastLogTerm: 4},
			[]part{
				{"type", "01000000"}, {"payload_size", "10000000"},
				{"term", "05000000"}, {"candidate_id", "02000000"}, {"last_log_index", "02010000"}, {"last_log_term", "04000000"},
			},
		},
		"request vote response": {
			&RequestVoteResponse{Term: 5, VoteGranted: true},
			[]part{{"type", "02000000"}, {"payload_size", "05000000"}, {"term", "05000000"}, {"vote_granted", "01"}},
		},
		"append entries": {
			&AppendEntries{
				Term: 5, LeaderID: 2, PrevLogIndex: 6, PrevLogTerm: 4, LeaderCommit: 3, Seq: 0x01020304,
				Entries: []Entry{{Term: 4, Data: []byte("ab")}, {Term: 5, Data: []byte{}}},
			},
			[]part{
				{"type", "03000000"}, {"payload_size", "2e000000"},
				{"term", "05000000"}, {"leader_id", "02000000"}, {"prev_log_index", "06000000"}, {"prev_log_term", "04000000"},
				{"leader_commit", "03000000"}, {"seq", "04030201"}, {"entry count", "02000000"},
				{"term of the entry", "04000000"}, {"length", "02000000"}, {"data", "6162"},
				{"term of the entry", "05000000"}, {"length", "00000000"},
			},
		},
		"heartbeat": {
			&AppendEntries{Term: -1, LeaderID: 7},
			[]part{
				{"type", "03000000"}, {"payload_size", "1c000000"},
				{"term", "ffffffff"}, {"leader_id", "07000000"}, {"prev_log_index", "00000000"}, {"prev_log_term", "00000000"},
				{"leader_commit", "00000000"}, {"seq", "00000000"}, {"entry count", "00000000"},
			},
		},
		"append entries response": {
			&AppendEntriesResponse{Term: 5, FollowerID: 3, LogIndex: 8, Success: true, FollowerCommit: 6, Ack: 0x01020304},
			[]part{
				{"type", "04000000"}, {"payload_size", "15000000"},
				{"term", "05000000"}, {"follower_id", "03000000"}, {"log_index", "08000000"}, {"success", "01"},
				{"follower_commit", "06000000"}, {"ack", "04030201"},
			},
		},
	}
}

func (g *golden) bytes(t testing.TB) (b []byte) {
	t.Helper()
	for _, p := range g.parts {
		field, err := hex.DecodeString(p.hex)
		if err != nil {
			t.Fatalf("%s: %v", p.field, err)
		}
		b = append(b, field...)
	}
	return b
}

func TestGolden(t *testing.T) {
	for name, g := range goldens() {
		want := g.bytes(t)
		if got := g.message.AppendTo([]byte("before"))[6:]; !bytes.Equal(got, want) {
			t.Errorf("%s: wrote\n%x, want\n%x", name, got, want)
		}
		m, n, _, err := Parse(append(bytes.Clone(want), "behind"...))
		if diff := cmp.Diff(g.message, m, cmpopts.EquateEmpty()); diff != "" || n != len(want) || err != nil {
			t.Errorf("%s: read %d bytes of %d, %v, -want +got:\n%s", name, n, len(want), err, diff)
		}
	}
}

// The message that the documentation shows is one.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	digits := ""
	for _, m := range regexp.MustCompile(`(?m)^//\t([0-9a-f]{2} [0-9a-f]{2}[0-9a-f ]*) {3,}\S`).FindAllStringSubmatch(string(doc), -1) {
		digits += strings.ReplaceAll(m[1], " ", "")
	}
	want := &AppendEntries{
		Term: 4, LeaderID: 1, PrevLogIndex: 6, PrevLogTerm: 3, LeaderCommit: 6, Seq: 9, Entries: []Entry{{4, []byte("foo")}},
	}
	if got := hex.EncodeToString(want.AppendTo(nil)); got != digits {
		t.Errorf("the documentation shows\n%s, want\n%s", digits, got)
	}
}

// What is wrong is told with the place and what was wanted.
func TestCorrupt(t *testing.T) {
	for name, tc := range map[string]struct {
		of      string
		corrupt func(b []byte) []byte
		want    string
	}{
		"type 0":           {"request vote", put(0, 0), "offset 0: type 0, want 1 to 4"},
		"type 5":           {"request vote", put(0, 5), "offset 0: type 5, want 1 to 4"},
		"a larger type":    {"request vote", put(2, 1), "offset 0: type 65537, want 1 to 4"},
		"size too small":   {"request vote", put(4, 15), "offset 4: payload size 15 of REQUESTVOTE_REQUEST, want 16"},
		"size too large":   {"request vote response", put(4, 6), "offset 4: payload size 6 of REQUESTVOTE_RESPONSE, want 5"},
		"less than fixed":  {"append entries", put(4, 27), "offset 4: payload size 27 of APPENDENTRIES_REQUEST, want 28 to 67108864"},
		"hostile size":     {"append entries", put(7, 0x7f), "offset 4: payload size 2130706478 of APPENDENTRIES_REQUEST, want 28 to 67108864"},
		"grant 2":          {"request vote response", put(12, 2), "offset 12: vote_granted 2, want 0 or 1"},
		"success 255":      {"append entries response", put(20, 255), "offset 20: success 255, want 0 or 1"},
		"hostile count":    {"append entries", put(35, 0xff), "offset 32: entry count 4278190082, want at most 2 in 18 bytes"},
		"one too many":     {"append entries", put(32, 3), "offset 32: entry count 3, want at most 2 in 18 bytes"},
		"one too few":      {"append entries", put(32, 1), "offset 46: 8 bytes behind the last field of APPENDENTRIES_REQUEST, want none"},
		"entry too long":   {"append entries", put(50, 1), "offset 50: entry length 1, want at most 0"},
		"first too long":   {"append entries", put(40, 3), "offset 47: 7 bytes are left for an entry, want 8 or more"},
		"hostile length":   {"append entries", put(43, 0xff), "offset 40: entry length 4278190082, want at most 10"},
		"none, and a rest": {"append entries", put(32, 0), "offset 36: 18 bytes behind the last field of APPENDENTRIES_REQUEST, want none"},
	} {
		g := goldens()[tc.of]
		b := tc.corrupt(g.bytes(t))
		_, _, _, err := Parse(b)
		if err == nil || err.Error() != tc.want || !errors.As(err, new(*stream.CorruptError)) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		r := NewReader(bytes.NewReader(append(g.bytes(t), b...)))
		if _, err := r.Read(); err != nil {
			t.Errorf("%s: the message before it: %v", name, err)
		}
		_, err = r.Read()
		bad, ok := errors.AsType[*stream.CorruptError](err)
		if _, again := r.Read(); !ok || again != err || bad.Off < int64(len(b)) {
			t.Errorf("%s: %v, and then %v", name, err, again)
		}
	}
}

func put(off int, v byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b[off] = v
		return b
	}
}

// A stream that is cut off anywhere gives all whole messages, and tells where the cut is.
func TestEveryPrefix(t *testing.T) {
	for name, g := range goldens() {
		one := g.bytes(t)
		two := append(bytes.Clone(one), one...)
		for n := range len(two) + 1 {
			r := NewReader(iotest.OneByteReader(bytes.NewReader(two[:n])))
			whole := 0
			var err error
			for ; err == nil; whole++ {
				_, err = r.Read()
			}
			whole--
			cut, torn := errors.AsType[*stream.ReadError](err)
			switch {
			case whole != n/len(one):
				t.Errorf("%s, %d bytes: %d messages", name, n, whole)
			case n%len(one) == 0 && err != io.EOF:
				t.Errorf("%s, %d bytes: %v, want EOF", name, n, err)
			case n%len(one) != 0 && (!torn || !errors.Is(err, stream.ErrTorn) || cut.Off != int64(n) || cut.Frame != int64(whole*len(one))):
				t.Errorf("%s, %d bytes: %v", name, n, err)
			}
			if _, size, need, err := Parse(two[:n]); n < len(one) && (err != nil || size != 0 || need <= n) {
				t.Errorf("%s, %d bytes: %d, %d more, %v", name, n, size, need, err)
			}
		}
	}
}

// Whatever byte is another, it is read as another message, or refused within the message.
func TestEveryFlippedByte(t *testing.T) {
	for name, g := range goldens() {
		b := g.bytes(t)
		for off := range b {
			for bit := range 8 {
				b[off] ^= 1 << bit
				m, n, need, err := Parse(b)
				bad, corrupt := errors.AsType[*stream.CorruptError](err)
				switch {
				case corrupt && (bad.Off < 0 || bad.Off > int64(len(b))):
					t.Errorf("%s, offset %d: %v", name, off, err)
				case err == nil && n == 0 && need <= len(b):
					t.Errorf("%s, offset %d: needs %d bytes, and has them", name, off, need)
				case n > 0 && !bytes.Equal(m.AppendTo(nil), b):
					t.Errorf("%s, offset %d: read as %+v", name, off, m)
				}
				b[off] ^= 1 << bit
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, g := range goldens() {
		f.Add(g.bytes(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, n, _, err := Parse(b)
		if err != nil || n == 0 {
			return
		}
		if got := m.AppendTo(nil); !bytes.Equal(got, b[:n]) {
			t.Errorf("%x is written as %x", b[:n], got)
		}
		same, err := NewReader(bytes.NewReader(b)).Read()
		if diff := cmp.Diff(m, same, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%x: %v, -parsed +read:\n%s", b, err, diff)
		}
		raft, err := ToRaft(m, Link{From: 1, To: 2})
		if err != nil || raft.Index+uint64(len(raft.Entries)) > 1<<31-1 {
			return
		}
		back, err := FromRaft(&raft)
		if diff := cmp.Diff(m, back, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%x: %v, -before +after raft.proto:\n%s", b, err, diff)
		}
	})
}

// A message is the same again when it comes back from being one of raft.proto.
func TestToRaft(t *testing.T) {
	for name, g := range goldens() {
		m, err := ToRaft(g.message, Link{From: 3, To: 4})
		if name == "heartbeat" {
			if err == nil || err.Error() != "term -1, want 0 or more" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		back, err2 := FromRaft(&m)
		if diff := cmp.Diff(g.message, back, cmpopts.EquateEmpty()); diff != "" || err != nil || err2 != nil {
			t.Errorf("%s: %v, %v, -want +got:\n%s", name, err, err2, diff)
		}
	}
	got, err := ToRaft(goldens()["append entries"].message, Link{From: 3, To: 4})
	want := raftpb.Message{
		Type: raftpb.MsgApp, From: 2, To: 4, Term: 5, Index: 6, LogTerm: 4, Commit: 3, Context: []byte{4, 3, 2, 1},
		Entries: []raftpb.Entry{{Term: 4, Index: 7, Data: []byte("ab")}, {Term: 5, Index: 8, Data: []byte{}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	refused, err := ToRaft(&AppendEntriesResponse{Term: 5, FollowerID: 3, LogIndex: 8}, Link{To: 2})
	if !refused.Reject || refused.RejectHint != 8 || refused.From != 3 || refused.To != 2 || err != nil {
		t.Errorf("%+v, %v", refused, err)
	}
}

func TestFromRaftRefuses(t *testing.T) {
	for want, m := range map[string]raftpb.Message{
		"message of type MsgProp, want MsgVote":           {Type: raftpb.MsgProp},
		"term 2147483648, want at most 2147483647":        {Type: raftpb.MsgVote, Term: 1 << 31},
		"from 9223372036854775808, want":                  {Type: raftpb.MsgApp, From: 1 << 63},
		"entry 9, want 8":                                 {Type: raftpb.MsgApp, Index: 7, Entries: []raftpb.Entry{{Index: 9}}},
		"entry 1 of type EntryConfChange, want":           {Type: raftpb.MsgApp, Entries: []raftpb.Entry{{Index: 1, Type: raftpb.EntryConfChange}}},
		"context of 3 bytes, want 4 or none":              {Type: raftpb.MsgAppResp, Context: []byte("abc")},
		"payload size 67108901, want at most 67108864":    {Type: raftpb.MsgApp, Entries: []raftpb.Entry{{Index: 1, Data: make([]byte, MaxPayload+1)}}},
		"term of an entry 4294967296, want at most 21474": {Type: raftpb.MsgApp, Entries: []raftpb.Entry{{Index: 1, Term: 1 << 32}}},
	} {
		if out, err := FromRaft(&m); out != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, %v, want %s", out, err, want)
		}
	}
}
