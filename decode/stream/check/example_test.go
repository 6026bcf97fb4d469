package check_test

import (
	"fmt"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/raftpb"
)

// Two members say that they lead in term 2.
func ExampleRun() {
	heartbeat := func(from uint64) *stream.Event {
		return &stream.Event{
			Kind: stream.KindMessage, From: from, To: 2,
			Message: &raftpb.Message{Type: raftpb.MsgHeartbeat, From: from, To: 2, Term: 2},
		}
	}
	events := func(yield func(*stream.Event, error) bool) {
		_ = yield(heartbeat(1), nil) && yield(heartbeat(3), nil)
	}
	rep, err := check.Run(events, check.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rep.Verdict)
	for _, r := range rep.Rules {
		for _, v := range r.Violations {
			fmt.Printf("%s: %s\n", r.Name, v.Found)
		}
	}
	// Output:
	// problem
	// leader_per_term: member 3 leads in term 2, and so does 1
}
