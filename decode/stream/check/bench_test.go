package check_test

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/raftpb"
)

// steady yields n messages of a leader at work: entries, acknowledgements, heartbeats and their answers.
func steady(n int) stream.Events {
	data := make([]byte, 256)
	entry := []raftpb.Entry{{Term: 2, Data: data}}
	var m raftpb.Message
	e := stream.Event{Kind: stream.KindMessage, Channel: stream.ChannelMessage, Conn: 1, Size: 300, Message: &m}
	return func(yield func(*stream.Event, error) bool) {
		for i := range n {
			index, to := uint64(i/8+2), uint64(i%2+2)
			switch i % 8 {
			case 0, 1:
				entry[0].Index = index
				binary.LittleEndian.PutUint64(data, index)
				m = raftpb.Message{Type: raftpb.MsgApp, From: 1, To: to, Term: 2, LogTerm: 2, Index: index - 1, Commit: index - 1,
					Entries: entry}
			case 2, 3:
				m = raftpb.Message{Type: raftpb.MsgAppResp, From: to, To: 1, Term: 2, Index: index}
			case 4, 5:
				m = raftpb.Message{Type: raftpb.MsgHeartbeat, From: 1, To: to, Term: 2, Commit: index}
			default:
				m = raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: to, To: 1, Term: 2}
			}
			e.From, e.To = m.From, m.To
			if !yield(&e, nil) {
				return
			}
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	members := voters(1, 2, 3)
	b.ReportAllocs()
	rep, err := check.Run(steady(b.N), check.Options{Members: &members})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rep.Rules {
		if len(r.Violations) > 0 {
			b.Fatal(r.Violations[0].Found)
		}
	}
}

// Ten times the messages take no more memory.
func TestMemoryIsBounded(t *testing.T) {
	members := voters(1, 2, 3)
	held := func(n int) int64 {
		c := check.New(check.Options{Members: &members, Window: 1 << 10})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for e, err := range steady(n) {
			if err != nil {
				t.Fatal(err)
			}
			c.Add(e)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(c)
		return int64(after.HeapAlloc) - int64(before.HeapAlloc)
	}
	few, many := held(50_000), held(500_000)
	if many > few+few/2+1<<20 {
		t.Errorf("%d bytes are held after 50000 messages, %d after 500000", few, many)
	}
}
