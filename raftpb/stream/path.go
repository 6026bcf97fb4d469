package stream

import (
	"strconv"
	"strings"
)

// Where members send to on each other's peer URLs.
const (
	PathPipeline = "/raft"          // POST: one message
	PathSnapshot = "/raft/snapshot" // POST: a MsgSnap and a database
	pathStream   = "/raft/stream/"  // GET: see Channel.Path
)

// Channel is one of the two streams that a member dials at each other member.
type Channel string

const (
	// ChannelMessage is the general message stream: every message but MsgSnap may go over it.
	ChannelMessage Channel = "message"
	// ChannelAppend is the append stream, which has the codec that etcd calls msgappv2.
	ChannelAppend Channel = "msgapp"
)

// Path returns the path under which the member dialer gets the stream c, such as
// "/raft/stream/msgapp/8e9e05c52164694d".
func (c Channel) Path(dialer uint64) string {
	return pathStream + string(c) + "/" + strconv.FormatUint(dialer, 16)
}

// ParsePath is the inverse of Channel.Path. It takes hex digits in either case and leading zeros.
func ParsePath(path string) (c Channel, dialer uint64, ok bool) {
	rest, ok := strings.CutPrefix(path, pathStream)
	name, id, found := strings.Cut(rest, "/")
	c = Channel(name)
	if !ok || !found || c != ChannelMessage && c != ChannelAppend {
		return "", 0, false
	}
	dialer, err := strconv.ParseUint(id, 16, 64)
	if err != nil {
		return "", 0, false
	}
	return c, dialer, true
}
