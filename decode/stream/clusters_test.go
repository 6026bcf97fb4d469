package stream_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/raftpb"
)

// split returns what clusters make of messages between members, as "CLUSTER:FROM>TO", and of joins.
func split(t *testing.T, held bool, pairs ...[2]uint64) (got []string, c *stream.Clusters) {
	t.Helper()
	c = &stream.Clusters{
		Do:   func(n int, e *stream.Event) { got = append(got, fmt.Sprintf("%d:%d>%d", n, e.From, e.To)) },
		Join: func(into, from int) { got = append(got, fmt.Sprintf("%d+%d", into, from)) },
	}
	if !held {
		c.Flush()
	}
	for _, p := range pairs {
		e := &stream.Event{Kind: stream.KindMessage, From: p[0], To: p[1], Message: &raftpb.Message{}}
		if p[0] == 0 {
			e = &stream.Event{Kind: stream.KindGap, Gap: &stream.Gap{}}
		}
		c.Add(e)
	}
	c.Flush()
	return got, c
}

func TestClustersAreToldApart(t *testing.T) {
	// Who joins two groups comes last: by then it is known, where events are held.
	got, c := split(t, true, [2]uint64{1, 2}, [2]uint64{3, 4}, [2]uint64{8, 9}, [2]uint64{0, 0}, [2]uint64{4, 1})
	if len(got) == 6 && got[3] > got[4] {
		got[3], got[4] = got[4], got[3] // a gap goes to all, in any order
	}
	if diff := cmp.Diff([]string{"0:1>2", "0:3>4", "1:8>9", "0:0>0", "1:0>0", "0:4>1"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]uint64{1, 2, 3, 4}, c.Members(0)); diff != "" {
		t.Errorf("members: -want +got:\n%s", diff)
	}
}

func TestClustersJoin(t *testing.T) {
	got, _ := split(t, false, [2]uint64{1, 2}, [2]uint64{3, 4}, [2]uint64{4, 1}, [2]uint64{3, 4})
	if diff := cmp.Diff([]string{"0:1>2", "1:3>4", "0+1", "0:4>1", "0:3>4"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClustersByID(t *testing.T) {
	var got []int
	c := &stream.Clusters{Do: func(n int, _ *stream.Event) { got = append(got, n) }}
	for _, e := range []stream.Event{
		{Kind: stream.KindExchange, From: 1, Exchange: &stream.Exchange{Cluster: 7}},
		{Kind: stream.KindExchange, From: 3, Exchange: &stream.Exchange{Cluster: 7}},
		{Kind: stream.KindMessage, From: 1, To: 2, Message: &raftpb.Message{}},
		{Kind: stream.KindMessage, From: 3, To: 4, Message: &raftpb.Message{}},
	} {
		c.Add(&e)
	}
	c.Flush()
	if diff := cmp.Diff([]int{0, 0, 0, 0}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if id := c.ID(0); id != 7 {
		t.Errorf("cluster %x, want 7", id)
	}
}
