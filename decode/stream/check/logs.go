package check

import "github.com/raftctl/raftctl/raftpb"

// Log is what a member has on disk.
type Log struct {
	Member uint64
	// Source names it to people.
	Source string
	// Snapshot is the entry that the log begins after, Last its last one.
	Snapshot, Last raftpb.EntryID
	// Commit is up to where it is known to be committed.
	Commit uint64
	// Entry returns the entry at an index of the log; ok is false where the log has none.
	Entry func(index uint64) (e raftpb.Entry, ok bool)
}

// maxAcks is how many acknowledgements are kept for the logs: the highest of a member in a term.
const maxAcks = 1 << 12

// noteAck keeps the highest acknowledgement of a member in a term.
func (c *Checker) noteAck(m *moment) {
	index, ok := acked(m.Message)
	if !ok || len(c.opts.Logs) == 0 {
		return
	}
	key := ackKey{m.from, m.Message.Term}
	have, seen := c.acks[key]
	if seen && have.index >= index || !seen && len(c.acks) == maxAcks {
		return
	}
	next := ackSeen{index: index, m: moment{Event: m.Event, from: m.from, to: m.to, kept: m.keep()}}
	next.id.Index = index
	if l := m.scene.leaders.get(m.Message.Term); l != nil && l.leader == m.to {
		next.id.Term, _ = l.termAt(index)
	}
	c.acks[key] = next
}

// checkLogs holds what members acknowledged against their logs. What a later leader replaced was not committed: it is
// no loss.
func (c *Checker) checkLogs() Result {
	r := rule{Info: logsInfo}
	for i := range c.opts.Logs {
		log := &c.opts.Logs[i]
		for key, a := range c.acks {
			if key.member == log.Member {
				c.checkAck(&r.tally, log, key.term, &a)
			}
		}
	}
	return r.result()
}

func (c *Checker) checkAck(t *tally, log *Log, term uint64, a *ackSeen) {
	e, ok := log.Entry(a.index)
	switch {
	case a.index <= log.Snapshot.Index:
		t.ok()
	case a.index > log.Last.Index && log.Last.Term > term:
		t.ok() // a later leader's log is shorter
	case !ok:
		t.violated(nil, &a.m, "%s: ends with entry %s; member %x acknowledged index %d in term %d",
			log.Source, log.Last, log.Member, a.index, term)
	case a.id.Term == 0 && a.index <= log.Commit:
		t.given++ // it was sent before the evidence began
	case a.id.Term == 0:
		t.cannot("the acknowledged entry was not seen")
	case e.Term < a.id.Term:
		t.violated(nil, &a.m, "%s: has entry %s; member %x acknowledged entry %s",
			log.Source, e.ID(), log.Member, a.id)
	case e.Term == a.id.Term:
		c.checkBytes(t, log, &e, a)
	default:
		t.ok()
	}
}

// checkBytes holds an entry of a log against the one that was sent.
func (c *Checker) checkBytes(t *tally, log *Log, e *raftpb.Entry, a *ackSeen) {
	sent := c.entries.get(e.ID())
	if sent != nil && sent.sum != c.entries.sum(e) {
		t.violated(sent.by, &a.m, "%s: entry %s has %d bytes that differ from the %d that were sent",
			log.Source, e.ID(), len(e.Data), sent.size)
		return
	}
	t.ok()
}
