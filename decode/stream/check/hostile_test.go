package check_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/raftpb"
)

// hostile yields n messages whose numbers are near each other, or as large as can be.
func hostile(r *rand.Rand, n int) stream.Events {
	number := func() uint64 {
		if r.IntN(20) == 0 {
			return math.MaxUint64 - r.Uint64N(3)
		}
		return r.Uint64N(6)
	}
	return func(yield func(*stream.Event, error) bool) {
		for range n {
			m := &raftpb.Message{
				Type: raftpb.MessageType(r.IntN(26) - 1), From: number(), To: number(), Term: number(), LogTerm: number(),
				Index: number(), Commit: number(), Reject: r.IntN(4) == 0, Context: make([]byte, r.IntN(3)),
			}
			for range r.IntN(4) {
				m.Entries = append(m.Entries, raftpb.Entry{
					Type: raftpb.EntryType(r.IntN(4)), Term: number(), Index: number(), Data: []byte{byte(r.IntN(3))},
				})
			}
			if r.IntN(3) == 0 {
				m.Snapshot = &raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{
					Index: number(), Term: number(), ConfState: voters(number(), number(), number()),
				}}
			}
			e := &stream.Event{Kind: stream.Kind(r.IntN(6)), Channel: stream.ChannelMemory, From: m.From, To: m.To, Message: m}
			if r.IntN(10) == 0 {
				e.Message = nil
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Nothing that is said makes the check panic or go on for ever.
func TestHostileMessages(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		members := voters(1, 2, 3)
		o := check.Options{Window: 1 + r.IntN(50)}
		if r.IntN(2) == 0 {
			o.Members = &members
		}
		rep, err := check.Run(hostile(r, 300), o)
		if err != nil || len(rep.Rules) != len(check.Rules()) {
			t.Fatalf("seed %d: %d rules, %v", seed, len(rep.Rules), err)
		}
	}
}
