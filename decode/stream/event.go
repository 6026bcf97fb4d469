package stream

import (
	"iter"
	"path"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// Events are what a source saw, in the order in which it saw it. An error ends them. What is damaged or
// missing is no error: it is an event of the kind KindGap. An event, with its message and the bytes in it,
// is valid until the next one is asked for; Clone keeps it.
type Events = iter.Seq2[*Event, error]

// Kind says what an event is.
type Kind uint8

const (
	// KindMessage is a Raft message: Message is set.
	KindMessage Kind = iota + 1
	// KindLinkHeartbeat is what a stream carries while it has no message.
	KindLinkHeartbeat
	// KindExchange is a request on the peer port, or the response to one: Exchange is set. Streams begin
	// with one too.
	KindExchange
	// KindGap is a stretch of a connection of which nothing could be told: Gap is set.
	KindGap
)

// Channel is a way that messages go between two members. The first two are etcd's streams, by the names that
// raftpb/stream gives them.
type Channel string

const (
	// ChannelMessage is the general message stream.
	ChannelMessage Channel = "message"
	// ChannelAppend is the append stream.
	ChannelAppend Channel = "msgapp"
	// ChannelPipeline is a POST of one message.
	ChannelPipeline Channel = "pipeline"
	// ChannelSnapshot is a POST of a snapshot: a MsgSnap, and a database behind it that events leave out.
	ChannelSnapshot Channel = "snapshot"
	// ChannelClassic is the classic binary protocol.
	ChannelClassic Channel = "classic"
	// ChannelPeer is what members ask each other besides: probing, /version, /members, leases.
	ChannelPeer Channel = "peer"
	// ChannelClient is a client's port.
	ChannelClient Channel = "client"
	// ChannelMemory is for messages that no connection carried, as in the simulator.
	ChannelMemory Channel = "memory"
)

// Event is one thing that was seen.
type Event struct {
	Kind Kind
	// Time is when the last byte of it was seen, by the clock of who saw it.
	Time time.Time
	// From and To are the members' IDs, 0 where they are not known.
	From, To uint64
	Channel  Channel
	// Conn tells connections of a source apart: an event with the same Conn, From and To as one before it came
	// later on the same connection. It is 0 where there are none.
	Conn uint64
	// Size is how many bytes it took on the channel, framing included, chunks of HTTP not.
	Size int64
	Pos  Pos

	Message  *raftpb.Message
	Exchange *Exchange
	Gap      *Gap
}

// Pos is where an event lies in its source.
type Pos struct {
	// Source is the path of the source, or what else names it. It is the same for all events of a source.
	Source string
	// File is the file within it, of those that have several: a segment of a recording.
	File string
	// Packet is the number of the packet of a capture that completed the event, from 1 on; 0 elsewhere.
	Packet int64
	// Off is the offset in bytes of that packet, or of the record of a recording.
	Off int64
}

// Path is the path of the file.
func (p Pos) Path() string {
	if p.File == "" {
		return p.Source
	}
	return path.Join(p.Source, p.File)
}

// Exchange is half of a request over HTTP: the request, or with a Status the response to it.
type Exchange struct {
	Method, Path string
	// Status is the response's, 0 for a request.
	Status int
	// Server and Cluster are the version and the ID of the cluster that the one who sends tells, "" and 0 where he
	// doesn't.
	Server  string
	Cluster uint64
	// Note says in a few words what came with it: the error of a response, a version, the leases asked for.
	Note string
}

// Gap is a stretch of a connection that is missing or can't be read.
type Gap struct {
	// Bytes is its length, or -1 where that is not known.
	Bytes int64
	// Reason says why: "14480 bytes were not captured", "TLS, without a key log".
	Reason string
	// Final says that nothing more is told of the direction of the connection.
	Final bool
}

// Clone returns a copy of e that shares no memory with it.
func (e *Event) Clone() *Event {
	c := *e
	if e.Message != nil {
		c.Message = e.Message.Clone()
	}
	if e.Exchange != nil {
		x := *e.Exchange
		c.Exchange = &x
	}
	if e.Gap != nil {
		g := *e.Gap
		c.Gap = &g
	}
	return &c
}
