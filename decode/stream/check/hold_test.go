package check_test

import (
	"slices"
	"testing"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
)

// asCaptured makes a script into the events of a capture: one each 10 ms, each direction a connection of its own.
func asCaptured(t *testing.T, text string) (list []*stream.Event) {
	t.Helper()
	begin := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for e, err := range script(t, text) {
		if err != nil {
			t.Fatal(err)
		}
		e.Time = begin.Add(time.Duration(e.Pos.Off) * 10 * time.Millisecond)
		e.Pos.Source, e.Pos.Packet, e.Conn = "capture", e.Pos.Off, e.From<<8|e.To
		list = append(list, e)
	}
	return list
}

// What looks like violations in a capture of which packets are missing, or in another order, is none; what is one in a whole
// capture is.
func TestCaptures(t *testing.T) {
	ack := elected + "2>1 AppResp 2 index 5\n"
	for name, c := range map[string]struct {
		text  string
		moves int // how many events ahead the last one is in the capture
		rule  check.Name
		want  verdict.Verdict
	}{
		"an acknowledgement of nothing":             {ack, 0, check.AckBeyond, verdict.Problem},
		"a gap that is told later":                  {ack + "gap 1>2", 0, check.AckBeyond, verdict.Unchecked},
		"a gap of another direction":                {elected + "2>3 VoteResp 2 reject\n2>1 AppResp 2 index 5\ngap 2>3\n1>2 Heartbeat 2 commit 4", 0, check.AckBeyond, verdict.Problem},
		"a gap of who knows whom":                   {ack + "gap", 0, check.AckBeyond, verdict.Unchecked},
		"a gap before the last one of a connection": {ack + "gap 1>3", 0, check.CommitQuorum, verdict.OK},
		"in another order": {
			elected + "1>2 App 2 at 2/4 has 2/5 commit 4\n2>1 AppResp 2 index 5", 1, check.AckBeyond, verdict.OK},
		"a commit that is told before a gap among the answers": {
			elected + "1>2 App 2 at 2/4 has 2/5 commit 4\n1>2 App 2 at 2/5 commit 5\ngap 2>1\n2>1 AppResp 2 index 6", 0,
			check.CommitQuorum, verdict.Unchecked},
		"what the end hides": {
			elected + "gap 3>1\n1>2 App 2 at 2/4 has 2/5 commit 4\n1>2 App 2 at 2/5 commit 5", 0, check.CommitQuorum, verdict.Unchecked},
	} {
		t.Run(name, func(t *testing.T) {
			list := asCaptured(t, c.text)
			last := len(list) - 1
			moved := slices.Insert(list[:last:last], last-c.moves, list[last])
			members := voters(1, 2, 3)
			k := check.New(check.Options{Members: &members})
			for _, e := range moved {
				k.Add(e)
			}
			if r := find(t, k.Report(), c.rule); r.Verdict != c.want {
				t.Errorf("verdict %s, want %s: %+v", r.Verdict, c.want, r)
			}
		})
	}
}
