package onlooker

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raft/internal/sim"
)

// vantage is what an onlooker sees of a world.
type vantage struct {
	name string
	at   uint64 // only what this member sends and is sent; 0: all
	from int64  // the first message
	gaps int    // percent of messages with which a gap begins
	any  bool   // gaps don't tell their direction
	told bool   // the membership at the beginning is known

	rand *rand.Rand
	left int // messages that the gap has left
}

// newVantages returns the vantages of a seed.
func newVantages(seed uint64) []*vantage {
	r := rand.New(rand.NewPCG(seed, 3))
	return []*vantage{
		{name: "from the middle", from: r.Int64N(1500)},
		{name: "at one member", at: 1 + r.Uint64N(3)},
		{name: "at one member, from the middle", at: 1 + r.Uint64N(3), from: r.Int64N(1000)},
		{name: "with gaps", gaps: 1 + r.IntN(4), told: true},
		{name: "with gaps of unknown direction", gaps: 1, any: true, told: true},
		{name: "with gaps, from the middle", gaps: 1 + r.IntN(4), from: r.Int64N(1000)},
		{name: "all, but for who are members"},
	}
}

// see hands c the message, or what is left of it.
func (v *vantage) see(c *check.Checker, e *stream.Event) {
	if e.Pos.Off < v.from || v.at != 0 && e.From != v.at && e.To != v.at {
		return
	}
	if v.left == 0 && v.gaps > 0 && v.rand.IntN(100) < v.gaps {
		v.left = 1 + v.rand.IntN(20)
	}
	if v.left > 0 {
		v.left--
		gap := stream.Event{Kind: stream.KindGap, Channel: e.Channel, Conn: e.Conn, From: e.From, To: e.To,
			Pos: e.Pos, Gap: &stream.Gap{Bytes: -1}}
		if v.any {
			gap.From, gap.To = 0, 0
		}
		c.Add(&gap)
		return
	}
	c.Add(e)
}

// TestPartialEvidence checks that whoever sees a part of what is said takes none of it for a violation.
func TestPartialEvidence(t *testing.T) {
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < *seeds/3 && !t.Failed(); i = next.Add(1) - 1 {
				lookInPart(t, *first+i)
			}
		})
	}
	wg.Wait()
}

// lookInPart looks at a world from all vantages.
func lookInPart(t *testing.T, seed uint64) {
	list := newVantages(seed)
	g := sim.GroupOf(seed)
	var checkers []*check.Checker
	for i, v := range list {
		v.rand = rand.New(rand.NewPCG(seed, uint64(i)))
		o := check.Options{LeaseReads: g.LeaseReads, Joint: g.Changes}
		if v.told {
			o.Members, o.MembersAt = firstMembers(g), 1
		}
		checkers = append(checkers, check.New(o))
	}
	var n int64
	sim.RunSeen(seed, sim.Options{Wire: func(s sim.Sent) {
		n++
		e := eventOf(s, n)
		for i, v := range list {
			v.see(checkers[i], &e)
		}
	}})
	for i, c := range checkers {
		for _, r := range c.Report().Rules {
			if r.Verdict == verdict.Problem {
				x := &r.Violations[0]
				t.Errorf("seed %d, %s: %s: %s\n\tfirst  %s\n\tsecond %s", seed, list[i].name, r.Name, x.Found,
					describe(x.First), describe(x.Second))
			}
		}
	}
}
