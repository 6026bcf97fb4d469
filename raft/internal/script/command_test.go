package script

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/raftctl/raftctl/raft"
	"github.com/raftctl/raftctl/raftpb"
)

// commands are what a script can say.
var commands map[string]func(e *env, a args) error

func init() { // settle and its kin refer to commands no more than to each other
	commands = map[string]func(e *env, a args) error{
		"_breakpoint": func(*env, args) error { return nil },
		"add-nodes":   (*env).addNodes,
		"campaign":    func(e *env, a args) error { return e.node(a).Campaign() },
		"compact": func(e *env, a args) error {
			n := e.node(a)
			if err := n.store.Compact(a.number(1)); err != nil {
				return err
			}
			return e.printLog(n)
		},
		"deliver-msgs":          (*env).deliverMsgs,
		"forget-leader":         func(e *env, a args) error { return e.node(a).ForgetLeader() },
		"log-level":             func(e *env, a args) error { return e.setLevel(a.d.CmdArgs[0].Key) },
		"process-append-thread": func(e *env, a args) error { return e.each(a, "processing append thread", e.appendThread) },
		"process-apply-thread":  func(e *env, a args) error { return e.each(a, "processing apply thread", e.applyThread) },
		"process-ready":         func(e *env, a args) error { return e.each(a, "handling Ready", e.ready) },
		"propose": func(e *env, a args) error {
			return e.node(a).Propose([]byte(a.d.CmdArgs[1].Key))
		},
		"propose-conf-change": (*env).proposeConfChange,
		"raft-log":            func(e *env, a args) error { return e.printLog(e.node(a)) },
		"raft-state":          (*env).printStates,
		"read-index": func(e *env, a args) error { // ours
			return e.node(a).ReadIndex([]byte(a.d.CmdArgs[1].Key))
		},
		"report-unreachable": func(e *env, a args) error {
			return e.node(a).ReportUnreachable(a.number(1))
		},
		"report-snapshot": (*env).reportSnapshot, // ours
		"send-snapshot":   (*env).sendSnapshot,
		"set-randomized-election-timeout": func(e *env, a args) error {
			n := e.node(a)
			return a.values(func(_, value string) error {
				timeout, err := strconv.Atoi(value)
				n.cfg.Rand.(*timeouts).extra = timeout - n.cfg.ElectionTick
				return err
			})
		},
		"stabilize": (*env).stabilize,
		"status": func(e *env, a args) error {
			e.out.printf("%s", e.node(a).Status().Progress)
			return nil
		},
		"tick-election":  func(e *env, a args) error { return e.tick(a, e.node(a).cfg.ElectionTick) },
		"tick-heartbeat": func(e *env, a args) error { return e.tick(a, e.node(a).cfg.HeartbeatTick) },
		"transfer-leadership": func(e *env, a args) error {
			var from, to uint64
			a.d.ScanArgs(a.t, "from", &from)
			a.d.ScanArgs(a.t, "to", &to)
			return e.nodes[from-1].TransferLeader(to)
		},
	}
}

