package tla

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/raftctl/raftctl/raftpb"
)

// line is a line of a trace. N is the place of it, of the same length in all lines: validate.sh of etcd-io/raft sorts lines by what
// stands behind the second colon.
type line struct {
	Tag   string `json:"tag"`
	N     int64  `json:"n"`
	Event event  `json:"event"`
}

const (
	tag    = "trace"
	firstN = 1_000_000_001
)

// event is what happened to a server, and its state: after it, or before it for what is received.
type event struct {
	Name  string      `json:"name"`
	NID   string      `json:"nid"`
	State state       `json:"state"`
	Role  Role        `json:"role"`
	Log   uint64      `json:"log"`
	Conf  [2][]string `json:"conf"`
	Msg   *message    `json:"msg,omitempty"`
	Prop  *property   `json:"prop,omitempty"`
}

type state struct {
	Term   uint64 `json:"term"`
	Vote   string `json:"vote"`
	Commit uint64 `json:"commit"`
}

// message is a message as etcd's raft traces it.
type message struct {
	Type       string `json:"type"`
	Term       uint64 `json:"term"`
	From       string `json:"from"`
	To         string `json:"to"`
	Entries    int    `json:"entries"`
	LogTerm    uint64 `json:"logTerm"`
	Index      uint64 `json:"index"`
	Commit     uint64 `json:"commit"`
	Vote       string `json:"vote"`
	Reject     bool   `json:"reject"`
	RejectHint uint64 `json:"rejectHint"`
}

type property struct {
	CC change `json:"cc"`
}

// change is a change of the membership: what is asked for, or what it comes to.
type change struct {
	Changes []singleChange `json:"changes,omitempty"`
	NewConf []string       `json:"newconf,omitempty"`
}

type singleChange struct {
	NID    string `json:"nid"`
	Action string `json:"action"`
}

// What a singleChange does.
const (
	addServer    = "AddNewServer"
	addLearner   = "AddLearner"
	removeServer = "RemoveServer"
)

// The names of events.
const (
	initState       = "InitState"
	becomeCandidate = "BecomeCandidate"
	becomeFollower  = "BecomeFollower"
	becomeLeader    = "BecomeLeader"
	commitEvent     = "Commit"
	replicate       = "Replicate"
	changeConf      = "ChangeConf"
	applyConf       = "ApplyConfChange"
	readyEvent      = "Ready"
)

// events are the names of sending and receiving a message, by its kind.
var sending = [...]string{
	voteRequest: "SendRequestVoteRequest", voteResponse: "SendRequestVoteResponse",
	appendRequest: "SendAppendEntriesRequest", appendResponse: "SendAppendEntriesResponse",
}

var receiving = [...]string{
	voteRequest: "ReceiveRequestVoteRequest", voteResponse: "ReceiveRequestVoteResponse",
	appendRequest: "ReceiveAppendEntriesRequest", appendResponse: "ReceiveAppendEntriesResponse",
}

// types are the types of messages of raft, by kind and sub.
var types = map[kind]map[sub]raftpb.MessageType{
	voteRequest:    {app: raftpb.MsgVote},
	voteResponse:   {app: raftpb.MsgVoteResp},
	appendRequest:  {app: raftpb.MsgApp, heartbeat: raftpb.MsgHeartbeat, snapshot: raftpb.MsgSnap},
	appendResponse: {app: raftpb.MsgAppResp, heartbeat: raftpb.MsgHeartbeatResp, snapshot: raftpb.MsgAppResp},
}

func name(id uint64) string { return strconv.FormatUint(id, 10) }

// eventOf returns an event of a member in its state.
func eventOf(what string, m *member) event {
	return event{
		Name: what, NID: name(m.id), State: state{m.term, name(m.vote), m.commit}, Role: m.role, Log: m.last(),
		Conf: [2][]string{names(m.conf.voters), {}},
	}
}

func names(ids map[uint64]bool) []string {
	list := []string{}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		list = append(list, name(id))
	}
	return list
}

// messageOf returns a message as it is traced.
func messageOf(l *letter) *message {
	m := &message{
		Type: types[l.kind][l.sub].String(), Term: l.term, From: name(l.from), To: name(l.to), Entries: len(l.entries),
		Index: l.index, LogTerm: l.logTerm, Commit: l.commit, Vote: "0",
	}
	if l.kind == voteResponse || l.kind == appendResponse {
		m.Reject = !l.ok
	}
	return m
}

func (l *line) append(b []byte) []byte {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings and numbers always can be
	}
	return append(append(b, text...), '\n')
}
