package tracker

import (
	"math/rand/v2"
	"testing"
)

// naive is a window without a ring.
type naive struct {
	maxCount int
	maxSize  uint64
	msgs     []inflight
}

func (n *naive) size() uint64 {
	var size uint64
	for _, m := range n.msgs {
		size += m.size
	}
	return size
}

func (n *naive) full() bool {
	return len(n.msgs) >= n.maxCount || (n.maxSize > 0 && n.size() >= n.maxSize)
}

func TestInflightsAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		want := naive{maxCount: 1 + r.IntN(40), maxSize: uint64(r.IntN(3) * 50)}
		got := NewInflights(want.maxCount, want.maxSize)
		index := uint64(0)
		for step := range 300 {
			switch r.IntN(5) {
			case 0:
				to := index - min(index, uint64(r.IntN(20)))
				got.FreeLE(to)
				for len(want.msgs) > 0 && want.msgs[0].index <= to {
					want.msgs = want.msgs[1:]
				}
			case 1:
				if r.IntN(20) == 0 {
					got.reset()
					want.msgs = nil
				}
				got = got.Clone()
			default:
				index += uint64(1 + r.IntN(3))
				size := uint64(r.IntN(20))
				full := want.full()
				if added := got.Add(index, size); added == full {
					t.Fatalf("step %d: Add reports %t with a full window %t", step, added, full)
				}
				if !full {
					want.msgs = append(want.msgs, inflight{index, size})
				}
			}
			if got.Count() != len(want.msgs) || got.Size() != want.size() ||
				got.Full() != want.full() {
				t.Fatalf("step %d: count %d, size %d, full %t, want %d, %d, %t", step, got.Count(),
					got.Size(), got.Full(), len(want.msgs), want.size(), want.full())
			}
		}
	}
}

func TestInflightsCloneIsSeparate(t *testing.T) {
	in := NewInflights(4, 0)
	in.Add(1, 10)
	in.Add(2, 10)
	c := in.Clone()
	in.FreeLE(1)
	in.Add(3, 10)
	in.Add(4, 10)
	in.Add(5, 10)
	c.FreeLE(1)
	if c.Count() != 1 || c.Size() != 10 {
		t.Errorf("clone has %d messages of %d bytes, want 1 of 10", c.Count(), c.Size())
	}
	if c.FreeLE(2); c.Count() != 0 {
		t.Errorf("clone has %d messages, want 0: its second message was overwritten", c.Count())
	}
}

func TestInflightsSteadyStreamAllocatesNothing(t *testing.T) {
	in := NewInflights(256, 0)
	for i := range uint64(256) {
		in.Add(i+1, 100)
	}
	next := uint64(257)
	allocs := testing.AllocsPerRun(1000, func() {
		in.FreeLE(next - 200)
		in.Add(next, 100)
		next++
	})
	if allocs != 0 {
		t.Errorf("a steady stream allocates %v times a message", allocs)
	}
}
