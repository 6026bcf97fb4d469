package peer

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/raftctl/raftctl/raftpb"
)

// Transport carries messages to other members, and takes theirs. Its methods may be called from several
// goroutines, and none but Stop waits for the network.
type Transport interface {
	// Send sends messages, in order for each member. What can't be sent is dropped, and reported to the
	// Handler. The transport keeps the messages, and doesn't change them.
	Send(messages []raftpb.Message)
	// SendSnapshot sends a snapshot with its database, and closes the database when done. What became
	// of it is reported to the Handler, once, unless the transport is stopped.
	SendSnapshot(m raftpb.Message, db Database)

	// AddPeer begins to talk to a member at its URLs; SetPeer replaces them; RemovePeer ends it.
	AddPeer(id uint64, urls []string) error
	SetPeer(id uint64, urls []string) error
	RemovePeer(id uint64)
	// AddRemote tells the URLs of one that may be a member, although the log doesn't say so yet.
	AddRemote(id uint64, urls []string)
	// Peers returns the IDs of those that were added.
	Peers() []uint64

	// ActiveSince returns since when a member has been heard of without a break; zero if it is not.
	ActiveSince(id uint64) time.Time

	// HTTP returns the handler of the paths below /raft on the peers' port.
	HTTP() http.Handler
	// Client is for other requests to members, such as of their versions.
	Client() *http.Client

	// Stop ends all connections, and returns when nothing of the transport runs any more.
	Stop()
}

// Handler takes what comes from other members. Nothing of it is called from within Send or SendSnapshot, so
// that it may wait for who calls these.
type Handler interface {
	// Process takes a message. It may wait for room until ctx ends. The error is ErrRemoved if the sender
	// is not a member any more, ErrMismatch if the message is for another member.
	Process(ctx context.Context, m raftpb.Message) error
	// SaveDatabase stores the database that belongs to a snapshot durably, before the message is processed.
	SaveDatabase(m *raftpb.Message, r io.Reader) error
	// IsRemoved reports whether a member was removed from the cluster for good.
	IsRemoved(id uint64) bool
	// ReportUnreachable tells that a message to a member got lost.
	ReportUnreachable(id uint64)
	// ReportSnapshot tells what became of a snapshot that was sent to a member.
	ReportSnapshot(id uint64, ok bool)
	// Removed tells that another member says, for good, that this one is a member no more. It may be told
	// again and again.
	Removed(by uint64)
}

// Database is the database that goes with a snapshot.
type Database interface {
	io.WriterTo
	io.Closer
}