// each does one piece of work for every node that the arguments name.
func (e *env) each(a args, title string, do func(*node) error) error {
	ids := a.ids()
	for _, id := range ids {
		n := e.nodes[id-1]
		if len(ids) == 1 {
			return do(n)
		}
		e.out.printf("> %d %s\n", id, title)
		if err := e.indented(func() error { return do(n) }); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) tick(a args, n int) error {
	for range n {
		if err := e.node(a).Tick(); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) setLevel(name string) (err error) {
	e.out.level, err = parseLevel(name)
	return err
}

// stabilize lets the named nodes, or all, work until nothing is left to do.
func (e *env) stabilize(a args) error {
	defer func(before level) { e.out.level = before }(e.out.level)
	if err := a.values(func(_, value string) error { return e.setLevel(value) }); err != nil {
		return err
	}
	nodes := e.nodes
	if ids := a.ids(); len(ids) > 0 {
		nodes = nil
		for _, id := range ids {
			nodes = append(nodes, e.nodes[id-1])
		}
	}
	return e.settle(nodes)
}

// deliverMsgs delivers messages to some nodes and drops those to others.
func (e *env) deliverMsgs(a args) error {
	typ, handled := anyType, 0
	var drops []uint64
	err := a.values(func(key, value string) error {
		switch key {
		case "type":
			typ = messageType(value)
			if typ == anyType {
				return fmt.Errorf("unknown message type")
			}
			return nil
		case "drop":
			id, err := strconv.ParseUint(value, 10, 64)
			drops = append(drops, id)
			return err
		}
		return fmt.Errorf("unknown argument")
	})
	if err != nil {
		return err
	}
	for _, id := range a.ids() {
		handled += e.deliver(id, typ)
	}
	for _, id := range drops {
		handled += e.drop(id, typ)
	}
	if handled == 0 {
		e.out.printf("no messages\n")
	}
	return nil
}

func messageType(name string) raftpb.MessageType {
	for t := raftpb.MsgHup; t <= raftpb.MsgForgetLeader; t++ {
		if t.String() == name {
			return t
		}
	}
	return anyType
}

func (e *env) proposeConfChange(a args) error {
	var v1 bool
	transition := raftpb.ConfChangeTransitionAuto
	err := a.values(func(key, value string) (err error) {
		switch key + "=" + value {
		case "transition=auto":
			transition = raftpb.ConfChangeTransitionAuto
		case "transition=implicit":
			transition = raftpb.ConfChangeTransitionJointImplicit
		case "transition=explicit":
			transition = raftpb.ConfChangeTransitionJointExplicit
		default:
			v1, err = strconv.ParseBool(value)
		}
		return err
	})
	if err != nil {
		return err
	}
	changes, err := raftpb.ConfChangesFromString(a.d.Input)
	if err != nil {
		return err
	}
	if !v1 {
		return e.node(a).ProposeConfChange(raftpb.ConfChangeV2{Transition: transition, Changes: changes})
	}
	if len(changes) != 1 || transition != raftpb.ConfChangeTransitionAuto {
		return fmt.Errorf("v1 conf change can only have one operation and no transition")
	}
	return e.node(a).ProposeConfChange(raftpb.ConfChange{Type: changes[0].Type, NodeID: changes[0].NodeID})
}

func (e *env) printLog(n *node) error {
	first, err := n.store.FirstIndex()
	if err != nil {
		return err
	}
	last, err := n.store.LastIndex()
	if err != nil {
		return err
	}
	if last < first {
		e.out.printf("log is empty: first index=%d, last index=%d", first, last)
		return nil
	}
	entries, err := n.store.Entries(first, last+1, raft.NoLimit)
	e.out.printf("%s", raftpb.DescribeEntries(entries, nil))
	return err
}

func (e *env) printStates(args) error {
	for _, n := range e.nodes {
		st, role := n.Status(), "(Non-Voter)"
		if st.Config.Voters.Contains(st.ID) {
			role = "(Voter)"
		}
		e.out.printf("%d: %s %s Term:%d Lead:%d\n",
			st.ID, st.SoftState.RaftState, role, st.HardState.Term, st.SoftState.Lead)
	}
	return nil
}

func (e *env) sendSnapshot(a args) error {
	from, to := e.node(a), a.number(1)
	snap := from.newest()
	m := raftpb.Message{
		Type: raftpb.MsgSnap, From: from.cfg.ID, To: to,
		Term: from.BasicStatus().HardState.Term, Snapshot: &snap,
	}
	e.messages = append(e.messages, m)
	e.out.printf("%s", raftpb.DescribeMessage(m, nil))
	return nil
}

func (e *env) reportSnapshot(a args) error {
	status := raft.SnapshotFinish
	if strings.Contains(a.d.CmdArgs[len(a.d.CmdArgs)-1].String(), "failed") {
		status = raft.SnapshotFailure
	}
	return e.node(a).ReportSnapshot(a.number(1), status)
}
