package recording_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/recording"
	"github.com/raftctl/raftctl/raftpb"
)

func Example() {
	parent, err := os.MkdirTemp("", "recording")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(parent)

	w, err := recording.Create(filepath.Join(parent, "talk"), recording.Metadata{Recorder: 1}, recording.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := raftpb.Message{Type: raftpb.MsgVote, From: 1, To: 2, Term: 4, LogTerm: 3, Index: 9}
	fmt.Println(w.Append(&stream.Event{
		Kind: stream.KindMessage, Time: time.Now(), From: m.From, To: m.To, Channel: stream.ChannelMessage, Message: &m,
	}))
	fmt.Println(w.Close())

	r, err := recording.Open(os.DirFS(parent), "talk")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	for e, err := range r.Events() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Pos.Off, raftpb.DescribeMessage(*e.Message, nil))
	}
	// Output:
	// <nil>
	// <nil>
	// 64 1->2 MsgVote Term:4 Log:3/9
}
