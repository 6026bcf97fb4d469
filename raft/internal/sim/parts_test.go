package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

func TestQueueKeepsTheOrder(t *testing.T) {
	type item struct{ at, seq int64 }
	r := rand.New(rand.NewPCG(1, 1))
	var q queue
	var got, want []item
	for seq := range int64(2000) {
		it := item{at: r.Int64N(100), seq: seq}
		want = append(want, it)
		q.push(it.at, func() { got = append(got, it) })
	}
	slices.SortStableFunc(want, func(a, b item) int { return int(a.at - b.at) })
	for e, ok := q.pop(); ok; e, ok = q.pop() {
		e.do()
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(item{})); diff != "" {
		t.Errorf("order of events:\n%s", diff)
	}
}

func TestRegistersComeBack(t *testing.T) {
	want := registers{index: 7, conf: raftpb.ConfState{Voters: []uint64{1, 2}, AutoLeave: true}}
	want.apply(command{kind: opPut, id: 3, key: 1, value: 9})
	want.apply(command{kind: opSwap, id: 400, key: 1, value: 10, old: 9})
	got, err := decodeRegisters(want.encode())
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(registers{})); diff != "" || err != nil {
		t.Errorf("error %v, state:\n%s", err, diff)
	}
	if want.apply(command{kind: opPut, id: 3, key: 1, value: 11}); want.values[1] != 10 {
		t.Errorf("register is %d after a command came twice, want 10", want.values[1])
	}
}

// entries returns entries of a term from first on.
func entries(term, first uint64, n int) []raftpb.Entry {
	es := make([]raftpb.Entry, n)
	for i := range es {
		es[i] = raftpb.Entry{Term: term, Index: first + uint64(i)}
	}
	return es
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	for seed := range uint64(50) {
		var d disk
		d.save(nil, raftpb.HardState{Term: 2, Vote: 1}, entries(2, 1, 5))
		d.sync()
		d.save(nil, raftpb.HardState{Term: 3}, entries(3, 4, 1))
		d.crash(rand.New(rand.NewPCG(seed, 0)))
		im := &d.synced
		kept := im.last() == 5 && im.has(raftpb.EntryID{Term: 2, Index: 5})
		replaced := im.last() == 4 && im.has(raftpb.EntryID{Term: 3, Index: 4})
		if !kept && !replaced || kept && im.hard.Term != 2 {
			t.Errorf("seed %d: after the crash: %+v", seed, im)
		}
		if !im.has(raftpb.EntryID{Term: 2, Index: 3}) || im.hard.Term < 2 {
			t.Errorf("seed %d: the crash lost what was synced: %+v", seed, im)
		}
	}
}

// The checker is the last word on reads; it must know a wrong history from a right one.
func TestHistories(t *testing.T) {
	put := func(value uint32, call, ret int64) *operation {
		return &operation{command: command{kind: opPut, value: value}, call: call, ret: ret}
	}
	read := func(result uint32, call, ret int64) *operation {
		return &operation{command: command{kind: opRead}, call: call, ret: ret, result: result}
	}
	swap := func(old, value, result uint32, call, ret int64) *operation {
		c := command{kind: opSwap, old: old, value: value}
		return &operation{command: c, call: call, ret: ret, result: result}
	}
	const never = math.MaxInt64
	for _, tt := range []struct {
		name string
		ops  []*operation
		ok   bool
	}{
		{"in turn", []*operation{put(1, 1, 2), read(1, 3, 4)}, true},
		{"stale", []*operation{put(1, 1, 2), put(2, 3, 4), read(1, 5, 6)}, false},
		{"at once", []*operation{put(1, 1, 2), put(2, 3, 6), read(1, 4, 5)}, true},
		{"back and forth", []*operation{put(1, 1, 9), read(1, 2, 3), read(0, 4, 5)}, false},
		{"unknown, done later", []*operation{put(1, 1, never), read(0, 2, 3), read(1, 4, 5)}, true},
		{"unknown, undone", []*operation{put(1, 1, never), read(1, 2, 3), read(0, 4, 5)}, false},
		{"swap", []*operation{put(1, 1, 2), swap(1, 2, 1, 3, 4), read(2, 5, 6)}, true},
		{"swap lies", []*operation{put(1, 1, 2), swap(7, 2, 1, 3, 4)}, false},
		{"swap hides", []*operation{put(1, 1, 2), swap(1, 2, 0, 3, 4)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{clients: clients{ops: tt.ops}}
			if w.checkHistory(); (w.found == nil) != tt.ok {
				t.Errorf("found %v, want ok %t", w.found, tt.ok)
			}
		})
	}
}

func TestLadder(t *testing.T) {
	l := &Ladder{n: 3}
	l.arrow(120, 100, 1, &raftpb.Message{
		Type: raftpb.MsgApp, To: 3, Term: 2, LogTerm: 1, Index: 4, Entries: entries(2, 5, 2), Commit: 4,
	})
	l.arrow(130, 121, 3, &raftpb.Message{Type: raftpb.MsgAppResp, To: 2, Term: 2, Index: 6})
	l.lost(140, 2, &raftpb.Message{Type: raftpb.MsgHeartbeat, To: 1, Term: 2})
	l.move(150, 2, raft.StateChanged{State: raft.StateLeader, Term: 3})
	var b strings.Builder
	if _, err := l.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := `
      120     o---------------->|     App term 2 at 1/4 entries 2/5..2/6 commit 4 (sent 100)
      130     |        |<-------o     AppResp term 2 at 0/6 (sent 121)
      140     |        X        |     Heartbeat term 2 to 1 lost
      150     |        *        |     2: Leader of term 3
`
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), b.String()); diff != "" {
		t.Errorf("ladder:\n%s", diff)
	}
}

// TestWorldsAreVaried checks that a few seeds reach all that the simulator is for.
func TestWorldsAreVaried(t *testing.T) {
	var s Stats
	for seed := range uint64(60) {
		res := Run(seed, nil)
		s.Add(&res.Stats)
	}
	for name, n := range map[string]int{
		"lost": s.Lost, "duplicated": s.Duplicated, "elections": s.Elections, "commits": s.Commits,
		"crashes": s.Crashes, "snapshots": s.Snapshots, "conf changes": s.ConfChanges,
		"unknown": s.Unknown, "reads": s.Reads, "transfers": s.Transfers,
		"partitions": s.Partitions, "stalls": s.Stall,
	} {
		if n < 10 {
			t.Errorf("%s: %d in 60 worlds, want at least 10", name, n)
		}
	}
	if s.Unknown*3 > s.Operations {
		t.Errorf("%d of %d operations got no answer: too little is checked", s.Unknown, s.Operations)
	}
}
