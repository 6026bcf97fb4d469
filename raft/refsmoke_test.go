package raft

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/raftctl/raftctl/raftpb"
)

var smokeSeeds = flag.Uint64("raft.seeds", 12, "seeds of the comparison with the reference")

// world is a group of pairs under random treatment.
type world struct {
	t     *testing.T
	r     *rand.Rand
	pairs []*pair
	net   []raftpb.Message
	cut   uint64 // bit set of members that are cut off
}

// TestAgainstReference treats groups at random and compares each member with one of the reference
// after every step. It is the short sister of the lockstep test, kept here so that a change of the
// core is checked where it is made.
func TestAgainstReference(t *testing.T) {
	for seed := range *smokeSeeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			for range 1000 {
				w.act()
			}
		})
	}
}

func newWorld(t *testing.T, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{t: t, r: r}
	n := 1 + r.IntN(5)
	spare := r.IntN(3)
	start := raftpb.Snapshot{Metadata: raftpb.SnapshotMetadata{Index: 3, Term: 1}}
	for id := range n {
		start.Metadata.ConfState.Voters = append(start.Metadata.ConfState.Voters, uint64(id)+1)
	}
	cfg := Config{
		ElectionTick: 5 + r.IntN(5), HeartbeatTick: 1 + r.IntN(2),
		MaxSizePerMsg:             pick(r, NoLimit, 60, 1, 300),
		MaxCommittedSizePerReady:  pick(r, 0, 40, 200, NoLimit),
		MaxUncommittedEntriesSize: pick(r, 0, 0, 50, 500),
		MaxInflightMsgs:           int(pick(r, 1, 2, 8, 256)),
		CheckQuorum:               r.IntN(2) == 0,
		PreVote:                   r.IntN(2) == 0,
		AsyncStorageWrites:        r.IntN(2) == 0,
		StepDownOnRemoval:         r.IntN(2) == 0,
		DisableProposalForwarding: r.IntN(4) == 0,
	}
	if r.IntN(2) == 0 && cfg.MaxSizePerMsg != NoLimit {
		cfg.MaxInflightBytes = cfg.MaxSizePerMsg + 100
	}
	if cfg.CheckQuorum && r.IntN(2) == 0 {
		cfg.ReadOnlyOption = ReadOnlyLeaseBased
	}
	for id := range n + spare {
		cfg.ID = uint64(id) + 1
		s := start
		if id >= n {
			s = raftpb.Snapshot{}
		}
		w.pairs = append(w.pairs, newPair(t, cfg, s))
	}
	return w
}

func pick(r *rand.Rand, v ...uint64) uint64 { return v[r.IntN(len(v))] }

// act does one random thing.
func (w *world) act() {
	p := w.pairs[w.r.IntN(len(w.pairs))]
	switch k := w.r.IntN(100); {
	case k < 15:
		p.tick()
	case k < 40:
		w.post(p.ready())
	case k < 55:
		p.advance()
		w.post(p.work(&p.appends))
		w.post(p.work(&p.applies))
	case k < 84:
		w.deliver()
	case k < 91:
		p.propose([]byte(fmt.Sprintf("%0*d", w.r.IntN(60), k)))
	default:
		w.rare(p)
	}
}

// rare does one of the things that happen less often.
func (w *world) rare(p *pair) {
	peer := uint64(w.r.IntN(len(w.pairs))) + 1
	switch w.r.IntN(14) {
	case 0:
		p.campaign()
	case 1:
		w.proposeChange(p)
	case 2, 3:
		if p.readsStale() {
			return
		}
		ctx := []byte{byte(w.r.IntN(256))}
		p.call("read", func() error { return p.ours.ReadIndex(ctx) },
			func() { p.theirs.ReadIndex(ctx) })
	case 4:
		p.call("transfer", func() error { return p.ours.TransferLeader(peer) },
			func() { p.theirs.TransferLeader(peer) })
	case 5:
		p.sameError("forget", p.ours.ForgetLeader(), p.theirs.ForgetLeader())
		p.compare("forget")
	case 6:
		p.call("unreachable", func() error { return p.ours.ReportUnreachable(peer) },
			func() { p.theirs.ReportUnreachable(peer) })
	case 7:
		status := SnapshotStatus(1 + w.r.IntN(2))
		p.call("snapshot", func() error { return p.ours.ReportSnapshot(peer, status) },
			func() { p.theirs.ReportSnapshot(peer, refStatus(status)) })
	case 8, 9:
		if !p.pending {
			p.compact(uint64(w.r.IntN(6)))
		}
	case 10:
		if w.r.IntN(3) == 0 {
			p.start()
		}
	case 11:
		w.cut = uint64(w.r.IntN(1 << len(w.pairs)))
	default:
		w.cut = 0
	}
}

func (w *world) proposeChange(p *pair) {
	if w.r.IntN(2) == 0 {
		p.proposeConfChange(raftpb.ConfChange{
			Type: raftpb.ConfChangeType(w.r.IntN(4)), NodeID: uint64(w.r.IntN(len(w.pairs))) + 1,
		})
		return
	}
	change := raftpb.ConfChangeV2{Transition: raftpb.ConfChangeTransition(w.r.IntN(3))}
	for range w.r.IntN(4) {
		change.Changes = append(change.Changes, raftpb.ConfChangeSingle{
			Type: raftpb.ConfChangeType(w.r.IntN(4)), NodeID: uint64(w.r.IntN(len(w.pairs))) + 1,
		})
	}
	p.proposeConfChange(change)
}

// post puts messages on the network, some twice, some not at all.
func (w *world) post(msgs []raftpb.Message) {
	for _, m := range msgs {
		if w.cut>>(m.From-1)&1 == 1 {
			continue
		}
		for range []int{1, 1, 1, 1, 1, 1, 1, 0, 2}[w.r.IntN(9)] {
			w.net = append(w.net, m)
		}
	}
}

// deliver delivers one of the first few messages.
func (w *world) deliver() {
	if len(w.net) == 0 {
		return
	}
	i := w.r.IntN(min(len(w.net), 3))
	m := w.net[i]
	w.net = append(w.net[:i:i], w.net[i+1:]...)
	if w.cut>>(m.To-1)&1 == 1 {
		return
	}
	p := w.pairs[m.To-1]
	leads := p.ours.BasicStatus().SoftState.RaftState == StateLeader
	if m.Type == raftpb.MsgTransferLeader && !leads {
		return // the reference panics
	}
	if m.Type == raftpb.MsgReadIndex && p.readsStale() {
		return
	}
	p.step(m)
}
