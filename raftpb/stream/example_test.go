package stream_test

import (
	"bytes"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/stream"
)

func Example() {
	var conn bytes.Buffer
	link := stream.Link{From: 1, To: 2}
	w := stream.NewAppendWriter(&conn, link, raftpb.FlavorGogo)
	beat := stream.LinkHeartbeat()
	app := raftpb.Message{Type: raftpb.MsgApp, From: 1, To: 2, Term: 3, LogTerm: 3, Index: 6, Commit: 6}
	fmt.Println(w.Write(&beat), w.Write(&app))

	r := stream.NewAppendReader(&conn, link)
	var m raftpb.Message
	for r.Read(&m) == nil {
		fmt.Println(r.Offset(), m.Type, stream.IsLinkHeartbeat(&m))
	}
	// Output:
	// <nil> <nil>
	// 1 MsgHeartbeat true
	// 30 MsgApp false
}
