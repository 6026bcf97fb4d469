package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raftpb"
)

// everyType returns a message of every type that goes between members, but for snapshots.
func everyType(from, to uint64) []raftpb.Message {
	g := rand.New(rand.NewPCG(1, 2))
	var list []raftpb.Message
	for typ := raftpb.MsgHup; typ <= raftpb.MsgForgetLeader; typ++ {
		if raftpb.IsLocalMsg(typ) || typ == raftpb.MsgSnap {
			continue
		}
		m := raftpb.Message{
			Type: typ, From: from, To: to, Term: g.Uint64(), LogTerm: g.Uint64(), Index: g.Uint64(), Commit: g.Uint64(),
			Reject: true, RejectHint: g.Uint64(), Context: fmt.Append(nil, "context ", g.Int()),
		}
		for range g.IntN(4) {
			e := raftpb.Entry{Type: raftpb.EntryConfChange, Term: g.Uint64(), Index: g.Uint64()}
			if g.IntN(2) == 0 {
				e.Data = make([]byte, g.IntN(300))
			}
			m.Entries = append(m.Entries, e)
		}
		list = append(list, m)
	}
	return list
}

func sortByType(list []raftpb.Message) {
	slices.SortStableFunc(list, func(a, b raftpb.Message) int { return int(a.Type) - int(b.Type) })
}

func TestEveryType(t *testing.T) {
	info := peerTLS(t)
	for _, flavor := range []raftpb.Flavor{raftpb.FlavorGogo, raftpb.FlavorPbgo} {
		a := newNodeOn(t, 1, etcdListens(), func(c *Config) { c.Flavor, c.TLS = flavor, info })
		b := newNode(t, 2, func(c *Config) { c.TLS = info })
		connect(t, a, b)
		for _, way := range [][2]*node{{a, b}, {b, a}} {
			want := everyType(way[0].id, way[1].id)
			way[0].Send(want)
			got := way[1].received(t, len(want))
			sortByType(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v: -sent +received:\n%s", flavor, diff)
			}
		}
	}
}

// Before there is a stream, and to one that only told its URLs, messages go by POST.
func TestPipeline(t *testing.T) {
	a, b := newNode(t, 1), newNode(t, 2)
	a.AddRemote(2, []string{b.server.URL})
	want := everyType(1, 2)
	a.Send(want)
	got := b.received(t, len(want))
	sortByType(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-sent +received:\n%s", diff)
	}
	// The requests told b of a's URLs.
	b.Send([]raftpb.Message{{Type: raftpb.MsgAppResp, From: 2, To: 1, Index: 7}})
	if got := a.received(t, 1); got[0].Index != 7 {
		t.Errorf("the answer is %+v", got[0])
	}
}

// A member that stops is missed, and heard of again when it has come back, at another address.
func TestMemberComesBack(t *testing.T) {
	a, b := newNode(t, 1, inHaste), newNode(t, 2, inHaste)
	connect(t, a, b)
	a.Send(appendsOf(1, 2, 3))
	b.received(t, 3)
	b.Stop()
	b.server.Close()
	eventually(t, "a misses b", func() bool { return a.ActiveSince(2).IsZero() })
	a.wait(t, "report", func() bool { return a.unreachable[2] > 0 })
	c := newNode(t, 2, inHaste)
	if err := a.SetPeer(2, []string{c.server.URL}); err != nil {
		t.Fatal(err)
	}
	connect(t, a, c)
	want := appendsOf(1, 2, 6)[3:] // the state of the stream before is forgotten
	a.Send(want)
	if i := firstDifference(want, c.received(t, 3)); i >= 0 {
		t.Errorf("message %d differs", i)
	}
	if a.ActiveSince(2).IsZero() {
		t.Error("the member is inactive")
	}
}

