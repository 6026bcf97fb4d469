package script

import (
	"errors"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

func (e *env) printMessage(m raftpb.Message) {
	e.out.printf("%s\n", raftpb.DescribeMessage(m, nil))
}

// ready does what one Ready of a node says.
func (e *env) ready(n *node) error {
	rd, err := n.Ready()
	if err != nil {
		return err
	}
	e.out.printf("%s", raft.DescribeReady(rd, nil))
	if !n.cfg.AsyncStorageWrites {
		if err := n.save(rd.HardState, rd.Entries, rd.Snapshot); err != nil {
			return err
		}
		if err := n.apply(rd.CommittedEntries); err != nil {
			return err
		}
	}
	for _, m := range rd.Messages {
		switch m.To {
		case raft.LocalAppendThread:
			n.appends = append(n.appends, m)
		case raft.LocalApplyThread:
			n.applies = append(n.applies, m)
		default:
			e.messages = append(e.messages, m)
		}
	}
	if n.cfg.AsyncStorageWrites {
		return nil
	}
	return n.Advance(rd)
}

// save stores what is to be stored.
func (n *node) save(state raftpb.HardState, entries []raftpb.Entry, snap *raftpb.Snapshot) error {
	if !state.IsEmpty() {
		if err := n.store.SetHardState(state); err != nil {
			return err
		}
	}
	if snap.IsEmpty() {
		return n.store.Append(entries)
	}
	if len(entries) > 0 {
		return errors.New("can't apply snapshot and entries at the same time")
	}
	return n.store.ApplySnapshot(*snap)
}

// apply appends the entries' data to the state, one state an entry.
func (n *node) apply(entries []raftpb.Entry) error {
	for i := range entries {
		e := &entries[i]
		conf := n.newest().Metadata.ConfState
		change, data, err := decodeChange(e)
		if err != nil {
			return err
		}
		if change != nil {
			if conf, err = n.ApplyConfChange(change); err != nil {
				return err
			}
		}
		state := append([]byte(nil), n.newest().Data...)
		n.history = append(n.history, raftpb.Snapshot{
			Data:     append(state, data...),
			Metadata: raftpb.SnapshotMetadata{ConfState: conf, Index: e.Index, Term: e.Term},
		})
	}
	return nil
}

// decodeChange returns the membership change in an entry, nil if it holds none, and what is to be
// applied to the state.
func decodeChange(e *raftpb.Entry) (raftpb.ConfChangeI, []byte, error) {
	switch e.Type {
	case raftpb.EntryConfChange:
		var c raftpb.ConfChange
		err := c.Unmarshal(e.Data)
		return c, c.Context, err
	case raftpb.EntryConfChangeV2:
		var c raftpb.ConfChangeV2
		err := c.Unmarshal(e.Data)
		return c, c.Context, err
	}
	return nil, e.Data, nil
}

// appendThread does one piece of a node's append work.
func (e *env) appendThread(n *node) error {
	if len(n.appends) == 0 {
		e.out.printf("no append work to perform")
		return nil
	}
	m := n.appends[0]
	n.appends = n.appends[1:]
	state := raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
	return e.work(m, func() error { return n.save(state, m.Entries, m.Snapshot) })
}

// applyThread does one piece of a node's apply work.
func (e *env) applyThread(n *node) error {
	if len(n.applies) == 0 {
		e.out.printf("no apply work to perform")
		return nil
	}
	m := n.applies[0]
	n.applies = n.applies[1:]
	return e.work(m, func() error { return n.apply(m.Entries) })
}

// work does storage work and sends the answers.
func (e *env) work(m raftpb.Message, do func() error) error {
	answers := m.Responses
	m.Responses = nil
	e.out.printf("Processing:\n")
	e.printMessage(m)
	if err := do(); err != nil {
		return err
	}
	e.out.printf("Responses:\n")
	for _, answer := range answers {
		e.printMessage(answer)
	}
	e.messages = append(e.messages, answers...)
	return nil
}

// anyType stands for messages of all types.
const anyType raftpb.MessageType = -1

// take removes the messages to a node from those on their way. Storage work and its answers can't
// be dropped.
func (e *env) take(to uint64, typ raftpb.MessageType, drop bool) (taken []raftpb.Message) {
	var rest []raftpb.Message
	for _, m := range e.messages {
		local := m.From == m.To || raftpb.IsLocalMsgTarget(m.From) || raftpb.IsLocalMsgTarget(m.To)
		if m.To == to && (typ == anyType || m.Type == typ) && (!drop || !local) {
			taken = append(taken, m)
		} else {
			rest = append(rest, m)
		}
	}
	e.messages = rest
	return taken
}

// deliver hands a node its messages and returns how many there were.
func (e *env) deliver(to uint64, typ raftpb.MessageType) int {
	taken := e.take(to, typ, false)
	for _, m := range taken {
		e.printMessage(m)
		if err := e.nodes[to-1].Step(m); err != nil {
			e.out.printf("%s\n", spell(err))
		}
	}
	return len(taken)
}

// drop loses a node's messages and returns how many there were.
func (e *env) drop(to uint64, typ raftpb.MessageType) int {
	taken := e.take(to, typ, true)
	for _, m := range taken {
		e.out.printf("dropped: ")
		e.printMessage(m)
	}
	return len(taken)
}

// settle lets nodes work until nothing is left to do.
func (e *env) settle(nodes []*node) error {
	for busy := true; busy; {
		busy = false
		for _, phase := range phases {
			for _, n := range nodes {
				if !phase.due(e, n) {
					continue
				}
				busy = true
				e.out.printf("> %d %s\n", n.cfg.ID, phase.title)
				err := e.indented(func() error { return phase.do(e, n) })
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// phase is one kind of work that a node may have.
type phase struct {
	title string
	due   func(e *env, n *node) bool
	do    func(e *env, n *node) error
}

// phases are the kinds of work in the order in which settle goes through them.
var phases = []phase{
	{"handling Ready", func(_ *env, n *node) bool { return n.HasReady() }, (*env).ready},
	{"receiving messages", (*env).hasMail, func(e *env, n *node) error {
		e.deliver(n.cfg.ID, anyType)
		return nil
	}},
	{"processing append thread", func(_ *env, n *node) bool { return len(n.appends) > 0 },
		func(e *env, n *node) error { return drain(&n.appends, func() error { return e.appendThread(n) }) }},
	{"processing apply thread", func(_ *env, n *node) bool { return len(n.applies) > 0 },
		func(e *env, n *node) error { return drain(&n.applies, func() error { return e.applyThread(n) }) }},
}

func (e *env) hasMail(n *node) bool {
	for _, m := range e.messages {
		if m.To == n.cfg.ID {
			return true
		}
	}
	return false
}

func drain(work *[]raftpb.Message, do func() error) error {
	for len(*work) > 0 {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}
