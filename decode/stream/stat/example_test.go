package stat_test

import (
	"fmt"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/stat"
	"github.com/raftctl/raftctl/raftpb"
)

// A heartbeat, and its answer after 3 ms.
func ExampleRun() {
	said := func(m raftpb.Message, at time.Time) *stream.Event {
		return &stream.Event{Kind: stream.KindMessage, Time: at, From: m.From, To: m.To, Size: 45, Message: &m}
	}
	at := time.Unix(0, 0)
	events := func(yield func(*stream.Event, error) bool) {
		_ = yield(said(raftpb.Message{Type: raftpb.MsgHeartbeat, From: 1, To: 2, Term: 2}, at), nil) &&
			yield(said(raftpb.Message{Type: raftpb.MsgHeartbeatResp, From: 2, To: 1, Term: 2}, at.Add(3*time.Millisecond)), nil)
	}
	s, err := stat.Run(events)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range s.Latencies {
		fmt.Println(l.Kind, l.Quantile(0.5))
	}
	// Output:
	// heartbeat 3ms
}
