package replay_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/node/kv"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/repair/replay"
	"github.com/raftctl/raftctl/snapshot/database"
	"github.com/raftctl/raftctl/wal"
)

func TestCheck(t *testing.T) {
	meta := &database.Meta{ConsistentIndex: 10, Term: 3}
	members := &database.Members{Members: []database.Member{{ID: 0xa1}}, Removed: []uint64{0xa2}}
	term := func(n uint64, ok bool) func(uint64) (uint64, bool) {
		return func(index uint64) (uint64, bool) { return n, ok && index == 10 }
	}
	for name, tc := range map[string]struct {
		log  replay.Log
		want string // of the error; empty for none
	}{
		"a member's":         {replay.Log{Members: []uint64{0xb, 0xa1}, Term: term(3, true)}, ""},
		"a removed member's": {replay.Log{Members: []uint64{0xa2}, Term: term(0, false)}, ""},
		"a stranger's":       {replay.Log{Members: []uint64{0xb}, Term: term(3, true)}, "the log names the members [b], none of which the database has"},
		"another term":       {replay.Log{Members: []uint64{0xa1}, Term: term(4, true)}, "entry 10, the last that the database has applied, is of term 3 there, and of term 4 in the log"},
	} {
		t.Run(name, func(t *testing.T) {
			err := replay.Check(meta, members, tc.log)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// newLog returns a log of puts, deletions and nothing else.
func newLog(t *testing.T, requests ...*pb.InternalRaftRequest) *history {
	t.Helper()
	h := new(history)
	for i, r := range requests {
		if r.Header == nil {
			r.Header = new(pb.RequestHeader)
		}
		r.Header.ID = uint64(i + 1)
		data, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		h.entries = append(h.entries, raftpb.Entry{Index: uint64(i + 1), Term: 1, Data: data})
	}
	return h
}

func put(key, value string) *pb.InternalRaftRequest {
	return &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}}
}

func del(key string) *pb.InternalRaftRequest {
	return &pb.InternalRaftRequest{DeleteRange: &pb.DeleteRangeRequest{Key: []byte(key)}}
}

// TestLogOfAnotherHistory replays the log of a cluster whose members have the same IDs: the keys tell.
func TestLogOfAnotherHistory(t *testing.T) {
	own := newLog(t, put("a", "1"), put("b", "2"), put("c", "3"))
	for name, tc := range map[string]struct {
		log     *history
		foreign bool
	}{
		"its own":                {own, false},
		"two of three are":       {newLog(t, put("a", "1"), put("b", "2"), put("c", "9")), false},
		"one of three is":        {newLog(t, put("x", "1"), put("b", "2"), put("c", "9")), true},
		"nothing can be told":    {newLog(t, put("x", "1"), put("y", "2"), del("y")), false},
		"other keys":             {newLog(t, put("x", "1"), put("y", "2"), put("z", "3")), true},
		"other values":           {newLog(t, put("a", "7"), put("b", "8"), put("c", "9")), true},
		"the right value before": {newLog(t, put("a", "1"), put("a", "2"), put("b", "9")), true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			if _, err := s.Apply(own.entries); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			db := openDatabase(t, dir)
			err := replay.CheckKeys(replay.Refusals{}, tc.log.from(0), db.Since(t.Context(), 1))
			if _, foreign := errors.AsType[*replay.ForeignError](err); foreign != tc.foreign || !foreign && err != nil {
				t.Errorf("error %v, want a foreign log: %v", err, tc.foreign)
			}
		})
	}
}

// TestLogOfRefusedPuts replays logs whose puts had no effect, for one reason or another: they are the
// cluster's own.
func TestLogOfRefusedPuts(t *testing.T) {
	alarm := func(action pb.AlarmRequest_AlarmAction) *pb.InternalRaftRequest {
		return &pb.InternalRaftRequest{Alarm: &pb.AlarmRequest{MemberID: 1, Action: action, Alarm: pb.AlarmType_NOSPACE}}
	}
	byUser := func(user, key string) *pb.InternalRaftRequest {
		r := put(key, "9")
		r.Header = &pb.RequestHeader{Username: user, AuthRevision: 7}
		return r
	}
	keeps := put("a", "")
	keeps.Put.IgnoreValue = true
	noLease := put("b", "9")
	noLease.Put.IgnoreLease = true
	secret := "JDJhJDA0JHh4" // never compared
	users := []*pb.InternalRaftRequest{
		{AuthUserAdd: &pb.AuthUserAddRequest{Name: "root", HashedPassword: secret}},
		{AuthRoleAdd: &pb.AuthRoleAddRequest{Name: "root"}},
		{AuthUserGrantRole: &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"}},
		{AuthUserAdd: &pb.AuthUserAddRequest{Name: "alice", HashedPassword: secret}},
		{AuthEnable: &pb.AuthEnableRequest{}},
	}
	for name, requests := range map[string][]*pb.InternalRaftRequest{
		"full":          {alarm(pb.AlarmRequest_ACTIVATE), put("a", "1"), put("b", "2")},
		"was full":      {alarm(pb.AlarmRequest_ACTIVATE), put("a", "1"), put("b", "2"), alarm(pb.AlarmRequest_DEACTIVATE)},
		"value is kept": {put("a", "1"), keeps},
		"lease is kept": {put("a", "1"), noLease, del("a")},
		"not permitted": append(users, byUser("alice", "a"), byUser("nobody", "b"), byUser("", "c")),
	} {
		t.Run(name, func(t *testing.T) {
			dir, h := t.TempDir(), newLog(t, requests...)
			s := open(t, dir)
			if _, err := s.Apply(h.entries); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			db := openDatabase(t, dir)
			users, err := db.Auth()
			if err != nil {
				t.Fatal(err)
			}
			refused := replay.Refusals{Full: name == "full", Users: users}
			if err := replay.CheckKeys(refused, h.from(0), db.Since(t.Context(), 1)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNotMoreThanIsThere stops a replay from outside, at each entry.
func TestNotMoreThanIsThere(t *testing.T) {
	h := newLog(t, put("a", "1"), put("b", "2"), put("c", "3"))
	for n := range h.entries {
		dir := t.TempDir()
		_, err := replay.Run(t.Context(), replay.Options{Dir: dir, Entries: func(yield func(wal.LiveEntry, error) bool) {
			for i := range h.entries[:n] {
				yield(wal.LiveEntry{Entry: &h.entries[i]}, nil)
			}
			yield(wal.LiveEntry{}, io.ErrUnexpectedEOF)
		}})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v, want that of reading", err)
		}
		s := open(t, dir) // which needs the lock
		if got := s.Applied().Index; got != uint64(n) {
			t.Errorf("entry %d is applied, want %d", got, n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := replay.Run(ctx, replay.Options{Dir: t.TempDir(), Entries: h.from(0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	bad := newLog(t, put("a", "1"), put("b", "2"))
	bad.entries[1].Data = []byte{0xff}
	_, err := replay.Run(t.Context(), replay.Options{Dir: t.TempDir(), Entries: bad.from(0)})
	if e, ok := errors.AsType[*kv.EntryError](err); !ok || e.ID.Index != 2 {
		t.Errorf("error %v, want one of entry 2", err)
	}
}

func TestMembersStay(t *testing.T) {
	dir := t.TempDir()
	h := newLog(t, put("a", "1"), put("b", "2"))
	cc := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: 7, Context: []byte(`{"id":7,"peerURLs":["http://a:1"]}`)}
	h.entries[1].Type, h.entries[1].Data = raftpb.EntryConfChange, cc.Marshal(raftpb.FlavorGogo)
	report, err := replay.Run(t.Context(), replay.Options{Dir: dir, Entries: h.from(0)})
	if err != nil {
		t.Fatal(err)
	}
	if report.Ignored != 1 || report.After.Applied.Index != 2 || report.After.Revision != 2 {
		t.Errorf("report %+v", report)
	}
	s := open(t, dir)
	defer func() { _ = s.Close() }()
	if got := s.Cluster().Members(); len(got) != 0 {
		t.Errorf("members %v, want none", got)
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]string{
		"end": "", "index=7": "", "revision=1": "", "term=3": "", "before-delete=/a b=c": "",
		"time=2026-11-28T21:38:26Z": "", "time=2026-11-28T21:38:26.5+01:00": "",

		"":               "want one of end, index=N",
		"end=1":          "want one of",
		"index":          "want one of",
		"index=":         "want a number from 1 on",
		"index=0":        "want a number from 1 on",
		"index=-1":       "want a number from 1 on",
		"revision=1e9":   "want a number from 1 on",
		"before-delete=": "without a key",
		"time=yesterday": "want one like",
		"frob=1":         "want one of",
	} {
		got, err := replay.ParseTarget(text)
		if want == "" {
			if diff := cmp.Diff(text, got.String()); err != nil || diff != "" {
				t.Errorf("%q: error %v, %s", text, err, diff)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}
