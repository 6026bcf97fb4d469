package sim

import (
	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// network carries messages between members.
type network struct {
	world     *world
	loss      int   // percent
	duplicate int   // percent
	late      int   // percent of the messages that take up to shape.maxDelay
	delay     int64 // what the others take, at most
	cut       [maxMembers + 1][maxMembers + 1]bool
}

// weather changes how good the network is.
func (n *network) weather() {
	w := n.world
	n.loss = [...]int{0, 0, 2, 10, 30}[w.rand.IntN(5)]
	n.duplicate = [...]int{0, 0, 5, 20}[w.rand.IntN(4)]
	n.late = [...]int{0, 0, 3, 15}[w.rand.IntN(4)]
	n.delay = [...]int64{5, 20, 100, 300}[w.rand.IntN(4)]
}

// mend ends all faults.
func (n *network) mend() {
	*n = network{world: n.world, delay: 20}
}

// send hands messages to the network, after they were checked to promise nothing in vain.
func (m *member) send(messages []raftpb.Message) {
	for i := range messages {
		if m.w.found != nil {
			return
		}
		m.checkPromise(&messages[i])
		m.w.net.send(m, messages[i])
	}
}

func (n *network) send(from *member, msg raftpb.Message) {
	w := n.world
	w.stats.Messages++
	w.tell(from, &msg)
	w.mix(uint64(w.now), msg.From, msg.To, uint64(msg.Type), msg.Term, msg.Index, msg.Commit)
	if n.cut[from.id][msg.To] || w.chance(n.loss) {
		w.stats.Lost++
		w.ladder.lost(w.now, from.id, &msg)
		n.reportLoss(from, &msg)
		return
	}
	copies := 1
	if w.chance(n.duplicate) {
		copies, w.stats.Duplicated = 2, w.stats.Duplicated+1
	}
	for range copies {
		n.carry(from, msg)
	}
}

// carry delivers a message some time later.
func (n *network) carry(from *member, msg raftpb.Message) {
	w, sent := n.world, n.world.now
	delay := 1 + w.upTo(n.delay)
	if w.chance(n.late) {
		delay = 1 + w.upTo(w.shape.maxDelay-1)
	}
	if w.shape.codec {
		msg = recode(w, msg)
	}
	life := from.life
	w.at(sent+delay, func() {
		to := w.member(msg.To)
		if !to.up {
			w.ladder.lost(w.now, from.id, &msg)
			n.reportLoss(from, &msg)
			return
		}
		w.ladder.arrow(w.now, sent, from.id, &msg)
		to.input(func() error { return to.node.Step(msg) })
		if msg.Type == raftpb.MsgSnap && from.life == life && from.up {
			from.input(func() error {
				return from.node.ReportSnapshot(msg.To, raft.SnapshotFinish)
			})
		}
	})
}

// recode returns a message as it is after it was encoded and decoded.
func recode(w *world, msg raftpb.Message) raftpb.Message {
	var got raftpb.Message
	if err := got.Unmarshal(msg.Marshal(raftpb.FlavorPbgo)); err != nil {
		w.fail("decode %v: %v", msg.Type, err)
	}
	return got
}

// reportLoss tells the sender that a message is lost: always of a snapshot, sometimes of others.
func (n *network) reportLoss(from *member, msg *raftpb.Message) {
	w, to, snap := n.world, msg.To, msg.Type == raftpb.MsgSnap
	if !snap && !w.chance(20) {
		return
	}
	from.after(1+w.upTo(2*tickTime), func() {
		from.input(func() error {
			if snap {
				return from.node.ReportSnapshot(to, raft.SnapshotFailure)
			}
			return from.node.ReportUnreachable(to)
		})
	})
}

// isolate cuts off a member: what it sends, what it is sent, or both.
func (n *network) isolate(id uint64, out, in bool) {
	for other := range n.cut {
		n.cut[id][other] = n.cut[id][other] || out
		n.cut[other][id] = n.cut[other][id] || in
	}
}

// split cuts the members in two: those whose bit is set, and the others.
func (n *network) split(side uint64, oneWay bool) {
	for a := range n.cut {
		for b := range n.cut {
			in, out := side>>a&1, side>>b&1
			n.cut[a][b] = n.cut[a][b] || in < out || in > out && !oneWay
		}
	}
}

func (n *network) rejoin() { n.cut = [maxMembers + 1][maxMembers + 1]bool{} }
