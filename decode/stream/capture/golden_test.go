package capture_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/capture"
)

// What real clusters of each release said is told in full, and always the same.
func TestGolden(t *testing.T) {
	for release, want := range map[string]map[string]int{
		"3.5": {
			"MsgApp": 36, "MsgAppResp": 34, "MsgHeartbeat": 58, "MsgHeartbeatResp": 58, "MsgPreVote": 2,
			"MsgPreVoteResp": 2, "MsgProp": 6, "MsgReadIndex": 2, "MsgReadIndexResp": 2, "MsgVote": 2,
			"MsgVoteResp": 2, "bytes": 445861, "entries": 32, "message 0": 6, "message 200": 6, "msgapp 0": 6,
			"msgapp 200": 6, "peer 0": 8, "peer 200": 8,
		},
		"3.6": {
			"MsgApp": 85, "MsgAppResp": 77, "MsgHeartbeat": 110, "MsgHeartbeatResp": 110, "MsgPreVote": 4,
			"MsgPreVoteResp": 4, "MsgProp": 12, "MsgReadIndex": 2, "MsgReadIndexResp": 2, "MsgTimeoutNow": 1,
			"MsgVote": 6, "MsgVoteResp": 6, "bytes": 508059, "entries": 58, "message 0": 6, "message 200": 6,
			"msgapp 0": 6, "msgapp 200": 6, "peer 0": 10, "peer 200": 10,
		},
		"3.7": {
			"MsgApp": 41, "MsgAppResp": 38, "MsgHeartbeat": 50, "MsgHeartbeatResp": 50, "MsgPreVote": 4,
			"MsgPreVoteResp": 4, "MsgProp": 6, "MsgReadIndex": 2, "MsgReadIndexResp": 2, "MsgVote": 2,
			"MsgVoteResp": 2, "bytes": 495584, "entries": 32, "message 0": 6, "message 200": 6, "msgapp 0": 6,
			"msgapp 200": 6, "peer 0": 8, "peer 200": 8,
		},
	} {
		f, err := os.Open("../../../testdata/peers-" + release + ".pcap.zst")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		c, err := capture.Open(f, capture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for e, err := range c.Events() {
			if err != nil {
				t.Fatal(err)
			}
			switch e.Kind {
			case stream.KindMessage:
				got[e.Message.Type.String()]++
				got["entries"] += len(e.Message.Entries)
				got["bytes"] += int(e.Size)
			case stream.KindExchange:
				got[fmt.Sprint(e.Channel, " ", e.Exchange.Status)]++
			default:
				got[fmt.Sprint("kind ", e.Kind)]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", release, diff)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
