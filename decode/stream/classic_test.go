package stream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/classic"
)

// said is a message and its direction.
type said struct {
	dir stream.Direction
	m   classic.Message
}

// classicLines runs a conversation in parts of some size, and returns the events.
func classicLines(list []said, size int) (lines []string) {
	d := stream.NewDecoder(func(e *stream.Event) bool {
		line := fmt.Sprintf("%d->%d ", e.From, e.To)
		if e.Kind == stream.KindMessage {
			line += fmt.Sprintf("%d bytes: %s", e.Size, raftpb.DescribeMessage(*e.Message, nil))
		} else {
			line += fmt.Sprintf("gap of %d: %s", e.Gap.Bytes, e.Gap.Reason)
		}
		if e.Channel != stream.ChannelClassic || e.Conn != 7 || e.Time.IsZero() {
			line += " odd"
		}
		lines = append(lines, line)
		return true
	})
	c, at := d.OpenClassic(7), stream.Seen{Time: time.Unix(1, 0)}
	for _, s := range list {
		for b := s.m.AppendTo(nil); len(b) > 0; b = b[min(size, len(b)):] {
			c.Data(s.dir, b[:min(size, len(b))], at)
		}
	}
	c.Data(0, []byte{1, 0, 0}, at)
	c.End(0, at)
	c.Data(1, []byte("HTTP/1.1 200 OK"), at)
	c.Data(1, []byte("more"), at)
	c.Lost(1, 9, at)
	c.End(1, at)
	return lines
}

func TestClassic(t *testing.T) {
	list := []said{
		{0, &classic.RequestVote{Term: 5, CandidateID: 2, LastLogIndex: 8, LastLogTerm: 4}},
		{1, &classic.RequestVoteResponse{Term: 5, VoteGranted: true}},
		{0, &classic.AppendEntries{Term: 5, LeaderID: 2, PrevLogIndex: 8, PrevLogTerm: 4, Seq: 1, Entries: []classic.Entry{{Term: 5, Data: []byte("x")}}}},
		{1, &classic.AppendEntriesResponse{Term: 5, FollowerID: 3, LogIndex: 9, Success: true, Ack: 1}},
		{0, &classic.AppendEntries{Term: -5, LeaderID: 2}},
		{1, &classic.RequestVoteResponse{Term: 6}},
	}
	want := []string{
		"2->0 24 bytes: 2->None MsgVote Term:5 Log:4/8",
		"0->2 13 bytes: None->2 MsgVoteResp Term:5 Log:0/0",
		`2->0 45 bytes: 2->None MsgApp Term:5 Log:4/8 Entries:[5/9 EntryNormal "x"]`,
		"3->2 29 bytes: 3->2 MsgAppResp Term:5 Log:0/9",
		"2->3 gap of 36: APPENDENTRIES_REQUEST: term -5, want 0 or more",
		"3->2 13 bytes: 3->2 MsgVoteResp Term:6 Log:0/0 Rejected (Hint: 0)",
		"2->3 gap of 3: the connection ends within a message",
		"3->2 gap of 15: offset 0: type 1347703880, want 1 to 4",
	}
	for _, size := range []int{1, 5, 1000} {
		if diff := cmp.Diff(want, classicLines(list, size)); diff != "" {
			t.Errorf("in parts of %d: -want +got:\n%s", size, diff)
		}
	}
}
