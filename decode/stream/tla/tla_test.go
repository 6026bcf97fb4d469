package tla

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/raftpb"
)

// example returns the trace that etcd's raft wrote of itself and that its authors publish.
func example(t *testing.T) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "go.etcd.io/raft/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "tla", "example.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What etcd's raft wrote of itself is a run of the specification, as this package has it.
func TestExample(t *testing.T) {
	if err := replay(example(t)); err != nil {
		t.Error(err)
	}
}

// One that isn't is found out.
func TestReplayRefuses(t *testing.T) {
	lines := strings.SplitAfter(string(example(t)), "\n")
	for name, tc := range map[string]struct {
		line     string // the first that has this
		old, new string
	}{
		"another term":          {`"BecomeCandidate"`, `"term":2`, `"term":3`},
		"another last index":    {`"type":"MsgVote"`, `"index":5`, `"index":6`},
		"a refusal":             {`"ReceiveRequestVoteResponse"`, `"reject":false`, `"reject":true`},
		"no candidate":          {`"BecomeCandidate"`, `"BecomeCandidate"`, `"Ready"`},
		"no leader":             {`"BecomeLeader"`, `"BecomeLeader"`, `"Ready"`},
		"commits less":          {`"name":"Commit","nid":"2","state":{"term":2,"vote":"2","commit":6}`, `"commit":6`, `"commit":5`},
		"commits more":          {`"name":"Commit","nid":"2","state":{"term":2,"vote":"2","commit":6}`, `"commit":6`, `"commit":7`},
		"an entry less":         {`"Replicate"`, `"Replicate"`, `"Ready"`},
		"acknowledges less":     {`"ReceiveAppendEntriesResponse"`, `"index":6`, `"index":5`},
		"sends more":            {`"type":"MsgApp",`, `"entries":1`, `"entries":2`},
		"a heartbeat's commit":  {`"type":"MsgHeartbeat",`, `"commit":0,"vote":"0"`, `"commit":5,"vote":"0"`},
		"nothing is on its way": {`"name":"Ready","nid":"2","state":{"term":2,"vote":"2","commit":5},"role":"StateCandidate"`, `"Ready"`, `"ReduceNextIndex"`},
		"removes another":       {`"RemoveServer"`, `"nid":"1","action"`, `"nid":"5","action"`},
	} {
		changed, at := append([]string(nil), lines...), -1
		for i, l := range lines {
			if strings.Contains(l, tc.line) && strings.Contains(l, tc.old) {
				at = i
			}
			if at >= 0 {
				break
			}
		}
		if at < 0 {
			t.Errorf("%s: no such line", name)
			continue
		}
		changed[at] = strings.Replace(lines[at], tc.old, tc.new, 1)
		if err := replay([]byte(strings.Join(changed, ""))); err == nil {
			t.Errorf("%s: %s is followed", name, strings.TrimSpace(changed[at]))
		}
	}
}

// The messages of the example are explained by a run of the specification.
func TestExplainsExample(t *testing.T) {
	tr := New(Options{Members: &raftpb.ConfState{Voters: []uint64{1, 2, 3, 4, 5}}})
	changes := map[uint64]raftpb.ConfChange{} // by index
	for l := range strings.Lines(string(example(t))) {
		e := eventOfLine(t, l, changes)
		tr.Add(e)
	}
	checkTrace(t, tr, 25) // of a network in which messages overtake each other, and come twice
}

// checkTrace checks that a trace is a run of the specification, and how many messages it leaves out. It returns the trace.
func checkTrace(t *testing.T, tr *Trace, leftOut int64) []byte {
	t.Helper()
	var b bytes.Buffer
	sum, err := tr.Write(&b)
	if err != nil {
		t.Fatal(err)
	}
	if sum.LeftOut != leftOut {
		t.Errorf("%d of %d messages are left out, want %d: %v: %s", sum.LeftOut, sum.Messages, leftOut, sum.First, sum.Why)
	}
	if err := replay(b.Bytes()); err != nil {
		t.Error(err)
	}
	t.Logf("%+v", *sum)
	return b.Bytes()
}

