package stream_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

func TestCloneSharesNothing(t *testing.T) {
	e := &stream.Event{
		Kind: stream.KindMessage, From: 1, To: 2,
		Message:  &raftpb.Message{Type: raftpb.MsgApp, Entries: []raftpb.Entry{{Data: []byte("a")}}},
		Exchange: &stream.Exchange{Path: "/raft"}, Gap: &stream.Gap{Bytes: 1},
	}
	got, want := e.Clone(), e.Clone()
	e.Message.Entries[0].Data[0] = 'b'
	e.Exchange.Path, e.Gap.Bytes = "", 2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
