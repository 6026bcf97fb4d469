package capture_test

import (
	"fmt"
	"log"
	"os"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
	"github.com/raftctl/raftctl/raftpb"
)

func Example() {
	f, err := os.Open("../../../testdata/peers-3.6.pcap.zst")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	c, err := capture.Open(f, capture.Options{Source: f.Name()})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for e, err := range c.Events() {
		if err != nil {
			log.Fatal(err)
		}
		if e.Kind == stream.KindMessage && e.Message.Type == raftpb.MsgVoteResp && !e.Message.Reject {
			fmt.Printf("%x votes for %x in term %d\n", e.From, e.To, e.Message.Term)
		}
	}
	// Output:
	// afd61f670049012f votes for 994a4abbcf014652 in term 2
	// 994a4abbcf014652 votes for afd61f670049012f in term 3
	// b6feb53f77565fd6 votes for afd61f670049012f in term 3
}