// eventOfLine returns the message that a line of a trace tells to be sent, with as many entries.
func eventOfLine(t *testing.T, text string, changes map[uint64]raftpb.ConfChange) *stream.Event {
	t.Helper()
	var l line
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	e := &stream.Event{}
	m := l.Event.Msg
	if l.Event.Name == changeConf {
		c := l.Event.Prop.CC.Changes[0]
		types := map[string]raftpb.ConfChangeType{addServer: raftpb.ConfChangeAddNode, removeServer: raftpb.ConfChangeRemoveNode}
		changes[l.Event.Log+1] = raftpb.ConfChange{Type: types[c.Action], NodeID: number(c.NID)}
	}
	if m == nil || !strings.HasPrefix(l.Event.Name, "Send") {
		return e
	}
	typ := raftpb.MsgHup
	for typ.String() != m.Type {
		typ++
	}
	msg := &raftpb.Message{
		Type: typ, From: number(m.From), To: number(m.To), Term: m.Term, LogTerm: m.LogTerm, Index: m.Index, Commit: m.Commit,
		Reject: m.Reject, RejectHint: m.RejectHint,
	}
	for i := range m.Entries {
		entry := raftpb.Entry{Term: m.Term, Index: m.Index + uint64(i) + 1}
		if entry.Index <= 5 {
			entry.Term = 1
		}
		if c, ok := changes[entry.Index]; ok {
			entry.Type, entry.Data = raftpb.EntryConfChange, c.Marshal(raftpb.FlavorGogo)
		}
		msg.Entries = append(msg.Entries, entry)
	}
	return &stream.Event{Kind: stream.KindMessage, From: msg.From, To: msg.To, Message: msg}
}

// What members of etcd said from the beginning of their cluster on is a run of the specification.
func TestCaptures(t *testing.T) {
	for _, release := range []string{"3.5", "3.6", "3.7"} {
		tr := New(Options{})
		for e, err := range captured(t, release) {
			if err != nil {
				t.Fatal(err)
			}
			tr.Add(e)
		}
		golden(t, "peers-"+release+".ndjson", checkTrace(t, tr, 0))
	}
}

// captured returns the messages of a capture.
func captured(t *testing.T, release string) stream.Events {
	t.Helper()
	f, err := os.Open("../../../testdata/peers-" + release + ".pcap.zst")
	if err != nil {
		t.Fatal(err)
	}
	c, err := capture.Open(f, capture.Options{Source: "peers-" + release})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), f.Close() }) // opened for reading
	return c.Events()
}

// A recording of the simulator, in which messages are lost and overtake each other, is explained but for those few that came so.
func TestSimulator(t *testing.T) {
	r, err := recording.Open(os.DirFS("testdata"), "seed-25.rec.zst")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }() // opened for reading
	tr := New(Options{})
	for e, err := range r.Events() {
		if err != nil {
			t.Fatal(err)
		}
		tr.Add(e)
	}
	golden(t, "seed-25.ndjson", checkTrace(t, tr, 11))
}

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares the first lines of a trace with a file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	const lines = 60
	got = []byte(strings.Join(slices.Collect(take(strings.Lines(string(got)), lines)), ""))
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got:\n%s", name, diff)
	}
}

func take(seq iter.Seq[string], n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range seq {
			if n--; n < 0 || !yield(s) {
				return
			}
		}
	}
}

