package decode

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/raftctl/raftctl/internal/corpus"
	"github.com/raftctl/raftctl/raftpb"
)

// tallyOf counts requests, at index 1 and so on.
func tallyOf(t *testing.T, top int, data ...[]byte) *Tally {
	t.Helper()
	tally := &Tally{Top: top}
	var r Request
	for i, d := range data {
		if err := Payload(&r, normal(d)); err != nil {
			t.Fatal(err)
		}
		tally.Add(raftpb.EntryID{Term: 2, Index: uint64(i + 1)}, &r)
	}
	return tally
}

func putRequest(t *testing.T, key, value string) []byte {
	return marshal(t, &pb.InternalRaftRequest{Put: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}})
}

func TestTally(t *testing.T) {
	put := putRequest(t, "/a/x", "12345")
	large := putRequest(t, "/a/y", strings.Repeat("v", 1000))
	txn := marshal(t, kubernetesDelete("/b/z"))
	list := marshal(t, &pb.InternalRaftRequest{Range: &pb.RangeRequest{Key: []byte("/a/x")}})
	tally := tallyOf(t, 2, put, put, large, txn, list, v2Put("/1/c", "v2"), nil)

	n := func(b []byte) int64 { return int64(len(b)) }
	wantOps := []OpCount{
		{"put", 3, 2*n(put) + n(large)}, {"v2_put", 1, n(v2Put("/1/c", "v2"))}, {"txn", 1, n(txn)},
		{"range", 1, n(list)}, {"empty", 1, 0},
	}
	if diff := cmp.Diff(wantOps, tally.Ops()); diff != "" {
		t.Errorf("operations (-want +got)\n%s", diff)
	}
	wantLargest := []LargeEntry{
		{raftpb.EntryID{Term: 2, Index: 3}, n(large), "put", `put /a/y 1000 B "` + strings.Repeat("v", summaryValue) + `…"`},
		{raftpb.EntryID{Term: 2, Index: 6}, n(v2Put("/1/c", "v2")), "v2_put", "v2_put /1/c 2 B v2"},
	}
	if diff := cmp.Diff(wantLargest, tally.Largest()); diff != "" {
		t.Errorf("largest (-want +got)\n%s", diff)
	}
	prefixes, estimated := tally.Prefixes()
	wantPrefixes := []PrefixCount{{"/a/", 3, 1010}, {"/1/", 1, 2}}
	if diff := cmp.Diff(wantPrefixes, prefixes); diff != "" || estimated {
		t.Errorf("prefixes (-want +got), estimated: %t\n%s", estimated, diff)
	}
	total := int64(0)
	for i, c := range tally.Sizes() {
		if total += c.Entries; i > 1 && c.Below != 2*c.From {
			t.Errorf("class %+v", c)
		}
	}
	if first := tally.Sizes()[0]; total != 7 || first != (SizeClass{0, 1, 1}) {
		t.Errorf("%d entries in all classes, the first %+v", total, first)
	}
}

// Deletes within a transaction are writes of that prefix, which is how Kubernetes deletes.
func TestTallyCountsWhatIsInTransactions(t *testing.T) {
	prefixes, _ := tallyOf(t, 9, marshal(t, kubernetesDelete("/registry/pods/a"))).Prefixes()
	if diff := cmp.Diff([]PrefixCount{{"/registry/pods/", 1, 0}}, prefixes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTallyOfNothing(t *testing.T) {
	var tally Tally
	prefixes, estimated := tally.Prefixes()
	if len(tally.Ops())+len(tally.Largest())+len(prefixes)+len(tally.Sizes()) != 0 || estimated {
		t.Error("something was counted")
	}
	one := tallyOf(t, 0, putRequest(t, "a", "b"))
	if prefixes, _ := one.Prefixes(); len(one.Largest())+len(prefixes) != 0 || len(one.Ops()) != 1 {
		t.Error("Top is 0: operations only are wanted")
	}
}

// The largest entries are those that sorting all of a real log finds.
func TestTallyLargest(t *testing.T) {
	l := corpus.Logs(t)[0]
	tally := Tally{Top: 7}
	var sizes []int64
	var r Request
	for e := range entriesOf(t, l) {
		if err := Payload(&r, e); err != nil {
			t.Fatal(err)
		}
		tally.Add(e.ID(), &r)
		sizes = append(sizes, int64(r.Size))
	}
	largest := tally.Largest()
	for i, e := range largest {
		larger := 0
		for _, size := range sizes {
			if size > e.Size {
				larger++
			}
		}
		if larger > i || i > 0 && largest[i-1].Size < e.Size {
			t.Errorf("number %d has %d bytes, but %d entries have more", i, e.Size, larger)
		}
	}
	if len(largest) != tally.Top {
		t.Errorf("%d entries, want %d", len(largest), tally.Top)
	}
}

// However many prefixes there are, frequent ones are found, and no count is too low.
func TestTallyEstimates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h Prefixes
	truth := map[string]int64{}
	for range 200_000 {
		key := fmt.Sprintf("rare/%d/", rng.IntN(100_000))
		if rng.IntN(4) == 0 {
			key = fmt.Sprintf("often/%d/", rng.IntN(5))
		}
		h.Add([]byte(key), 1)
		truth[key]++
	}
	if !h.full || len(h.counts) > maxHits {
		t.Errorf("%d keys counted, full: %t", len(h.counts), h.full)
	}
	often, _ := h.Top(5)
	for i, p := range often {
		if !strings.HasPrefix(p.Prefix, "often/") || p.Writes != truth[p.Prefix] {
			t.Errorf("number %d is %+v, seen %d times", i, p, truth[p.Prefix])
		}
	}
	all, _ := h.Top(maxHits)
	for _, p := range all {
		if p.Writes < truth[p.Prefix] || p.Bytes > truth[p.Prefix] {
			t.Errorf("%+v, seen %d times", p, truth[p.Prefix])
		}
	}
}

func TestTallyIsBounded(t *testing.T) {
	tally := Tally{Top: 3}
	long := strings.Repeat("k", 1<<20)
	d, err := New("resp", Env{})
	if err != nil {
		t.Fatal(err)
	}
	var r Request
	for i := range maxOps + 10 {
		name := fmt.Sprintf("CMD%05d", i)
		data := fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(name), name, 4, "a/bc")
		if err := d.Decode(&r, normal([]byte(data))); err != nil {
			t.Fatal(err)
		}
		tally.Add(raftpb.EntryID{Term: 1, Index: uint64(i + 1)}, &r)
	}
	if n := len(tally.Ops()); n != maxOps+1 || tally.op(OpOther).Entries != 10 {
		t.Errorf("%d operations, %d of them others", n, tally.op(OpOther).Entries)
	}
	if err := Payload(&r, normal(putRequest(t, long, ""))); err != nil {
		t.Fatal(err)
	}
	tally.Add(raftpb.EntryID{Term: 1, Index: 1 << 20}, &r)
	all, _ := tally.prefixes.Top(maxHits)
	for _, p := range all {
		if len(p.Prefix) > maxPrefix {
			t.Errorf("a prefix of %d bytes is kept", len(p.Prefix))
		}
	}
}
