package tla_test

import (
	"fmt"
	"os"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/tla"
	"github.com/raftctl/raftctl/raftpb"
)

func Example() {
	t := tla.New(tla.Options{})
	m := raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2, Term: 1}
	t.Add(&stream.Event{Kind: stream.KindMessage, From: m.From, To: m.To, Message: &m})

	sum, err := t.Write(os.Stdout)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sum.Messages-sum.LeftOut, "explained")
	// Output:
	// {"tag":"trace","n":1000000001,"event":{"name":"InitState","nid":"1","state":{"term":0,"vote":"0","commit":0},"role":"StateFollower","log":0,"conf":[["1","2"],[]]}}
	// {"tag":"trace","n":1000000002,"event":{"name":"Ready","nid":"1","state":{"term":0,"vote":"0","commit":0},"role":"StateFollower","log":0,"conf":[["1","2"],[]]}}
	// {"tag":"trace","n":1000000003,"event":{"name":"InitState","nid":"2","state":{"term":0,"vote":"0","commit":0},"role":"StateFollower","log":0,"conf":[["1","2"],[]]}}
	// {"tag":"trace","n":1000000004,"event":{"name":"Ready","nid":"2","state":{"term":0,"vote":"0","commit":0},"role":"StateFollower","log":0,"conf":[["1","2"],[]]}}
	// {"tag":"trace","n":1000000005,"event":{"name":"BecomeCandidate","nid":"1","state":{"term":1,"vote":"1","commit":0},"role":"StateCandidate","log":0,"conf":[["1","2"],[]]}}
	// {"tag":"trace","n":1000000006,"event":{"name":"SendRequestVoteResponse","nid":"1","state":{"term":1,"vote":"1","commit":0},"role":"StateCandidate","log":0,"conf":[["1","2"],[]],"msg":{"type":"MsgVoteResp","term":1,"from":"1","to":"1","entries":0,"logTerm":0,"index":0,"commit":0,"vote":"0","reject":false,"rejectHint":0}}}
	// {"tag":"trace","n":1000000007,"event":{"name":"Ready","nid":"1","state":{"term":1,"vote":"1","commit":0},"role":"StateCandidate","log":0,"conf":[["1","2"],[]]}}
	// {"tag":"trace","n":1000000008,"event":{"name":"ReceiveRequestVoteResponse","nid":"1","state":{"term":1,"vote":"1","commit":0},"role":"StateCandidate","log":0,"conf":[["1","2"],[]],"msg":{"type":"MsgVoteResp","term":1,"from":"1","to":"1","entries":0,"logTerm":0,"index":0,"commit":0,"vote":"0","reject":false,"rejectHint":0}}}
	// {"tag":"trace","n":1000000009,"event":{"name":"SendRequestVoteRequest","nid":"1","state":{"term":1,"vote":"1","commit":0},"role":"StateCandidate","log":0,"conf":[["1","2"],[]],"msg":{"type":"MsgVote","term":1,"from":"1","to":"2","entries":0,"logTerm":0,"index":0,"commit":0,"vote":"0","reject":false,"rejectHint":0}}}
	// 1 explained
}