// small is an election, an entry, a new member, and what can't be.
func small() []raftpb.Message {
	add := raftpb.ConfChange{Type: raftpb.ConfChangeAddLearnerNode, NodeID: 4}
	promote := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: 4}
	entry := func(index uint64, c *raftpb.ConfChange) []raftpb.Entry {
		e := raftpb.Entry{Term: 2, Index: index}
		if c != nil {
			e.Type, e.Data = raftpb.EntryConfChange, c.Marshal(raftpb.FlavorPbgo)
		}
		return []raftpb.Entry{e}
	}
	m := func(t raftpb.MessageType, from, to, logTerm, index, commit uint64, e []raftpb.Entry) raftpb.Message {
		return raftpb.Message{Type: t, From: from, To: to, Term: 2, LogTerm: logTerm, Index: index, Commit: commit, Entries: e}
	}
	return []raftpb.Message{
		m(raftpb.MsgVote, 1, 2, 1, 3, 0, nil), m(raftpb.MsgVote, 1, 3, 1, 3, 0, nil),
		m(raftpb.MsgVoteResp, 2, 1, 0, 0, 0, nil),
		m(raftpb.MsgApp, 1, 2, 1, 3, 3, entry(4, nil)), m(raftpb.MsgApp, 1, 3, 1, 3, 3, entry(4, nil)),
		m(raftpb.MsgAppResp, 2, 1, 0, 4, 0, nil),
		m(raftpb.MsgApp, 1, 2, 2, 4, 4, entry(5, &add)),
		m(raftpb.MsgAppResp, 2, 1, 0, 5, 0, nil),
		m(raftpb.MsgHeartbeat, 1, 3, 0, 0, 0, nil), // which has acknowledged nothing
		m(raftpb.MsgApp, 1, 4, 1, 3, 5, append(entry(4, nil), entry(5, &add)...)),
		m(raftpb.MsgApp, 1, 2, 2, 5, 5, entry(6, &promote)),
		m(raftpb.MsgAppResp, 2, 1, 0, 6, 0, nil),
		m(raftpb.MsgApp, 1, 2, 2, 6, 6, nil),
		m(raftpb.MsgAppResp, 3, 1, 0, 9, 0, nil),   // of what nobody has
		m(raftpb.MsgHeartbeat, 2, 1, 0, 0, 4, nil), // of a second leader
	}
}

func TestSmall(t *testing.T) {
	tr := New(Options{})
	for _, m := range small() {
		tr.Add(&stream.Event{Kind: stream.KindMessage, From: m.From, To: m.To, Message: &m})
	}
	golden(t, "small.ndjson", checkTrace(t, tr, 2))
}

// Whatever members say, what is written is a run of the specification.
func TestHostile(t *testing.T) {
	types := []raftpb.MessageType{raftpb.MsgVote, raftpb.MsgVoteResp, raftpb.MsgApp, raftpb.MsgAppResp, raftpb.MsgHeartbeat, raftpb.MsgSnap}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		some := func() uint64 {
			if r.IntN(40) == 0 {
				return ^uint64(0) - r.Uint64N(3)
			}
			return r.Uint64N(6)
		}
		tr := New(Options{})
		for range 200 {
			m := raftpb.Message{
				Type: types[r.IntN(len(types))], Term: some(), Index: some(), LogTerm: some(), Commit: some(), Reject: r.IntN(4) == 0,
				Snapshot: &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: some()}},
			}
			for i := range r.Uint64N(3) {
				m.Entries = append(m.Entries, raftpb.Entry{Term: some(), Index: m.Index + 1 + i, Type: raftpb.EntryType(r.IntN(3)), Data: []byte{0x10, byte(r.IntN(4)), 0x18, byte(r.IntN(5))}})
			}
			tr.Add(&stream.Event{Kind: stream.KindMessage, From: some()%5 + 1, To: some()%5 + 1, Message: &m})
		}
		var b bytes.Buffer
		if _, err := tr.Write(&b); err != nil {
			t.Fatal(err)
		}
		if err := replay(b.Bytes()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	tr := New(Options{})
	for id := range uint64(100) {
		tr.Add(&stream.Event{Kind: stream.KindMessage, From: id + 1, To: id + 2, Message: &raftpb.Message{Type: raftpb.MsgHeartbeat, Term: 1}})
	}
	if _, err := tr.Write(io.Discard); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
}

// A trace that doesn't begin with the cluster says so.
func TestMidway(t *testing.T) {
	tr := New(Options{})
	tr.Add(&stream.Event{Kind: stream.KindMessage, From: 1, To: 2, Message: &raftpb.Message{Type: raftpb.MsgVote, Term: 9, LogTerm: 8, Index: 1 << 40}})
	sum, err := tr.Write(io.Discard)
	if err != nil || !sum.Midway || sum.LeftOut != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}
