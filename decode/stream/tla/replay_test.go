package tla

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// replay follows a trace as Traceetcdraft.tla has TLC follow it: each line is an action that must be enabled, and lead to
// the state that the line tells. The error says at which line it could not.
func replay(trace []byte) error {
	r := &replayer{model: model{members: map[uint64]*member{}, net: map[uint64][]*letter{}}}
	s := bufio.NewScanner(bytes.NewReader(trace))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return err
		}
		if l.Tag == tag {
			r.lines = append(r.lines, l.Event)
		}
	}
	r.bootstrap()
	for i := range r.lines {
		if r.boot[i] {
			continue
		}
		if err := r.step(i); err != nil {
			return fmt.Errorf("line %d, %s of %s: %w", i+1, r.lines[i].Name, r.lines[i].NID, err)
		}
	}
	return nil
}

type replayer struct {
	model
	lines []event
	boot  map[int]bool
}

func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func set(ids []string) map[uint64]bool {
	m := map[uint64]bool{}
	for _, id := range ids {
		m[number(id)] = true
	}
	return m
}

// bootstrap makes the servers of the lines that each begins with.
func (r *replayer) bootstrap() {
	r.boot = map[int]bool{}
	begun := map[string]bool{}
	last := map[string]event{}
	for i, l := range r.lines {
		switch l.Name {
		case initState, becomeFollower, applyConf:
			if !begun[l.NID] {
				r.boot[i] = true
				last[l.NID] = l
			}
		default:
			begun[l.NID] = true
		}
	}
	for nid, l := range last {
		first := conf{voters: set(l.Conf[0]), learners: map[uint64]bool{}}
		if l.Name == applyConf {
			first.voters = set(l.Prop.CC.NewConf)
		}
		m := &member{id: number(nid), term: l.State.Term, vote: number(l.State.Vote), role: l.Role, commit: l.State.Commit, conf: first}
		for range l.Log {
			m.log = append(m.log, entry{1, &first})
		}
		m.durable = durable{m.term, m.vote, m.commit, len(m.log), m.conf}
		r.members[m.id] = m
	}
}

// check compares a member with the state that a line tells.
func check(m *member, l *event) error {
	want := eventOf("", m)
	conf := slices.Clone(l.Conf[0])
	slices.SortFunc(conf, func(a, b string) int { return int(number(a)) - int(number(b)) })
	got := fmt.Sprint(l.State, l.Role, l.Log, conf)
	if have := fmt.Sprint(want.State, want.Role, want.Log, want.Conf[0]); got != have {
		return fmt.Errorf("it tells %s, the specification comes to %s", got, have)
	}
	return nil
}

// says reports whether a line is about a message.
func says(l *event, x *letter) bool {
	w := messageOf(x)
	m := l.Msg
	if m.Type != w.Type || m.From != w.From || m.To != w.To || m.Term != w.Term {
		return false
	}
	switch x.kind {
	case voteRequest:
		return m.Index == w.Index && m.LogTerm == w.LogTerm
	case voteResponse:
		return m.Reject == w.Reject
	case appendResponse:
		return x.sub != snapshot && m.Reject == w.Reject && (m.Reject || x.sub == heartbeat || m.Index == w.Index)
	}
	return m.Entries == w.Entries && (x.sub == snapshot || m.Commit == w.Commit) &&
		(x.sub == heartbeat || m.Index == w.Index && m.LogTerm == w.LogTerm)
}

// step takes the action of a line.
func (r *replayer) step(i int) error {
	l := &r.lines[i]
	m := r.members[number(l.NID)]
	if m == nil {
		return fmt.Errorf("no such server")
	}
	if strings.HasPrefix(l.Name, "Receive") {
		if err := check(m, l); err != nil {
			return err
		}
		return r.receives(m, l)
	}
	enabled, ok := r.act(i, m, l)
	switch {
	case !ok:
		return fmt.Errorf("no such event")
	case !enabled:
		return fmt.Errorf("the action is not enabled, in %+v", eventOf("", m))
	case l.Msg != nil && l.Msg.From == l.NID && !r.skips(i) && !says(l, m.pending[len(m.pending)-1]):
		return fmt.Errorf("it sends %+v, the specification %+v", l.Msg, messageOf(m.pending[len(m.pending)-1]))
	case slices.Contains([]string{replicate, changeConf, applyConf, readyEvent}, l.Name) || r.skips(i):
		return nil
	}
	return check(m, l)
}

// skips reports whether TLC passes over a line.
func (r *replayer) skips(i int) bool {
	l := &r.lines[i]
	switch l.Name {
	case "SendAppendEntriesResponse", "SendRequestVoteResponse":
		return l.Msg.From != l.Msg.To
	case "ReduceNextIndex":
		return true
	case becomeFollower:
		for k := i - 1; k >= 0; k-- {
			p := &r.lines[k]
			if p.NID != l.NID {
				continue
			}
			if !strings.HasPrefix(p.Name, "Receive") || p.Msg.Term != l.State.Term {
				return false
			}
			return p.State.Term < p.Msg.Term || p.Name == "ReceiveAppendEntriesRequest" && p.State.Term == p.Msg.Term && p.Role == candidate
		}
	}
	return false
}

func (r *replayer) act(i int, m *member, l *event) (enabled, ok bool) {
	if r.skips(i) {
		return true, true
	}
	switch l.Name {
	case initState:
		r.restart(m)
	case becomeCandidate:
		return r.timeout(m), true
	case becomeFollower:
		return r.stepDown(m), true
	case becomeLeader:
		return r.becomeLeader(m), true
	case replicate:
		return r.replicate(m), true
	case commitEvent:
		return r.advanceCommit(m), true
	case changeConf:
		c := l.Prop.CC.Changes[0]
		return len(l.Prop.CC.Changes) == 1 && r.changeConf(m, c.Action, number(c.NID)), true
	case applyConf:
		return r.applyConf(m), true
	case readyEvent:
		r.ready(m)
	case "SendRequestVoteRequest", "SendRequestVoteResponse":
		return r.requestVote(m, number(l.Msg.To)), true
	case "SendAppendEntriesResponse":
		return r.appendToSelf(m), true
	case "SendAppendEntriesRequest":
		subs := map[string]sub{"MsgApp": app, "MsgHeartbeat": heartbeat, "MsgSnap": snapshot}
		return r.appendEntries(m, subs[l.Msg.Type], number(l.Msg.To), l.Msg.Index, l.Msg.Entries), true
	default:
		return false, false
	}
	return true, true
}

func (r *replayer) receives(m *member, l *event) error {
	for _, x := range r.net[m.id] {
		if says(l, x) {
			if _, ok := r.receive(x); !ok {
				return fmt.Errorf("it can't be received")
			}
			return nil
		}
	}
	return fmt.Errorf("%+v is not on its way", l.Msg)
}
