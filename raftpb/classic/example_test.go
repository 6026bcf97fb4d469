package classic_test

import (
	"bytes"
	"fmt"

	"github.com/raftctl/raftctl/raftpb"
	"github.com/raftctl/raftctl/raftpb/classic"
)

func Example() {
	ask := classic.RequestVote{Term: 5, CandidateID: 2, LastLogIndex: 8, LastLogTerm: 4}
	conn := bytes.NewReader(ask.AppendTo(nil))

	m, err := classic.NewReader(conn).Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	same, err := classic.ToRaft(m, classic.Link{To: 3})
	fmt.Println(m.Type(), raftpb.DescribeMessage(same, nil), err)
	// Output: REQUESTVOTE_REQUEST 2->3 MsgVote Term:5 Log:4/8 <nil>
}