// What is on its way to a stranger that becomes a member isn't lost.
func TestRemoteBecomesMember(t *testing.T) {
	a, b := newNode(t, 1), newNode(t, 2)
	taken := make(chan struct{})
	b.onProcess = func(ctx context.Context, _ raftpb.Message) error {
		select {
		case <-taken:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	a.AddRemote(2, []string{b.server.URL})
	const n = pipelineMessages
	for i := range uint64(n) {
		a.Send([]raftpb.Message{{Type: raftpb.MsgAppResp, From: 1, To: 2, Index: i}})
	}
	if err := a.AddPeer(2, []string{b.server.URL}); err != nil {
		t.Fatal(err)
	}
	close(taken)
	b.received(t, n)
}

// On either stream messages keep their order, whatever their sizes.
func TestOrder(t *testing.T) {
	a, b := newNode(t, 1), newNode(t, 2)
	connect(t, a, b)
	const n = 3000
	var sent []raftpb.Message
	for i := range uint64(n) {
		sent = append(sent,
			raftpb.Message{Type: raftpb.MsgHeartbeat, From: 1, To: 2, Term: 3, Commit: i},
			raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: i, Commit: i,
				Entries: []raftpb.Entry{{Term: 3, Index: i + 1, Data: make([]byte, i%5000)}}})
	}
	a.Send(sent[:n])
	b.received(t, n)
	a.Send(sent[n:])
	got := b.received(t, 2*n)
	for _, typ := range []raftpb.MessageType{raftpb.MsgHeartbeat, raftpb.MsgApp} {
		if i := firstDifference(ofType(sent, typ), ofType(got, typ)); i >= 0 {
			t.Errorf("%v: message %d differs", typ, i)
		}
	}
}

func ofType(list []raftpb.Message, typ raftpb.MessageType) []raftpb.Message {
	return slices.DeleteFunc(slices.Clone(list), func(m raftpb.Message) bool { return m.Type != typ })
}

// firstDifference compares long lists of messages; it returns -1 if they are the same.
func firstDifference(want, got []raftpb.Message) int {
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) ||
			!bytes.Equal(want[i].Marshal(raftpb.FlavorGogo), got[i].Marshal(raftpb.FlavorGogo)) {
			return i
		}
	}
	return -1
}

// A proposal that waits for a leader keeps nothing else waiting, over streams and by POST.
func TestProposalsWait(t *testing.T) {
	for name, link := range map[string]func(a, b *node){
		"stream":   func(a, b *node) { connect(t, a, b) },
		"pipeline": func(a, b *node) { a.AddRemote(2, []string{b.server.URL}) },
	} {
		a, b := newNode(t, 1), newNode(t, 2)
		leader := make(chan struct{})
		b.onProcess = func(ctx context.Context, m raftpb.Message) error {
			if m.Type != raftpb.MsgProp {
				return nil
			}
			select {
			case <-leader:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		link(a, b)
		prop := raftpb.Message{Type: raftpb.MsgProp, From: 1, To: 2, Entries: []raftpb.Entry{{Data: []byte("x")}}}
		vote := raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2, Term: 5}
		a.Send([]raftpb.Message{prop, prop, vote})
		if got := b.received(t, 1); got[0].Type != raftpb.MsgVote {
			t.Errorf("%s: first comes %v, want MsgVote", name, got[0].Type)
		}
		close(leader)
		b.received(t, 3)
	}
}

func TestLocalMessagesAreDropped(t *testing.T) {
	a, b := newNode(t, 1), newNode(t, 2)
	connect(t, a, b)
	a.Send([]raftpb.Message{
		{Type: raftpb.MsgHup, From: 1, To: 2}, {Type: raftpb.MsgStorageAppend, From: 1, To: raftpb.LocalAppendThread},
		{Type: raftpb.MsgVote, From: 1}, {Type: raftpb.MsgVote, From: 1, To: 9}, {Type: raftpb.MsgVote, From: 1, To: 2},
	})
	if got := b.received(t, 1); got[0].Type != raftpb.MsgVote {
		t.Errorf("received %+v", got)
	}
}

func TestMembers(t *testing.T) {
	a, b, c := newNode(t, 1), newNode(t, 2), newNode(t, 3)
	connect(t, a, b, c)
	if diff := cmp.Diff([]uint64{2, 3}, a.Peers()); diff != "" {
		t.Error(diff)
	}
	if a.ActiveSince(2).IsZero() || !a.ActiveSince(9).IsZero() {
		t.Errorf("active since %v, a stranger since %v", a.ActiveSince(2), a.ActiveSince(9))
	}
	a.RemovePeer(2)
	if diff := cmp.Diff([]uint64{3}, a.Peers()); diff != "" {
		t.Error(diff)
	}
	eventually(t, "b sees that a is gone", func() bool { return b.ActiveSince(1).IsZero() })
	a.Send([]raftpb.Message{{Type: raftpb.MsgVote, From: 1, To: 2}, {Type: raftpb.MsgVote, From: 1, To: 3}})
	c.received(t, 1)
	for _, bad := range [][]string{nil, {"no URL"}, {"http://127.0.0.1"}, {"ftp://127.0.0.1:1"}} {
		if a.AddPeer(4, bad) == nil || a.SetPeer(3, bad) == nil {
			t.Errorf("%q is taken for URLs", bad)
		}
	}
	a.Stop()
	a.Stop()
	if err := a.AddPeer(5, []string{b.server.URL}); !errors.Is(err, errStopped) {
		t.Errorf("add after Stop: %v", err)
	}
	a.Send([]raftpb.Message{{Type: raftpb.MsgVote, From: 1, To: 3}})
}
