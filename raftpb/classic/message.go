package classic

import "strconv"

// Type says what a message is.
type Type uint32

// The types.
const (
	TypeRequestVote           Type = 1
	TypeRequestVoteResponse   Type = 2
	TypeAppendEntries         Type = 3
	TypeAppendEntriesResponse Type = 4
)

// String returns the protocol's name of the type.
func (t Type) String() string {
	switch t {
	case TypeRequestVote:
		return "REQUESTVOTE_REQUEST"
	case TypeRequestVoteResponse:
		return "REQUESTVOTE_RESPONSE"
	case TypeAppendEntries:
		return "APPENDENTRIES_REQUEST"
	case TypeAppendEntriesResponse:
		return "APPENDENTRIES_RESPONSE"
	}
	return "type " + strconv.FormatUint(uint64(t), 10)
}

// Message is a *RequestVote, a *RequestVoteResponse, an *AppendEntries or an *AppendEntriesResponse.
type Message interface {
	// Type returns the type in the header.
	Type() Type
	// AppendTo appends the message with its header.
	AppendTo(b []byte) []byte

	payloadSize() int
	read(f *fields) error
}

// RequestVote asks for a vote.
type RequestVote struct {
	Term, CandidateID, LastLogIndex, LastLogTerm int32
}

// RequestVoteResponse gives it, or not.
type RequestVoteResponse struct {
	Term        int32
	VoteGranted bool
}

// AppendEntries brings entries, or none, as a heartbeat.
type AppendEntries struct {
	Term, LeaderID, PrevLogIndex, PrevLogTerm, LeaderCommit int32
	Seq                                                     int32 // comes back as Ack
	Entries                                                 []Entry
}

// Entry is an entry of a log. Its index is that of the entry before it, plus one.
type Entry struct {
	Term int32
	Data []byte
}

// AppendEntriesResponse says how far the follower's log goes.
type AppendEntriesResponse struct {
	Term, FollowerID, LogIndex int32
	Success                    bool
	FollowerCommit             int32
	Ack                        int32 // the Seq that it answers
}

// Type implements Message.
func (*RequestVote) Type() Type { return TypeRequestVote }

// Type implements Message.
func (*RequestVoteResponse) Type() Type { return TypeRequestVoteResponse }

// Type implements Message.
func (*AppendEntries) Type() Type { return TypeAppendEntries }

// Type implements Message.
func (*AppendEntriesResponse) Type() Type { return TypeAppendEntriesResponse }
