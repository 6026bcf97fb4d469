package raftbench

import (
	"fmt"
	"runtime"
	"testing"
)

// Propose measures how fast proposals are committed and applied at the leader, each proposed for
// itself, in proposals a second and time per proposal.
func Propose[M any](b *testing.B, impl *Implementation[M], nodes, size, pipeline int) {
	c := newCluster(b, impl, nodes)
	c.elect(b)
	data := make([]byte, size)
	c.propose(b, 4*pipeline, pipeline, func() []byte { return data })
	b.ReportAllocs()
	b.ResetTimer()
	c.propose(b, b.N, pipeline, func() []byte { return data })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "proposals/s")
}

// Heartbeat measures a heartbeat of the leader of a group at rest, with all answers.
func Heartbeat[M any](b *testing.B, impl *Implementation[M], nodes int) {
	c := newCluster(b, impl, nodes)
	c.elect(b)
	b.ReportAllocs()
	for b.Loop() {
		c.nodes[0].Tick()
		c.settle(b)
	}
}

// CatchUpEntries is the number of entries that a member catches up.
const CatchUpEntries = 100_000

// CatchUp measures how long a member with an empty log takes to get all entries from the leader,
// from the election of a leader on that has them all.
func CatchUp[M any](b *testing.B, impl *Implementation[M], size int) {
	c := newCluster(b, impl, 3)
	c.elect(b)
	c.cutOff = 2
	data := make([]byte, size)
	c.propose(b, CatchUpEntries, 256, func() []byte { return data })
	c.settle(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c = restarted(b, c)
		b.StartTimer()
		c.elect(b)
		if got, want := c.nodes[2].LastIndex(), c.nodes[0].LastIndex(); got != want {
			b.Fatalf("caught up to %d, want %d", got, want)
		}
	}
	b.ReportMetric(float64(b.N)*CatchUpEntries/b.Elapsed().Seconds(), "entries/s")
}

// restarted returns the cluster with all members started over, and the third one new.
func restarted[M any](b *testing.B, old *cluster[M]) *cluster[M] {
	c := newCluster(b, old.impl, len(old.nodes))
	for i := range 2 {
		c.nodes[i] = old.nodes[i]
		if err := c.nodes[i].Restart(); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	return c
}

// Idle measures Ready and Advance when there is nothing to do.
func Idle[M any](b *testing.B, impl *Implementation[M]) {
	c := newCluster(b, impl, 3)
	c.elect(b)
	b.ReportAllocs()
	for b.Loop() {
		c.nodes[0].Idle()
	}
}

// HasReady measures the question whether there is anything to do when there is nothing.
func HasReady[M any](b *testing.B, impl *Implementation[M]) {
	c := newCluster(b, impl, 3)
	c.elect(b)
	b.ReportAllocs()
	for b.Loop() {
		if c.nodes[0].HasReady() {
			b.Fatal("there is something to do")
		}
	}
}

// Status measures the status of the leader of five members.
func Status[M any](b *testing.B, impl *Implementation[M]) {
	c := newCluster(b, impl, 5)
	c.elect(b)
	b.ReportAllocs()
	for b.Loop() {
		c.nodes[0].Status()
	}
}

// HeldEntries is the number of entries whose memory is measured.
const HeldEntries = 100_000

// Held measures the memory that an entry takes as long as it is in the log, its data included, in
// bytes. The time is that to get it there.
func Held[M any](b *testing.B, impl *Implementation[M], size int) {
	var held float64
	for b.Loop() {
		c := newCluster(b, impl, 1)
		c.elect(b)
		c.cutOff = len(c.nodes) // nobody, but no compaction either
		before := heap()
		c.propose(b, HeldEntries, 256, func() []byte { return make([]byte, size) })
		c.settle(b)
		held = float64(heap()-before) / HeldEntries
		runtime.KeepAlive(c)
	}
	b.ReportMetric(held, "held-B/entry")
}

// heap returns the bytes of live objects.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// Benchmark is one measurement of one implementation.
type Benchmark struct {
	Name string // tells what is measured, and by "impl=" with what
	Run  func(*testing.B)
}

// Benchmarks returns all there are for an implementation, in an order that is the same for all of
// them.
func Benchmarks[M any](impl *Implementation[M]) []Benchmark {
	var list []Benchmark
	add := func(name string, run func(b *testing.B)) {
		list = append(list, Benchmark{Name: name + "/impl=" + impl.Name, Run: run})
	}
	for _, nodes := range []int{3, 5} {
		for _, size := range []int{16, 256, 4096} {
			for _, pipeline := range []int{1, 16, 256} {
				add(fmt.Sprintf("Propose/nodes=%d/size=%d/pipeline=%d", nodes, size, pipeline),
					func(b *testing.B) { Propose(b, impl, nodes, size, pipeline) })
			}
		}
		add(fmt.Sprintf("Heartbeat/nodes=%d", nodes),
			func(b *testing.B) { Heartbeat(b, impl, nodes) })
	}
	add("CatchUp/entries=100000/size=128", func(b *testing.B) { CatchUp(b, impl, 128) })
	add("IdleReady", func(b *testing.B) { Idle(b, impl) })
	add("HasReady", func(b *testing.B) { HasReady(b, impl) })
	add("Status/nodes=5", func(b *testing.B) { Status(b, impl) })
	for _, size := range []int{16, 256} {
		add(fmt.Sprintf("Held/size=%d", size), func(b *testing.B) { Held(b, impl, size) })
	}
	return list
}

// Run runs the benchmarks of some implementations, those of the same thing one after the other, so
// that what disturbs one disturbs all.
func Run(b *testing.B, lists ...[]Benchmark) {
	for i := range lists[0] {
		for _, list := range lists {
			b.Run(list[i].Name, list[i].Run)
		}
	}
}

// Steady returns a group of members that is warm, by what can be had of it: that n proposals of
// some bytes be committed, with at most pipeline of them on their way, and a heartbeat with its
// answers.
func Steady[M any](
	tb testing.TB, impl *Implementation[M], nodes int,
) (propose func(n, pipeline int), beat func()) {
	c := newCluster(tb, impl, nodes)
	c.elect(tb)
	data := make([]byte, 16)
	propose = func(n, pipeline int) { c.propose(tb, n, pipeline, func() []byte { return data }) }
	beat = func() {
		c.nodes[0].Tick()
		c.settle(tb)
	}
	propose(2*compactEvery, 256)
	beat()
	return propose, beat
}
