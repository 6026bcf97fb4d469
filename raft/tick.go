package raft

import "github.com/raftctl/raftctl/raftpb"

// tick advances the clock by one.
func (c *core) tick() error {
	if c.state == StateLeader {
		return c.tickLeader()
	}
	c.elapsed.election++
	if !c.promotable() || !c.electionDue() {
		return nil
	}
	c.elapsed.election = 0
	return c.step(&raftpb.Message{Type: raftpb.MsgHup, From: c.id})
}

// electionDue reports whether the election timeout is over. It is drawn from [ElectionTick,
// 2*ElectionTick) when the lowest has passed, once for each role taken, so that split votes are
// rare (paper, section 5.2).
func (c *core) electionDue() bool {
	if c.elapsed.election < c.cfg.ElectionTick {
		return false
	}
	if !c.timeoutOK {
		c.timeout = c.cfg.ElectionTick + c.cfg.Rand.IntN(c.cfg.ElectionTick)
		c.timeoutOK = true
	}
	return c.elapsed.election >= c.timeout
}

// tickLeader checks the quorum and gives up a transfer every ElectionTick ticks, and sends
// heartbeats.
func (c *core) tickLeader() error {
	c.elapsed.heartbeat++
	c.elapsed.election++
	if c.elapsed.election >= c.cfg.ElectionTick {
		c.elapsed.election = 0
		if c.cfg.CheckQuorum {
			c.checkQuorum()
		}
		c.transferee = None
	}
	if c.state != StateLeader || c.elapsed.heartbeat < c.cfg.HeartbeatTick {
		return nil
	}
	c.elapsed.heartbeat = 0
	c.broadcastHeartbeat()
	return nil
}
