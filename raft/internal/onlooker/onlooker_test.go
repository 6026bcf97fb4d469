package onlooker

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/raftctl/raftctl/decode/stream"
	"github.com/raftctl/raftctl/decode/stream/check"
	"github.com/raftctl/raftctl/internal/verdict"
	"github.com/raftctl/raftctl/raft/internal/sim"
	"github.com/raftctl/raftctl/raftpb"
)

var (
	first = flag.Uint64("onlooker.first", 0, "the first seed of TestWorlds")
	seeds = flag.Uint64("onlooker.seeds", defaultSeeds(), "the number of seeds of TestWorlds")
	save  = flag.String("onlooker.save", "", "folder to write a recording of each seed of TestRecord to")
	blind = flag.Bool("onlooker.blind", false, "go on whatever the simulator finds wrong itself")
)

// defaultSeeds returns the number of seeds: RAFTCTL_SEEDS, or a few.
func defaultSeeds() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("RAFTCTL_SEEDS"), 10, 64); err == nil && n > 0 {
		return n
	}
	return fewSeeds
}

// eventOf makes an event of a message of the simulator.
func eventOf(s sim.Sent, n int64) stream.Event {
	return stream.Event{
		Kind: stream.KindMessage, Channel: stream.ChannelMemory,
		Time: time.UnixMilli(s.Time), From: s.From, To: s.Message.To, Conn: s.From<<32 | uint64(s.Life),
		Pos: stream.Pos{Source: "sim", Off: n}, Message: s.Message,
	}
}

// firstMembers returns the membership that a group begins with, after the entry of index 1.
func firstMembers(g sim.Group) *raftpb.ConfState {
	members := &raftpb.ConfState{}
	for id := range uint64(g.Voters) {
		members.Voters = append(members.Voters, id+1)
	}
	return members
}

// look runs a world and returns what its messages tell.
func look(seed uint64, blind bool) (*check.Report, sim.Result) {
	g := sim.GroupOf(seed)
	c := check.New(check.Options{Members: firstMembers(g), MembersAt: 1, LeaseReads: g.LeaseReads})
	var n int64
	res := sim.RunSeen(seed, sim.Options{Blind: blind, Wire: func(s sim.Sent) {
		n++
		e := eventOf(s, n)
		c.Add(&e)
	}})
	return c.Report(), res
}

// describe formats an event for a failed test.
func describe(e *stream.Event) string {
	if e == nil {
		return "none"
	}
	m := e.Message
	return fmt.Sprintf("#%d %d->%d %s term %d index %d/%d entries %d commit %d reject %t context %x", e.Pos.Off, e.From, e.To,
		m.Type, m.Term, m.LogTerm, m.Index, len(m.Entries), m.Commit, m.Reject, m.Context)
}

// TestWorlds checks that the messages of right groups violate no rule, whatever happens to them.
func TestWorlds(t *testing.T) {
	var (
		next  atomic.Uint64
		mu    sync.Mutex
		total = map[check.Name][3]int64{}
		wg    sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < *seeds && !t.Failed(); i = next.Add(1) - 1 {
				rep, _ := look(*first+i, *blind)
				for _, r := range rep.Rules {
					if r.Verdict == verdict.Problem {
						v := &r.Violations[0]
						t.Errorf("seed %d: %s: %s\n\tfirst  %s\n\tsecond %s", *first+i, r.Name, v.Found, describe(v.First),
							describe(v.Second))
					}
					mu.Lock()
					n := total[r.Name]
					total[r.Name] = [3]int64{n[0] + r.Checked, n[1] + r.Given, n[2] + r.Unchecked}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for name, n := range total {
		if name != check.AckOnDisk && (n[0] == 0 || n[1]+n[2] > n[0]) && !*blind {
			t.Errorf("%s: %d checked, %d given, %d not checked: too few to tell", name, n[0], n[1], n[2])
		}
		t.Logf("%s: %d checked, %d given, %d not checked", name, n[0], n[1], n[2])
	}
}
